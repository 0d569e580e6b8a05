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

// Whether the directory `path` is on a file system that counts as local.
bool IsKnown(const std::string& path) {
  const int fd = open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT_GE(fd, 0) << path << ": " << std::strerror(errno);
  const bool is_known = KindOfFileSystem(SystemKernel(), fd) == FileSystemKind::kLocal;
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
    EXPECT_EQ(KindOfFileSystem(SystemKernel(), fd) == FileSystemKind::kLocal,
              IsKnown(scratch.path()))
        << flags;
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

TEST(FileSystemsTest, AFileSystemThatCanNotBeAskedIsNotLocal) {
  EXPECT_EQ(KindOfFileSystem(SystemKernel(), -1), FileSystemKind::kOther);
  EXPECT_EQ(KindOfFileSystem(SystemKernel(), 100'000), FileSystemKind::kOther);
}

}  // namespace
}  // namespace ringcp
