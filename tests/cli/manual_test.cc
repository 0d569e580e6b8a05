#include "cli/manual.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/copy_help.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

// `text` with one blank wherever there are blanks or line breaks.
std::string InOneLine(const std::string& text) {
  const std::vector<std::string> words =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return absl::StrJoin(words, " ");
}

std::string OutputOf(const std::string& program, std::vector<std::string> arguments) {
  Subprocess::Options options;
  options.program = program;
  options.arguments = std::move(arguments);
  options.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  const Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.error, "");
  return result.output;
}

TEST(ManualTest, HelpPageAndCompletionHaveEveryOption) {
  const Manual manual = CopyManual();
  const std::string help = InOneLine(HelpText(manual, "ringcp"));
  const std::string page =
      InOneLine(absl::StrReplaceAll(ManualPage(manual), {{"\\-", "-"}, {"\\e", "\\"}}));
  const std::string completion = BashCompletion(manual);
  ASSERT_GT(manual.options.size(), 40u);
  for (const OptionText* option : manual.options) {
    const std::string usage = InOneLine(OptionUsage(*option));
    const std::string text = InOneLine(std::string(option->text));
    EXPECT_NE(text, "") << usage;
    EXPECT_TRUE(absl::StrContains(help, absl::StrCat(usage, " ", text))) << usage;
    EXPECT_TRUE(absl::StrContains(page, usage)) << usage;
    EXPECT_TRUE(absl::StrContains(page, text)) << usage;
    const std::string last = usage.substr(usage.rfind(' ') + 1);
    const std::string word = last.substr(0, last.find_first_of("[="));
    EXPECT_TRUE(absl::StrContains(completion, absl::StrCat(" ", word, " ")) ||
                absl::StrContains(completion, absl::StrCat(" ", word, "'")))
        << usage;
  }
}

TEST(ManualTest, NoLineOfHelpIsWiderThanATerminal) {
  const std::vector<std::string> lines =
      absl::StrSplit(HelpText(CopyManual(), "ringcp"), '\n');
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80u) << line;
}

TEST(ManualTest, GroffFindsNothingWrongWithThePage) {
  const ScratchDirectory scratch;
  if (OutputOf("/bin/sh", {"sh", "-c", "command -v groff || true"}).empty()) {
    GTEST_SKIP() << "groff is not installed";
  }
  scratch.WriteFile("ringcp.1", ManualPage(CopyManual()));
  const std::string shown = OutputOf(
      "/bin/sh", {"sh", "-c", "groff -ww -man -Tutf8 \"$0\"", scratch.Path("ringcp.1")});
  EXPECT_TRUE(absl::StrContains(shown, "copy files and directories"));
}

TEST(ManualTest, BashCompletesWordsAndTheirArguments) {
  const auto completed = [](const std::string& words) {
    return InOneLine(
        OutputOf("/bin/bash",
                 {"bash", "-c",
                  absl::StrCat(BashCompletion(CopyManual()), "COMP_WORDS=(ringcp ", words,
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ringcp;",
                               "echo \"${COMPREPLY[@]}\"")}));
  };
  EXPECT_EQ(completed("--sp"), "--sparse");
  EXPECT_EQ(completed("--remo"), "--remove-destination");
  EXPECT_EQ(completed("--sparse = a"), "auto always");
  EXPECT_EQ(completed("--sparse ="), "never auto always");
  EXPECT_EQ(completed("--engine t"), "threads");
  EXPECT_EQ(completed("--engine = t"), "threads");
  // A word behind an option that needs no argument is an operand.
  EXPECT_EQ(completed("--update = no"), "none none-fail");
  EXPECT_EQ(completed("--update n"), "");
  EXPECT_EQ(completed("fil"), "");
}

}  // namespace
}  // namespace ringcp
