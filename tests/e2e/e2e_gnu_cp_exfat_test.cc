// GNU cp, and ringcp under the name "cp", on exFAT, which has neither owners, modes,
// links nor pipes, and takes names that differ in case for one. Skipped without root,
// loop devices, or the programs of exfatprogs and exfat-fuse.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/gnu_cp_fixture.h"
#include "tests/file_tree.h"
#include "tests/own_mounts.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

constexpr off_t kImageBytes = 64 << 20;

class GnuCpExfat : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasOwnMounts()) GTEST_SKIP() << "only root may mount a file system";
    const std::string image = scratch_.WriteFile("image", "");
    ASSERT_EQ(truncate(image.c_str(), kImageBytes), 0);
    place_ = scratch_.MakeDirectory("place");
    const std::string why_not = MountNewFileSystem("exfat", "exfat-fuse", image, place_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    PrepareWithShell(scratch_.path(),
                     "mkdir s s/d; printf alpha > s/a; printf beta > s/d/b;"
                     "chmod 600 s/d/b; chown 5:5 s/a; seq 100000 > s/d/large;"
                     "truncate -s 3M s/holes; echo end >> s/holes;"
                     "find . -path ./place -prune -o -exec touch -d 2001-01-01 {} +");
  }

  void TearDown() override { umount2(place_.c_str(), MNT_DETACH); }

  // What `commands` leave on the file system, which is empty before.
  Seen See(const std::string& program, const std::string& commands) {
    PrepareWithShell(place_, "rm -rf ./*");
    Subprocess::Options options;
    options.program = "/bin/sh";
    options.arguments = {"sh", "-c",
                         absl::StrCat("cp() { \"", program, "\" \"$@\"; }\n", commands)};
    options.environment = {"PATH=/usr/bin:/bin"};
    options.directory = scratch_.path();
    Seen seen;
    seen.result = RunProgram(options);
    seen.tree = ListFileTree(place_);
    return seen;
  }

  void ExpectTheSame(const std::string& commands) {
    const Seen expected = See(ComparedCp(), commands);
    const Seen actual = See(ringcp_, commands);
    EXPECT_GT(expected.tree.size(), 1u) << commands;
    EXPECT_EQ(actual.result.exit_code, expected.result.exit_code) << commands;
    EXPECT_EQ(DifferenceOfTrees(expected.tree, actual.tree), "") << commands;
  }

  const std::string ringcp_ = std::filesystem::absolute(ProgramPath("cli/ringcp"));
  ScratchDirectory scratch_;
  std::string place_;
};

TEST_F(GnuCpExfat, IsFilledLikewise) {
  ExpectTheSame("cp -r s place/t");
  ExpectTheSame("cp -a s place/t");
  ExpectTheSame("cp -p s/a s/d/large place");
  ExpectTheSame("cp -r --preserve=mode,ownership,timestamps,links,xattr s place/t");
  ExpectTheSame("cp -r s place/t; cp -au s/. place/T; cp -b s/a place/t/A");
  ExpectTheSame("cp --sparse=always s/holes place; cp -r --remove-destination s place");
}

TEST_F(GnuCpExfat, WhatItCanNotHoldIsRefusedLikewise) {
  PrepareWithShell(scratch_.path(), "ln -s a s/link; ln s/a s/other");
  ExpectTheSame("cp -a s place/t");
  ExpectTheSame("cp -r s place/t; cp -l s/a place/l");
}

// GNU cp overwrites the one with the other and is content.
TEST_F(GnuCpExfat, OfTwoNamesThatDifferInCaseOneIsCopied) {
  PrepareWithShell(scratch_.path(), "printf upper > s/A");
  EXPECT_EQ(See(ringcp_, "cp -r s place/t").result.exit_code, 1);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(place_ + "/t")) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names.size(), 3u);
}

}  // namespace
}  // namespace ringcp
