// Tests which file systems count as local.

#include "core/kernel/file_systems.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "tests/odd_mount.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// Whether the open file `fd` is on a file system that is known.
bool KnowsKindOf(int fd) {
  FileSystemStat stat;
  return SystemKernel()->Do(StatFileSystem(fd, &stat)) == 0 &&
         !KindWithMagic(stat.magic).tells_errors_at_close;
}

// Whether the directory `path` is on a file system that is known.
bool IsKnown(const std::string& path) {
  const int fd = open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT_GE(fd, 0) << path << ": " << std::strerror(errno);
  const bool is_known = KnowsKindOf(fd);
  close(fd);
  return is_known;
}

// The magic number of `path`'s file system; 0 if there is no such path.
unsigned MagicOf(const std::string& path) {
  struct statfs status = {};
  return statfs(path.c_str(), &status) == 0 ? static_cast<unsigned>(status.f_type) : 0;
}

TEST(FileSystemsTest, Ext4AndTmpfsAreLocal) {
  const ScratchDirectory scratch;
  if (MagicOf(scratch.path()) == EXT4_SUPER_MAGIC) {
    EXPECT_TRUE(IsKnown(scratch.path()));
  }
  if (MagicOf("/dev/shm") != TMPFS_MAGIC) GTEST_SKIP() << "/dev/shm is no tmpfs";
  EXPECT_TRUE(IsKnown("/dev/shm"));
}

TEST(FileSystemsTest, AnyDescriptorOfAFileWillDo) {
  const ScratchDirectory scratch;
  const std::string path = scratch.WriteFile("file", "");
  for (const int flags : {O_RDONLY, O_WRONLY, O_PATH}) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC);
    EXPECT_EQ(KnowsKindOf(fd), IsKnown(scratch.path())) << flags;
    close(fd);
  }
}

// The files in /proc do not report a size.
TEST(FileSystemsTest, ProcfsIsNotLocal) {
  if (MagicOf("/proc") != PROC_SUPER_MAGIC) GTEST_SKIP() << "no /proc";
  EXPECT_FALSE(IsKnown("/proc"));
}

TEST(FileSystemsTest, AFileSystemInUserSpaceIsNotLocalWhateverIsBehindIt) {
  const ScratchDirectory scratch;
  const OddMount odd(scratch.MakeDirectory("backing"), scratch.MakeDirectory("odd"), {});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_FALSE(IsKnown(scratch.Path("odd")));
}

TEST(FileSystemsTest, NamesThatADirectoryMayTakeForOneAreFoldedAlike) {
  EXPECT_EQ(FoldedName("ReadMe.TXT"), FoldedName("readme.txt"));
  EXPECT_NE(FoldedName("readme"), FoldedName("read_me"));
  EXPECT_EQ(FoldedName("Stra\xc3\x9f"
                       "e"),
            FoldedName("\xc3\x84rger"));
  EXPECT_NE(FoldedName("\xc3\x84"), FoldedName("a"));
  EXPECT_FALSE(FoldedName("a").empty());
}

TEST(FileSystemsTest, OfAKindThatHasNoRowNothingIsCertain) {
  const FileSystemKind& kind = KindWithMagic(0);
  EXPECT_EQ(&kind, &KindWithMagic(FUSE_SUPER_MAGIC));
  EXPECT_TRUE(kind.tells_errors_at_close);
  EXPECT_FALSE(kind.tells_true_sizes);
  EXPECT_FALSE(kind.gives_files_to_their_maker);
  EXPECT_FALSE(kind.has_true_inodes);
  EXPECT_TRUE(kind.may_open_truncating_only);
  EXPECT_TRUE(kind.may_keep_what_is_open);
  EXPECT_TRUE(kind.may_write_by_calls_only);
}

TEST(FileSystemsTest, OnlyNfsAndNewSmbCopyOnTheirServers) {
  EXPECT_TRUE(KindWithMagic(NFS_SUPER_MAGIC).copies_on_server);
  EXPECT_TRUE(KindWithMagic(SMB2_SUPER_MAGIC).copies_on_server);
  EXPECT_TRUE(KindWithMagic(SMB2_SUPER_MAGIC).may_write_by_calls_only);
  constexpr uint64_t kOthers[] = {EXT4_SUPER_MAGIC,      TMPFS_MAGIC,
                                  OVERLAYFS_SUPER_MAGIC, FUSE_SUPER_MAGIC,
                                  CIFS_SUPER_MAGIC,      CEPH_SUPER_MAGIC};
  for (const uint64_t magic : kOthers) {
    EXPECT_FALSE(KindWithMagic(magic).copies_on_server) << magic;
  }
}

TEST(FileSystemsTest, InodesAreTheServersOnNfsAndCopiedUpOnOverlayfs) {
  const FileSystemKind& nfs = KindWithMagic(NFS_SUPER_MAGIC);
  const FileSystemKind& overlay = KindWithMagic(OVERLAYFS_SUPER_MAGIC);
  for (const FileSystemKind* kind : {&nfs, &overlay}) {
    EXPECT_TRUE(kind->has_true_inodes);
    EXPECT_TRUE(kind->tells_errors_at_close);
    EXPECT_FALSE(kind->tells_true_sizes);
  }
  EXPECT_TRUE(overlay.copies_up);
  EXPECT_TRUE(overlay.may_write_by_calls_only);
  EXPECT_FALSE(nfs.copies_up);
  EXPECT_FALSE(nfs.may_write_by_calls_only);
}

}  // namespace
}  // namespace ringcp
