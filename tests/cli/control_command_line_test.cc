#include "cli/control_command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringcp {
namespace {

std::string Describe(const ControlCommandLine& command_line) {
  static const char* const kNames[] = {"jobs", "show", "watch",  "cancel",
                                       "info", "help", "version"};
  return absl::StrCat(kNames[static_cast<int>(command_line.command)], " ",
                      command_line.job_name, " ", command_line.agent_address,
                      command_line.json ? " json" : "");
}

std::string Describe(const UsageError& error) {
  return absl::StrCat(error.message, error.suggest_help ? " [help]" : "");
}

std::string Parse(const std::string& words, const char* environment_agent = nullptr) {
  std::vector<std::string> texts = absl::StrSplit("ringcpctl " + words, ' ');
  if (words.empty()) texts.pop_back();
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStderr();
  const auto parsed = ParseControlCommandLine(static_cast<int>(texts.size()), argv.data(),
                                              environment_agent);
  const std::string from_getopt = testing::internal::GetCapturedStderr();
  return from_getopt +
         std::visit([](const auto& alternative) { return Describe(alternative); },
                    parsed);
}

TEST(ControlCommandLine, TakesOptionsAnywhere) {
  EXPECT_EQ(Parse("jobs"), "jobs  ");
  EXPECT_EQ(Parse("--json jobs"), "jobs   json");
  EXPECT_EQ(Parse("info --agent=unix:/s --json"), "info  unix:/s json");
  EXPECT_EQ(Parse("show 7 --agent unix:/s"), "show jobs/7 unix:/s");
}

TEST(ControlCommandLine, TakesAJobWithAndWithoutItsPrefix) {
  EXPECT_EQ(Parse("show 7"), "show jobs/7 ");
  EXPECT_EQ(Parse("watch jobs/7"), "watch jobs/7 ");
  EXPECT_EQ(Parse("cancel jobs/7"), "cancel jobs/7 ");
}

TEST(ControlCommandLine, TakesTheAgentFromTheEnvironment) {
  EXPECT_EQ(Parse("jobs", "unix:/e"), "jobs  unix:/e");
  EXPECT_EQ(Parse("jobs --agent=unix:/o", "unix:/e"), "jobs  unix:/o");
  EXPECT_EQ(Parse("jobs --agent=", "unix:/e"), "jobs  ");
}

TEST(ControlCommandLine, HelpsWithoutACommand) {
  EXPECT_EQ(Parse("--help"), "help  ");
  EXPECT_EQ(Parse("show --version"), "version  ");
}

TEST(ControlCommandLine, RefusesWhatIsNoCommand) {
  EXPECT_EQ(Parse(""), "missing command [help]");
  EXPECT_EQ(Parse("list"), "unknown command 'list' [help]");
  EXPECT_EQ(Parse("show"), "missing job after 'show' [help]");
  EXPECT_EQ(Parse("show "), "missing job after 'show' [help]");
  EXPECT_EQ(Parse("show a b"), "extra operand 'b' [help]");
  EXPECT_EQ(Parse("jobs a"), "extra operand 'a' [help]");
  EXPECT_EQ(Parse("--foo jobs"), "ringcpctl: unrecognized option '--foo'\n [help]");
  EXPECT_EQ(Parse("-j jobs"), "ringcpctl: invalid option -- 'j'\n [help]");
}

}  // namespace
}  // namespace ringcp
