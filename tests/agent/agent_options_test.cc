#include "agent/agent_options.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::optional<AgentOptions> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ringcpd");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParseAgentOptions(static_cast<int>(arguments.size()), argv.data());
}

// The message for arguments that are refused, or "(accepted)".
std::string Refusal(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStderr();
  const bool accepted = Parse(arguments).has_value();
  const std::string printed = testing::internal::GetCapturedStderr();
  return accepted ? "(accepted)" : printed;
}

TEST(AgentOptionsTest, WithoutArgumentsEverythingIsDefault) {
  const auto options = Parse({});
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->addresses, IsEmpty());
  EXPECT_EQ(options->running_jobs_max, kRunningJobsDefault);
  EXPECT_FALSE(options->help || options->version);
}

TEST(AgentOptionsTest, AddressesAddUpAndTheLastNumberHolds) {
  const auto options = Parse({"--listen", "unix:/a", "--max-running-jobs=2",
                              "--listen=unix:/b", "--max-running-jobs", "64"});
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->addresses, ElementsAre("unix:/a", "unix:/b"));
  EXPECT_EQ(options->running_jobs_max, 64);
}

TEST(AgentOptionsTest, HelpAndVersionAreAskedFor) {
  EXPECT_TRUE(Parse({"--help"})->help);
  EXPECT_TRUE(Parse({"--version"})->version);
}

TEST(AgentOptionsTest, BadArgumentsAreRefusedWithAMessage) {
  EXPECT_THAT(Refusal({"--bogus"}), HasSubstr("unrecognized option '--bogus'"));
  EXPECT_THAT(Refusal({"--listen"}), HasSubstr("requires an argument"));
  EXPECT_THAT(Refusal({"-x"}), HasSubstr("invalid option -- 'x'"));
  EXPECT_THAT(Refusal({"extra"}), HasSubstr("ringcpd: extra operand 'extra'"));
  for (const char* number : {"0", "-1", "65", "two", "", "3x"}) {
    EXPECT_EQ(
        Refusal({"--max-running-jobs", number}),
        std::string("ringcpd: --max-running-jobs must be a number from 1 to 64, not '") +
            number + "'\n");
  }
  EXPECT_THAT(Refusal(std::vector<std::string>(17, "--listen=unix:/a")),
              HasSubstr("more than 16 times"));
}

TEST(AgentOptionsTest, HelpNamesEveryOption) {
  const std::string help = AgentHelp("ringcpd");
  for (const char* option : {"--listen", "--max-running-jobs", "--help", "--version"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
}

}  // namespace
}  // namespace ringcp
