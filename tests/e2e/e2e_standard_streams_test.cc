// Tests the programs when they are started without standard input, output or error.

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

class StandardStreamsTest : public testing::Test {
 protected:
  StandardStreamsTest() { scratch_.WriteFile("file", "precious"); }

  Subprocess::Result Copy(std::vector<std::string> arguments,
                          std::vector<int> closed_descriptors) const {
    arguments.insert(arguments.begin(), "ringcp");
    return RunProgram({.program = ProgramPath("cli/ringcp"),
                       .arguments = std::move(arguments),
                       .directory = scratch_.path(),
                       .closed_descriptors = std::move(closed_descriptors)});
  }
  std::string Contents() const { return ReadFileOrNone(scratch_.Path("file")); }

  ScratchDirectory scratch_;
};

TEST_F(StandardStreamsTest, AClosedInputIsNoSource) {
  for (const std::string source : {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}) {
    for (const char* option : {"-T", "-p", "-f", "-rL", "-aL", "--reflink=always"}) {
      const Subprocess::Result result = Copy({option, source, "file"}, {0});
      EXPECT_EQ(result.exit_code, 1) << source << option;
      EXPECT_EQ(result.error, absl::StrCat("ringcp: cannot stat '", source,
                                           "': No such file or directory\n"));
      EXPECT_EQ(Contents(), "precious");
      EXPECT_EQ(Copy({option, source, "new"}, {0}).exit_code, 1) << source << option;
      EXPECT_FALSE(Exists(scratch_.Path("new")));
    }
  }
}

TEST_F(StandardStreamsTest, AClosedOutputIsNoTarget) {
  // A link of the test's own, because -f could remove /dev/stdout itself.
  ASSERT_EQ(symlink("/proc/self/fd/1", scratch_.Path("output").c_str()), 0);
  for (const std::string target : {"output", "/proc/self/fd/1"}) {
    for (const char* option : {"-T", "-f", "-a"}) {
      const Subprocess::Result result = Copy({option, "file", target}, {1});
      EXPECT_EQ(result.exit_code, 1) << target << option;
      EXPECT_EQ(
          result.error,
          absl::StrCat("ringcp: not writing through dangling symlink '", target, "'\n"));
      EXPECT_TRUE(std::filesystem::is_symlink(scratch_.Path("output")));
    }
  }
}

TEST_F(StandardStreamsTest, LinesThatNobodyGetsAreAnError) {
  const Subprocess::Result verbose = Copy({"-v", "file", "copy"}, {1});
  EXPECT_EQ(verbose.exit_code, 1);
  EXPECT_EQ(verbose.error, "ringcp: write error: Bad file descriptor\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("copy")), "precious");
  EXPECT_EQ(Copy({"file", "copy"}, {1}).exit_code, 0);
  EXPECT_EQ(Copy({"--help"}, {1}).exit_code, 1);
  const Subprocess::Result full =
      RunProgram({.program = "/bin/sh",
                  .arguments = {"sh", "-c", "exec \"$0\" -v file copy >/dev/full",
                                ProgramPath("cli/ringcp")},
                  .directory = scratch_.path()});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_NE(full.error.find("write error: No space left on device"), std::string::npos);
}

TEST_F(StandardStreamsTest, NoMessageGetsIntoAFile) {
  scratch_.MakeDirectory("directory");
  EXPECT_EQ(Copy({"-v", "nothing", "file", "directory"}, {0, 1, 2}).exit_code, 1);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("directory/file")), "precious");
  EXPECT_EQ(Contents(), "precious");
}

TEST_F(StandardStreamsTest, AnAgentOpensNothingInTheirPlace) {
  Subprocess agent({.program = ProgramPath("agent/ringcpd"),
                    .arguments = {"ringcpd", "--listen",
                                  absl::StrCat("unix:", scratch_.Path("socket"))},
                    .directory = scratch_.path(),
                    .closed_descriptors = {0, 1}});
  ASSERT_TRUE(agent.WaitForError("listening"));
  for (const int descriptor : {0, 1}) {
    EXPECT_EQ(std::filesystem::read_symlink(
                  absl::StrCat("/proc/", agent.pid(), "/fd/", descriptor)),
              "/proc/self");
  }
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.Wait().exit_code, 0);
}

}  // namespace
}  // namespace ringcp
