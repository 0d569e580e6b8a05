// Tests that only the file that was made is removed, whatever its name leads to by now.

#include "core/file/removal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/base/file_identity.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

class RemovalTest : public testing::Test {
 protected:
  struct statx Look(const std::string& name) const {
    struct statx stat = {};
    EXPECT_EQ(SystemKernel()->Stat(AT_FDCWD, scratch_.Path(name).c_str(),
                                   AT_SYMLINK_NOFOLLOW, &stat),
              0);
    return stat;
  }

  ScratchDirectory scratch_;
  const int directory_ = open(scratch_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
};

TEST_F(RemovalTest, TheFileItselfIsRemoved) {
  scratch_.WriteFile("f", "half of it");
  EXPECT_EQ(RemoveIfSame(SystemKernel(), directory_, "f", Look("f")), 0);
  EXPECT_FALSE(Exists(scratch_.Path("f")));
}

TEST_F(RemovalTest, AnotherFileThatTookItsNameIsLeft) {
  scratch_.WriteFile("f", "half of it");
  const struct statx made = Look("f");
  ASSERT_EQ(rename(scratch_.Path("f").c_str(), scratch_.Path("elsewhere").c_str()), 0);
  scratch_.WriteFile("f", "precious");
  EXPECT_EQ(RemoveIfSame(SystemKernel(), directory_, "f", made), 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("f")), "precious");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("elsewhere")), "half of it");
}

TEST_F(RemovalTest, ALinkThatLeadsToTheFileIsLeft) {
  scratch_.WriteFile("made", "half of it");
  ASSERT_EQ(symlink("made", scratch_.Path("f").c_str()), 0);
  EXPECT_EQ(RemoveIfSame(SystemKernel(), directory_, "f", Look("made")), 0);
  EXPECT_TRUE(Exists(scratch_.Path("f")));
  EXPECT_TRUE(Exists(scratch_.Path("made")));
}

TEST_F(RemovalTest, WhatIsGoneIsNoError) {
  scratch_.WriteFile("f", "");
  const struct statx made = Look("f");
  ASSERT_EQ(unlink(scratch_.Path("f").c_str()), 0);
  EXPECT_EQ(RemoveIfSame(SystemKernel(), directory_, "f", made), 0);
}

TEST_F(RemovalTest, AFailedRemovalIsReported) {
  scratch_.MakeDirectory("d");
  EXPECT_EQ(RemoveIfSame(SystemKernel(), directory_, "d", Look("d")), EISDIR);
  EXPECT_EQ(RemoveIfSame(SystemKernel(), -1, "d", Look("d")), EBADF);
}

}  // namespace
}  // namespace ringcp
