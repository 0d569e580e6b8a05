// What is remembered of file systems, and for how many.

#include "core/kernel/file_system_table.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <cerrno>

#include "gtest/gtest.h"
#include "tests/file_system_kinds.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// A kernel on which each statfs(2) tells what a test wants.
class StatfsKernel : public SyscallKernel {
 public:
  StatfsKernel() : SyscallKernel(/*slots=*/0) {}
  int32_t Do(const Op& op) override {
    if (op.kind != OpKind::kFileSystem) return SyscallKernel::Do(op);
    ++asked;
    *op.statfs.result = told;
    return result;
  }

  FileSystemStat told = {.magic = EXT4_SUPER_MAGIC, .id = 1};
  int32_t result = 0;
  int asked = 0;
};

class FileSystemTableTest : public testing::Test {
 protected:
  FileSystem* Find(dev_t device) { return table_.Find(&kernel_, /*fd=*/0, device); }

  StatfsKernel kernel_;
  FileSystemTable table_;
};

TEST_F(FileSystemTableTest, OneIsFoundAgainByItsDeviceAndWhatItTells) {
  FileSystem* const first = Find(1);
  EXPECT_EQ(first->device(), 1u);
  EXPECT_FALSE(first->tells_errors_at_close());
  EXPECT_NE(Find(2), first);
  EXPECT_EQ(Find(1), first);
  // Another one that has got its number.
  kernel_.told = {.magic = FUSE_SUPER_MAGIC, .id = 1};
  FileSystem* const second = Find(1);
  EXPECT_NE(second, first);
  EXPECT_TRUE(second->tells_errors_at_close());
  kernel_.told = {.magic = FUSE_SUPER_MAGIC, .id = 2};
  EXPECT_NE(Find(1), second);
}

TEST_F(FileSystemTableTest, OfOneThatCanNotBeAskedNothingIsCertain) {
  kernel_.result = -EIO;
  FileSystem* const unknown = Find(1);
  EXPECT_TRUE(unknown->tells_errors_at_close());
  EXPECT_EQ(table_.FindByDevice(1), unknown);
  kernel_.result = 0;
  EXPECT_NE(Find(1), unknown);
}

TEST_F(FileSystemTableTest, ANameIsFollowedToWhatItIsOn) {
  const ScratchDirectory scratch;
  scratch.WriteFile("file", "");
  struct stat stat = {};
  ASSERT_EQ(::stat(scratch.path().c_str(), &stat), 0);
  const int fd = open(scratch.path().c_str(), O_PATH);
  FileSystem* const directorys = table_.Find(SystemKernel(), fd, stat.st_dev);
  EXPECT_EQ(table_.FindAt(SystemKernel(), fd, "file", stat.st_dev), directorys);
  EXPECT_EQ(table_.FindAt(SystemKernel(), fd, "none", stat.st_dev),
            table_.FindByDevice(stat.st_dev));
  close(fd);
}

TEST_F(FileSystemTableTest, APairIsRefusedOnceItWasNoted) {
  FileSystem* const a = Find(1);
  FileSystem* const b = Find(2);
  EXPECT_TRUE(table_.MayClone(a, *b));
  table_.NoteCloneRefused(*a, *b);
  table_.NoteCloneRefused(*a, *b);
  EXPECT_FALSE(table_.MayClone(a, *b));
  EXPECT_TRUE(table_.MayClone(b, *a));
  EXPECT_TRUE(table_.MayClone(b, *b));
}

TEST_F(FileSystemTableTest, AnUnknownSourceIsAsAnyThatWasRefused) {
  FileSystem* const a = Find(1);
  FileSystem* const b = Find(2);
  EXPECT_TRUE(table_.MayClone(nullptr, *b));
  table_.NoteCloneRefused(*a, *b);
  EXPECT_FALSE(table_.MayClone(nullptr, *b));
  EXPECT_TRUE(table_.MayClone(nullptr, *a));
}

TEST_F(FileSystemTableTest, OneFileMayBeRefusedWithoutTheOthers) {
  for (const int error_number : {EOPNOTSUPP, EXDEV, ENOTTY}) {
    EXPECT_TRUE(FileSystemTable::RefusesAllClones(error_number));
  }
  for (const int error_number : {EINVAL, EPERM, ENOSPC, ETXTBSY, EIO}) {
    EXPECT_FALSE(FileSystemTable::RefusesAllClones(error_number));
  }
}

TEST_F(FileSystemTableTest, AServerIsAskedToCopyUntilItRefuses) {
  EXPECT_FALSE(Find(1)->may_copy_on_server());  // A local one.
  kernel_.told = {.magic = NFS_SUPER_MAGIC, .id = 1};
  FileSystem* const refused = Find(1);
  EXPECT_TRUE(refused->may_copy_on_server());
  refused->NoteServerCopiesRefused();
  EXPECT_FALSE(refused->may_copy_on_server());
  EXPECT_TRUE(Find(2)->may_copy_on_server());
  // Several devices have several servers.
  EXPECT_FALSE(Find(FileSystem::kNoDevice)->may_copy_on_server());
  for (const int error_number : {EOPNOTSUPP, EXDEV, ENOSYS}) {
    EXPECT_TRUE(FileSystem::RefusesAllServerCopies(error_number));
  }
  for (const int error_number : {EINVAL, EBADF, EPERM, EIO, ENOSPC, ETXTBSY, ENOENT}) {
    EXPECT_FALSE(FileSystem::RefusesAllServerCopies(error_number));
  }
}

TEST_F(FileSystemTableTest, OfFurtherPairsEachFileIsTried) {
  FileSystem* const target = Find(1000);
  for (dev_t device = 0; device <= FileSystemTable::kPairsMax; ++device) {
    FileSystem* const source = Find(device);
    table_.NoteCloneRefused(*source, *target);
    EXPECT_EQ(table_.MayClone(source, *target), device == FileSystemTable::kPairsMax);
  }
}

TEST_F(FileSystemTableTest, ItsDeviceIsAskedOnceWhetherItCanBePolled) {
  int lookups = 0;
  FileSystemTable table([&](dev_t device) {
    ++lookups;
    return static_cast<uint32_t>(device * 4096);
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(table.PollableBytes(table.FindByDevice(2)), 8192u);
    EXPECT_EQ(table.PollableBytes(table.FindByDevice(0)), 0u);
  }
  EXPECT_EQ(lookups, 2);
}

TEST_F(FileSystemTableTest, OnlyTheFirstRefusalToPollOnEachIsNews) {
  for (const dev_t device : {1, 2}) {
    FileSystem* const file_system = Find(device);
    EXPECT_FALSE(file_system->refuses_polling());
    EXPECT_TRUE(file_system->NotePollingRefused());
    EXPECT_FALSE(file_system->NotePollingRefused());
    EXPECT_TRUE(file_system->refuses_polling());
  }
}

TEST_F(FileSystemTableTest, WhatAnyHasRefusedIsKnownOfAllTogether) {
  Find(1);
  FileSystem* const middle = Find(2);
  FileSystem* const last = Find(FileSystem::kNoDevice);
  EXPECT_FALSE(table_.has_refused_uncached_reads());
  EXPECT_FALSE(table_.has_refused_uncached_writes());
  middle->NoteUncachedReadsRefused();
  EXPECT_TRUE(table_.has_refused_uncached_reads());
  EXPECT_FALSE(table_.has_refused_uncached_writes());
  last->NoteUncachedWritesRefused();
  EXPECT_TRUE(table_.has_refused_uncached_writes());
}

TEST_F(FileSystemTableTest, FurtherOnesOfAKindAreOneThatLearnsNothing) {
  FileSystem* const first = Find(0);
  for (dev_t device = 1; device < FileSystemTable::kRememberedMax; ++device) {
    EXPECT_EQ(Find(device)->device(), device);
  }
  const dev_t further = FileSystemTable::kRememberedMax;
  FileSystem* const local = Find(further);
  EXPECT_EQ(local->device(), FileSystem::kNoDevice);
  EXPECT_FALSE(local->tells_errors_at_close());
  EXPECT_EQ(Find(further + 1), local);
  kernel_.told = {.magic = FUSE_SUPER_MAGIC, .id = 7};
  FileSystem* const other = Find(further);
  EXPECT_NE(other, local);
  EXPECT_TRUE(other->tells_errors_at_close());
  EXPECT_EQ(table_.FindByDevice(further), other);
  local->NoteUncachedReadsRefused();
  local->NoteUncachedWritesRefused();
  local->NoteDirectRefused();
  EXPECT_FALSE(local->refuses_uncached_reads());
  EXPECT_FALSE(local->refuses_uncached_writes());
  EXPECT_FALSE(local->refuses_direct());
  EXPECT_FALSE(local->NotePollingRefused());
  EXPECT_EQ(table_.PollableBytes(local), 0u);
  table_.NoteCloneRefused(*local, *first);
  table_.NoteCloneRefused(*first, *local);
  EXPECT_TRUE(table_.MayClone(local, *first));
  EXPECT_TRUE(table_.MayClone(first, *local));
  kernel_.told = {.magic = EXT4_SUPER_MAGIC, .id = 1};
  EXPECT_EQ(Find(0), first);
}

}  // namespace
}  // namespace ringcp
