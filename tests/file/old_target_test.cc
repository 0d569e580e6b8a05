// How an old target makes way for a new one, and what it is called then.

#include "core/file/old_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "core/file/copy_policy.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"
#include "tests/watched_kernel.h"

namespace ringcp {
namespace {

// Copies "f" of the directory "s" to the directory "t", with --backup=simple.
class OldTargetTest : public testing::Test {
 protected:
  OldTargetTest() {
    policy_.kernel = &kernel_;
    policy_.backup = Backup::kSimple;
    policy_.backup_suffix = &suffix_;
    names_.source_directory = Open("s");
    names_.source = "f";
    names_.target_directory = Open("t");
    names_.target = "f";
    names_.target_file_system = file_systems_.Find(&kernel_, names_.target_directory, 0);
    scratch_.WriteFile("s/f", "new");
    scratch_.WriteFile("t/f", "old");
  }
  ~OldTargetTest() override {
    close(names_.source_directory);
    close(names_.target_directory);
  }

  int Open(const std::string& name) {
    const std::string path = scratch_.MakeDirectory(name);
    return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  struct statx Look() {
    struct statx stat;
    EXPECT_EQ(kernel_.Stat(names_.target_directory, "f", AT_SYMLINK_NOFOLLOW, &stat), 0);
    return stat;
  }
  // Makes way for the copy. Returns what "t/f" is called then.
  std::string Backup() {
    const MadeWay made = MakeWay(policy_, names_, Look(), OldTarget::kBackedUp);
    EXPECT_FALSE(made.failure.has_value());
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/" + made.backup)), "old");
    return made.backup;
  }

  ScratchDirectory scratch_;
  WatchedKernel kernel_;
  FileSystemTable file_systems_;
  const std::string suffix_ = "~";
  FileCopyPolicy policy_;
  FileCopyNames names_;
};

TEST_F(OldTargetTest, ABackupReplacesAnOlderOne) {
  scratch_.WriteFile("t/f~", "older");
  EXPECT_EQ(Backup(), "f~");
}

TEST_F(OldTargetTest, ABackupDoesNotGetTheNameOfAnotherCopy) {
  scratch_.WriteFile("s/f~", "another");
  scratch_.WriteFile("t/f~", "copy of another");
  EXPECT_EQ(Backup(), "f.~1~");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f~")), "copy of another");
}

TEST_F(OldTargetTest, ANumberedBackupReplacesNothing) {
  policy_.backup = Backup::kNumbered;
  scratch_.WriteFile("t/f.~1~", "older");
  EXPECT_EQ(Backup(), "f.~2~");
  // If the directory can't be read, nobody knows that there are others.
  scratch_.WriteFile("t/f", "precious");
  kernel_.fault = [](const Op& op) { return op.kind == OpKind::kOpenAt ? EACCES : 0; };
  const MadeWay made = MakeWay(policy_, names_, Look(), OldTarget::kBackedUp);
  ASSERT_TRUE(made.failure.has_value());
  EXPECT_EQ(made.failure->error_number, EEXIST);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f")), "precious");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f.~1~")), "older");
}

// The source's directory may still have the name, so what is called so may be its copy.
TEST_F(OldTargetTest, IfNobodyKnowsWhetherThereIsAnotherCopyItsNameIsNotTaken) {
  scratch_.WriteFile("t/f~", "copy of another");
  kernel_.fault = [&](const Op& op) {
    return op.kind == OpKind::kStatx && op.stat.directory == names_.source_directory &&
                   std::string_view(op.stat.name) == "f~"
               ? EIO
               : 0;
  };
  EXPECT_EQ(Backup(), "f.~1~");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f~")), "copy of another");
}

}  // namespace
}  // namespace ringcp
