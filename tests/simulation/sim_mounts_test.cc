// Tests how the odd file systems of a simulation differ from tmpfs.

#include "tests/simulation/sim_mounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/simulation/lone_sim_kernel.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_tree.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

SimMountTraits TraitsOf(std::string_view name) {
  for (const SimCharacter& character : SimCharacters()) {
    if (character.name == name) return character.traits;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

class SimMountsTest : public testing::Test {
 protected:
  SimMountsTest() { MakeSimDirectory(files(), "/odd"); }

  SimFileSystem* files() { return kernel_.its_world()->files(); }
  void Mount(const SimMountTraits& traits) { files()->Mount("/odd", traits); }
  struct statx Stat(const char* path) {
    struct statx stat = {};
    EXPECT_EQ(kernel_.Stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &stat), 0) << path;
    return stat;
  }
  int32_t Write(int fd, uint64_t offset, uint32_t length) {
    return kernel_.Do(WriteAt(FileRef::Descriptor(fd), buffer_, length, offset));
  }
  int32_t Read(int fd, uint64_t offset, uint32_t length) {
    return kernel_.Do(ReadAt(FileRef::Descriptor(fd), buffer_, length, offset));
  }
  int Open(const char* path, int flags) { return kernel_.Open(AT_FDCWD, path, flags); }

  LoneSimKernel kernel_{{}, {}};
  char buffer_[5000] = {};
};

TEST_F(SimMountsTest, TheEngineTakesEachForWhatItIs) {
  for (const SimCharacter& character : SimCharacters()) {
    LoneSimKernel kernel({}, {});
    MakeSimDirectory(kernel.its_world()->files(), "/odd");
    kernel.its_world()->files()->Mount("/odd", character.traits);
    const std::string name = character.name;
    FileSystemTable table;
    const FileSystem* odd = table.FindAt(&kernel, AT_FDCWD, "/odd", /*device=*/1);
    const bool is_local = name == "tmpfs" || name == "ext4" || name == "Btrfs";
    const bool is_nfs = name.starts_with("NFS");
    const bool is_overlay = name == "overlayfs";
    EXPECT_EQ(odd->tells_errors_at_close(), !is_local) << name;
    EXPECT_EQ(odd->has_true_inodes(), is_local || is_nfs || is_overlay) << name;
    EXPECT_EQ(odd->copies_up(), is_overlay) << name;
    // What is promised of the local ones.
    if (!is_local) continue;
    EXPECT_FALSE(character.traits.tells_errors_at_close) << name;
    EXPECT_TRUE(odd->tells_true_sizes());
    EXPECT_FALSE(character.traits.size_told_max.has_value()) << name;
    EXPECT_EQ(character.traits.read_max, 0u) << name;
  }
}

TEST_F(SimMountsTest, MountsAreDevicesOfTheirOwn) {
  Mount({});
  MakeSimFile(files(), "/file", "");
  MakeSimDirectory(files(), "/odd/below");
  EXPECT_NE(Stat("/odd").stx_dev_minor, Stat("/").stx_dev_minor);
  EXPECT_EQ(Stat("/odd/..").stx_ino, Stat("/").stx_ino);
  EXPECT_EQ(Stat("/odd/below/../..").stx_ino, Stat("/").stx_ino);
  EXPECT_EQ(kernel_.Do(Rename(AT_FDCWD, "/file", AT_FDCWD, "/odd/file")), -EXDEV);
  EXPECT_EQ(kernel_.Do(MakeLink(AT_FDCWD, "/file", AT_FDCWD, "/odd/file", 0)), -EXDEV);
  EXPECT_EQ(kernel_.Do(UnlinkAt(AT_FDCWD, "/odd", AT_REMOVEDIR)), -EBUSY);
  EXPECT_EQ(kernel_.Do(Rename(AT_FDCWD, "/odd", AT_FDCWD, "/other")), -EBUSY);
}

TEST_F(SimMountsTest, SizesAndTypesAreLies) {
  Mount(TraitsOf("FUSE that lies"));
  MakeSimFile(files(), "/odd/file", std::string(100, 'x'));
  const struct statx stat = Stat("/odd/file");
  EXPECT_EQ(stat.stx_size, 10u);
  EXPECT_EQ(stat.stx_blocks, 0u);
  EXPECT_NE(Stat("/odd/file").stx_ino, stat.stx_ino);
  const int fd = Open("/odd/file", O_RDONLY);
  EXPECT_EQ(Read(fd, 0, 1000), 100);
  // A ring returns nothing beyond the size that a stat reports.
  ASSERT_TRUE(kernel_.Queue(
      ChainId{1}, Chain().Add(ReadAt(FileRef::Descriptor(fd), buffer_, 1000, 10)).ops()));
  std::vector<ChainResults> settled;
  kernel_.Wait(absl::Seconds(10), &settled);
  EXPECT_EQ(settled.at(0).results()[0], 0);
  kernel_.Close(fd);
  const int directory = Open("/odd", O_RDONLY | O_DIRECTORY);
  ASSERT_GT(kernel_.Do(ReadDirectory(directory, buffer_, sizeof(buffer_))), 0);
  EXPECT_EQ(buffer_[offsetof(dirent64, d_type)], DT_REG);  // The entry ".".
  kernel_.Close(directory);
  EXPECT_EQ(kernel_.Leaks(), "");
}

TEST_F(SimMountsTest, WritesAreTakenInOrderOnly) {
  Mount(TraitsOf("FUSE that lies"));
  MakeSimFile(files(), "/odd/file", "");
  const int fd = Open("/odd/file", O_WRONLY);
  EXPECT_EQ(Write(fd, 0, 100), 100);
  EXPECT_EQ(Write(fd, 100, 50), 50);
  EXPECT_EQ(Write(fd, 0, 50), -EINVAL);
  EXPECT_EQ(Write(fd, 150, 50), -EIO);
  const int again = Open("/odd/file", O_WRONLY);
  EXPECT_EQ(Write(again, 0, 50), 50);
}

TEST_F(SimMountsTest, TransfersAreShort) {
  Mount(TraitsOf("FUSE"));
  MakeSimFile(files(), "/odd/file", std::string(5000, 'x'));
  const int fd = Open("/odd/file", O_RDWR);
  EXPECT_EQ(Read(fd, 0, 5000), 1000);
  EXPECT_EQ(Write(fd, 0, 5000), 1000);
  EXPECT_EQ(Open("/odd/file", O_RDONLY | O_DIRECT), -EINVAL);
  EXPECT_EQ(kernel_.Do(SetDirect(FileRef::Descriptor(fd), FileRef(), true)), -EINVAL);
}

TEST_F(SimMountsTest, NamesHaveInodeNumbersOfTheirOwn) {
  Mount(TraitsOf("FUSE"));
  MakeSimFile(files(), "/odd/file", "x");
  MakeSimHardLink(files(), "/odd/file", "/odd/link");
  EXPECT_NE(Stat("/odd/file").stx_ino, Stat("/odd/link").stx_ino);
  EXPECT_EQ(Stat("/odd/file").stx_ino, Stat("/odd/file").stx_ino);
  const int fd = Open("/odd/link", O_RDONLY);
  struct statx stat = {};
  EXPECT_EQ(kernel_.Stat(fd, &stat), 0);
  EXPECT_EQ(stat.stx_ino, Stat("/odd/link").stx_ino);
}

TEST_F(SimMountsTest, AFileIsCopiedUpWhenItIsOpenedForWriting) {
  Mount(TraitsOf("overlayfs"));
  MakeSimFile(files(), "/odd/file", "x")->is_copied_up = false;
  const uint64_t below = Stat("/odd/file").stx_ino;
  EXPECT_GE(Open("/odd/file", O_RDONLY), 0);
  EXPECT_EQ(Stat("/odd/file").stx_ino, below);
  EXPECT_GE(Open("/odd/file", O_WRONLY), 0);
  EXPECT_NE(Stat("/odd/file").stx_ino, below);
}

TEST_F(SimMountsTest, NamesThatDifferInCaseAreOne) {
  Mount(TraitsOf("FAT"));
  MakeSimFile(files(), "/odd/File", "x");
  EXPECT_EQ(Stat("/odd/fILE").stx_ino, Stat("/odd/File").stx_ino);
  EXPECT_EQ(kernel_.Do(OpenAt(AT_FDCWD, "/odd/FILE", O_WRONLY | O_CREAT | O_EXCL, 0600,
                              FileRef())),
            -EEXIST);
  EXPECT_EQ(kernel_.Do(MakeDirectory(AT_FDCWD, "/odd/file", 0700)), -EEXIST);
  EXPECT_EQ(kernel_.Do(UnlinkAt(AT_FDCWD, "/odd/FILE", 0)), 0);
  EXPECT_EQ(FindSim(*files(), "/odd/File"), nullptr);
}

TEST_F(SimMountsTest, ModesOwnersAndLinksMayBeRefused) {
  Mount(TraitsOf("FAT"));
  MakeSimFile(files(), "/odd/file", "x", 0600);
  EXPECT_EQ(Stat("/odd/file").stx_mode, S_IFREG | 0755);
  const int fd = Open("/odd/file", O_RDONLY);
  EXPECT_EQ(kernel_.Do(SetOwner(FileRef::Descriptor(fd), 1, 1)), -EPERM);
  EXPECT_EQ(kernel_.Do(MakeSymlink("x", AT_FDCWD, "/odd/link")), -EPERM);
  EXPECT_EQ(kernel_.Do(MakeLink(AT_FDCWD, "/odd/file", AT_FDCWD, "/odd/link", 0)),
            -EPERM);
  EXPECT_EQ(kernel_.Do(MakeNode(AT_FDCWD, "/odd/pipe", S_IFIFO | 0600, 0)), -EPERM);
  EXPECT_EQ(kernel_.Do(GetXattr(FileRef::Descriptor(fd), "user.a", buffer_, 10)),
            -EOPNOTSUPP);
}

TEST_F(SimMountsTest, HolesMayBeUnknown) {
  Mount(TraitsOf("NFS"));
  MakeSimSparseFile(files(), "/odd/file", 100'000);
  const int fd = Open("/odd/file", O_RDONLY);
  uint64_t position = 1;
  EXPECT_EQ(kernel_.Do(SeekData(FileRef::Descriptor(fd), 0, &position)), 0);
  EXPECT_EQ(position, 0u);
  EXPECT_EQ(kernel_.Do(SeekHole(FileRef::Descriptor(fd), 0, &position)), 0);
  EXPECT_EQ(position, 100'000u);
}

TEST_F(SimMountsTest, AFileIsClonedWithinAFileSystemThatCan) {
  Mount(TraitsOf("Btrfs"));
  MakeSimFile(files(), "/odd/file", "contents");
  MakeSimFile(files(), "/odd/clone", "");
  MakeSimFile(files(), "/elsewhere", "");
  const int source = Open("/odd/file", O_RDONLY);
  EXPECT_EQ(kernel_.Do(Clone(FileRef::Descriptor(source),
                             FileRef::Descriptor(Open("/odd/clone", O_WRONLY)))),
            0);
  EXPECT_EQ(FindSim(*files(), "/odd/clone")->contents.ToString(), "contents");
  EXPECT_EQ(kernel_.Do(Clone(FileRef::Descriptor(source),
                             FileRef::Descriptor(Open("/elsewhere", O_WRONLY)))),
            -EXDEV);
}

}  // namespace
}  // namespace ringcp
