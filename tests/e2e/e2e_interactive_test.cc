// Tests what -i asks and what becomes of the answers, beside what GNU cp does
// (e2e_gnu_cp_options_test.cc): copies that go on meanwhile, interruptions, and what is
// declined, which makes cp fail from version 9.2 on.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

class InteractiveTest : public testing::Test {
 protected:
  ~InteractiveTest() override {
    if (answers_ != -1) close(answers_);
  }

  Subprocess::Options Ringcp(std::vector<std::string> arguments,
                             const std::string& input) const {
    arguments.insert(arguments.begin(), "ringcp");
    return {.program = ProgramPath("cli/ringcp"),
            .arguments = std::move(arguments),
            .directory = scratch_.path(),
            .input = scratch_.Path(input)};
  }
  // Answers are written by Answer(), at any time.
  Subprocess::Options RingcpAsking(std::vector<std::string> arguments) {
    const std::string path = scratch_.Path("answers");
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    // With a writer from the beginning, so that nobody waits for one.
    answers_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
    return Ringcp(std::move(arguments), "answers");
  }
  void Answer(const std::string& text) const {
    EXPECT_EQ(write(answers_, text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  std::string Contents(const std::string& name) const {
    return ReadFileOrNone(scratch_.Path(name));
  }

  ScratchDirectory scratch_;
  int answers_ = -1;
};

TEST_F(InteractiveTest, WhatIsDeclinedStaysAndMakesTheCopyFail) {
  for (const char* answer : {"n\n", "\n", "maybe\n", ""}) {
    scratch_.WriteFile("answer", answer);
    scratch_.WriteFile("a", "alpha");
    scratch_.WriteFile("b", "beta");
    const Subprocess::Result result = RunProgram(Ringcp({"-i", "a", "b"}, "answer"));
    EXPECT_EQ(result.exit_code, 1) << answer;
    EXPECT_EQ(result.error, "ringcp: overwrite 'b'? ");
    EXPECT_EQ(Contents("b"), "beta");
  }
}

// As from a script, which can't see what it is asked.
TEST_F(InteractiveTest, FilesAreAskedAboutInTheirOrder) {
  PrepareWithShell(scratch_.path(), "printf 'n\\ny\\nn\\ny\\nn\\ny\\nn\\ny\\n' >answer");
  for (const char* engine : {"auto", "uring", "threads"}) {
    for (int round = 0; round < 10; ++round) {
      PrepareWithShell(scratch_.path(),
                       "rm -rf s t; mkdir s t; for i in 1 2 3 4 5 6 7 8; do"
                       " echo new >s/$i; echo old >t/$i; done; rm s/3 s/5;"
                       "ln -s x s/3; mkfifo s/5");
      std::vector<std::string> arguments = {absl::StrCat("--engine=", engine), "-iP"};
      for (int i = 1; i <= 8; ++i) arguments.push_back(absl::StrCat("s/", i));
      arguments.emplace_back("t");
      EXPECT_EQ(RunProgram(Ringcp(arguments, "answer")).exit_code, 1);
      for (int i = 1; i <= 8; ++i) {
        EXPECT_EQ(Contents(absl::StrCat("t/", i)), i % 2 == 0 ? "new\n" : "old\n")
            << engine << i;
      }
    }
  }
}

// More than may be open at a time, of every kind.
TEST_F(InteractiveTest, AtTheEndOfTheInputAllIsDeclined) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; for i in $(seq 300); do echo new >s/$i; echo old >t/$i;"
                   "ln -s x s/l$i; echo old >t/l$i; mkfifo s/p$i; echo old >t/p$i; done;"
                   ": >answer");
  const Subprocess::Result result = RunProgram(Ringcp({"-ri", "s/.", "t"}, "answer"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(result.error, '?')).size(), 901u);
  PrepareWithShell(scratch_.path(), "! grep -Lx old t/* | grep .");
}

TEST_F(InteractiveTest, OtherFilesAreCopiedMeanwhile) {
  PrepareWithShell(
      scratch_.path(),
      "mkdir s t; for i in $(seq 300); do echo new >s/$i; done; echo old >t/7");
  Subprocess copy(RingcpAsking({"-ri", "s/.", "t"}));
  ASSERT_TRUE(copy.WaitForError("ringcp: overwrite 't/./7'? "));
  for (int i = 1; i <= 300; ++i) {
    while (Contents(absl::StrCat("t/", i)).empty() || !Exists(scratch_.Path("t"))) {
    }
  }
  EXPECT_EQ(Contents("t/7"), "old\n");
  Answer("y\n");
  EXPECT_EQ(copy.Wait().exit_code, 0);
  EXPECT_EQ(Contents("t/7"), "new\n");
}

TEST_F(InteractiveTest, AQuestionCanBeInterruptedAndIsTheLast) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; for i in $(seq 400); do echo new >s/$i; echo old >t/$i;"
                   "done");
  Subprocess copy(RingcpAsking({"-ri", "s/.", "t"}));
  ASSERT_TRUE(copy.WaitForError("overwrite"));
  copy.Signal(SIGINT);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.signal, SIGINT);
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(result.error, '?')).size(), 2u);
  PrepareWithShell(scratch_.path(), "! grep -Lx old t/* | grep .");
}

TEST_F(InteractiveTest, AnAgentHasNoTerminalToAskAt) {
  scratch_.WriteFile("a", "alpha");
  const Subprocess::Result result =
      RunProgram(Ringcp({"--agent=/nowhere", "-i", "a", "b"}, "a"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(
      result.error,
      "ringcp: --interactive (-i) asks at a terminal, which an agent doesn't have;\n"
      "leave it out, or copy without --agent and RINGCP_AGENT\n");
}

}  // namespace
}  // namespace ringcp
