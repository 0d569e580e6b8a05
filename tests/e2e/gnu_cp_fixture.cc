#include "tests/e2e/gnu_cp_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/file_tree.h"
#include "tests/programs.h"

namespace ringcp {
namespace {

constexpr uid_t kNobody = 65534;

// The files that every situation starts from, before its own set-up.
constexpr char kStart[] = R"(
  printf alpha > a; printf beta > b
  mkdir d d/e t; printf gamma > d/c; printf delta > d/e/g
  ln -s a la; ln -s d ld; ln -s nowhere dangling
)";
// Sets times in the past, which show what was preserved.
constexpr char kAge[] =
    "\nfind . -exec touch -h -d '2001-09-09 01:46:40.123456789 UTC' {} +";

// Whether the cp that is compared with is later than 9.1.
bool IsLater() {
  static const bool kIsLater = [] {
    Subprocess::Options options;
    options.program = ComparedCp();
    options.arguments = {"cp", "--version"};
    const std::string version = RunProgram(options).output;
    EXPECT_TRUE(version.starts_with("cp (GNU coreutils) 9.")) << version;
    return !version.starts_with("cp (GNU coreutils) 9.1\n");
  }();
  return kIsLater;
}

}  // namespace

std::string ComparedCp() {
  const char* const other = std::getenv("RINGCP_GNU_CP");
  return other != nullptr ? other : "/bin/cp";
}

void PrintTo(const Situation& situation, std::ostream* out) {
  *out << situation.setup << "; " << situation.command;
}

std::string SortedLines(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

std::string InWordsOfDebian12(const std::string& messages) {
  if (!IsLater()) return messages;
  const std::string end_of_line = " with non-directory";
  std::vector<std::string> lines = absl::StrSplit(messages, '\n');
  for (std::string& line : lines) {
    const size_t end = line.find(end_of_line);
    if (end != std::string::npos) line.resize(end + end_of_line.size());
    // With --backup they try to make what they copy where a directory is.
    const bool is_in_the_way =
        line.starts_with("cp: cannot create ") &&
        (line.ends_with(": Is a directory") || line.ends_with(": File exists"));
    const std::vector<std::string> quoted = absl::StrSplit(line, '\'');
    if (is_in_the_way && quoted.size() > 2) {
      line =
          absl::StrCat("cp: cannot overwrite directory '", quoted[1], "'", end_of_line);
    }
  }
  return absl::StrJoin(lines, "\n");
}

void GnuCpFixture::SetUp() {
  const std::string& setup = GetParam().setup;
  if (geteuid() != 0 &&
      (absl::StrContains(setup, "chown") || absl::StrContains(setup, "chgrp"))) {
    GTEST_SKIP() << "only root may give files away";
  }
  if (!GetParam().unlike_later.empty() && IsLater()) {
    GTEST_SKIP() << "this cp " << GetParam().unlike_later;
  }
}

Seen GnuCpComparison::See(const Situation& situation, const std::string& name,
                          const std::string& program) {
  const std::string programs = scratch_.MakeDirectory(name + ".bin");
  const std::string files = scratch_.MakeDirectory(name);
  std::filesystem::create_symlink(program, programs + "/cp");
  PrepareWithShell(files, kStart + situation.setup + kAge);

  Subprocess::Options options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", "umask 022\n" + situation.command};
  options.environment = {"PATH=" + programs + ":/usr/bin:/bin"};
  options.directory = files;
  if (situation.as_nobody && geteuid() == 0) {
    PrepareWithShell(files, "chown -hR nobody:nogroup .");
    options.user = kNobody;
  }
  Seen seen;
  seen.result = RunProgram(options);
  EXPECT_LT(seen.result.exit_code, 126) << "cp could not be run: " << seen.result.error;
  seen.tree = ListFileTree(files);
  return seen;
}

std::string GnuCpComparison::RingcpForAll() {
  chmod(scratch_.path().c_str(), 0755);
  std::string program = scratch_.Path("ringcp");
  std::filesystem::copy_file(ProgramPath("cli/ringcp"), program);
  return program;
}

void GnuCpComparison::ExpectTheSame(const Situation& situation,
                                    const std::string& ringcp) {
  const Seen expected = See(situation, "gnu", ComparedCp());
  const Seen actual = See(situation, "our", ringcp);
  EXPECT_EQ(actual.result.exit_code, expected.result.exit_code);
  EXPECT_EQ(SortedLines(InWordsOfDebian12(actual.result.error)),
            SortedLines(InWordsOfDebian12(expected.result.error)));
  EXPECT_EQ(SortedLines(actual.result.output), SortedLines(expected.result.output));
  EXPECT_EQ(DifferenceOfTrees(expected.tree, actual.tree), "");
}

std::string NameOf(const testing::TestParamInfo<Situation>& info) {
  return info.param.name;
}

}  // namespace ringcp
