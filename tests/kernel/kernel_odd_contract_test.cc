// Tests that every implementation hands on what odd file systems do: some tell errors
// only when a file is closed, refuse chmod, or lie about sizes and types; in some
// directories a default ACL decides what modes new files get. The implementations that
// work on the system's files meet odd_file_system, the simulated ones a mount that is odd
// in the same way.
//
// The tests with mounts come first. io_uring's threads stay when a ring is gone, and
// those that are older than the first mount would not see it.

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/posix_acl.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"
#include "tests/odd_mount.h"
#include "tests/simulation/lone_sim_kernel.h"
#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

// What is tested is carried out at once as well as queued.
class KernelOddTest : public KernelTest {
 protected:
  // The two ways in which a chain is carried out. If io_uring has no opcode for one of
  // its ops, a helper thread carries out what is queued.
  static constexpr bool kAtOnceOrQueued[] = {true, false};

  Results RunAs(bool at_once, Chain chain) {
    if (at_once) {
      chain.SetAtOnce();
      return Run(chain);
    }
    EXPECT_TRUE(kernel_->Queue(ChainId{1}, chain.ops()));
    return SettleAll()[1];
  }
  int32_t RunAs(bool at_once, const Op& op) {
    return RunAs(at_once, Chain().Add(op)).at(0);
  }

  SimFileSystem* simulated_files() {
    return static_cast<LoneSimKernel*>(kernel_.get())->its_world()->files();
  }

  mode_t ModeOf(int fd) {
    struct statx stat = {};
    EXPECT_EQ(kernel_->Stat(fd, &stat), 0);
    return stat.stx_mode & 07777;
  }
};

// Has an odd file system at odd/.
class KernelOddMountTest : public KernelOddTest {
 protected:
  // `oddities` are odd_file_system's, and `traits` mean the same.
  KernelOddMountTest(std::vector<std::string> oddities, const SimMountTraits& traits)
      : oddities_(std::move(oddities)), traits_(traits) {}

  void SetUp() override {
    const std::string odd = Path("odd");
    if (!GetParam().is_simulated) {
      // Before the kernel is made, because its threads would not see the mount.
      mount_.emplace(scratch_.MakeDirectory("backing"), scratch_.MakeDirectory("odd"),
                     oddities_);
      if (!mount_->why_not().empty()) GTEST_SKIP() << mount_->why_not();
    }
    KernelTest::SetUp();
    if (kernel_ == nullptr || !GetParam().is_simulated) return;
    ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, odd.c_str(), 0755)), 0);
    simulated_files()->Mount(odd, traits_);
  }

 private:
  const std::vector<std::string> oddities_;
  const SimMountTraits traits_;
  std::optional<OddMount> mount_;
};

// Of NFS, CIFS and FUSE: a write succeeds, and what became of it is told at the closing.
class KernelFailedCloseTest : public KernelOddMountTest {
 protected:
  KernelFailedCloseTest()
      : KernelOddMountTest({"fail-close=ENOSPC"},
                           {.pages_max = 0, .tells_errors_at_close = true}) {}

  int OpenNew() {
    const int fd = Open(file_, O_WRONLY | O_CREAT | O_TRUNC);
    EXPECT_GE(fd, 0);
    return fd;
  }
  Op Write(int fd) { return WriteAt(FileRef::Descriptor(fd), buffer_, 10, 0); }

  const std::string file_ = Path("odd/file");
};

TEST_P(KernelFailedCloseTest, AnErrorAtClosingIsTheResultOfTheCloseAndTheFileIsClosed) {
  for (const bool at_once : kAtOnceOrQueued) {
    const int fd = OpenNew();
    ASSERT_EQ(kernel_->Do(Write(fd)), 10);
    EXPECT_EQ(RunAs(at_once, Close(fd)), -ENOSPC);
    EXPECT_FALSE(IsOpen(fd));
  }
  const int fd = OpenNew();
  ASSERT_EQ(kernel_->Do(Write(fd)), 10);
  EXPECT_EQ(kernel_->Close(fd), -ENOSPC);
  EXPECT_FALSE(IsOpen(fd));
}

TEST_P(KernelFailedCloseTest, TheSameAtTheEndOfAChain) {
  for (const bool at_once : kAtOnceOrQueued) {
    const int fd = OpenNew();
    EXPECT_EQ(RunAs(at_once, Chain().Add(Write(fd)).Add(Close(fd))),
              (Results{10, -ENOSPC}));
    EXPECT_FALSE(IsOpen(fd));
  }
}

// io_uring has no opcode for setting times, so a helper thread carries out such a chain.
TEST_P(KernelFailedCloseTest, TheSameAtTheEndOfAChainWithAnOpWithoutAnOpcode) {
  const timespec time = {.tv_sec = 1, .tv_nsec = 2};
  for (const bool at_once : kAtOnceOrQueued) {
    const int fd = OpenNew();
    Chain chain;
    chain.Add(Write(fd)).Add(SetTimes(FileRef::Descriptor(fd), time, time));
    chain.Add(Close(fd));
    EXPECT_EQ(RunAs(at_once, chain), (Results{10, 0, -ENOSPC}));
    EXPECT_FALSE(IsOpen(fd));
  }
}

// A copy closes both its files with such a chain.
TEST_P(KernelFailedCloseTest, AnOpThatIsTiedHardBehindTheCloseRuns) {
  for (const bool at_once : kAtOnceOrQueued) {
    const int source = Open(source_, O_RDONLY);
    const int fd = OpenNew();
    struct statx stat = {};
    Chain chain;
    chain.Add(Write(fd)).Add(Close(fd));
    chain.Add(Close(source), Tie::kHard);
    chain.Add(StatAt(AT_FDCWD, file_.c_str(), 0, &stat), Tie::kHard);
    EXPECT_EQ(RunAs(at_once, chain), (Results{10, -ENOSPC, 0, 0}));
    EXPECT_EQ(stat.stx_size, 10u);
    EXPECT_FALSE(IsOpen(fd));
    EXPECT_FALSE(IsOpen(source));
  }
}

TEST_P(KernelFailedCloseTest, AnOpThatIsTiedSoftlyBehindTheCloseDoesNotRun) {
  for (const bool at_once : kAtOnceOrQueued) {
    const int source = Open(source_, O_RDONLY);
    const int fd = OpenNew();
    EXPECT_EQ(RunAs(at_once, Chain().Add(Write(fd)).Add(Close(fd)).Add(Close(source))),
              (Results{10, -ENOSPC, -ECANCELED}));
    EXPECT_FALSE(IsOpen(fd));
    EXPECT_TRUE(IsOpen(source));
    kernel_->Close(source);
  }
}

// io_uring does not flush what is in a slot, so it has no error to tell. System calls,
// which have a descriptor for each slot, tell it. Whatever the result, the slot is empty.
TEST_P(KernelFailedCloseTest, ClosingASlotMayTellNoErrorAndEmptiesIt) {
  const FileRef slot = FileRef::Slot(0);
  Chain chain;
  chain.Add(OpenAt(AT_FDCWD, file_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0640, slot));
  chain.Add(WriteAt(slot, buffer_, 10, 0)).Add(Close(slot));
  const Results results = Run(chain);
  EXPECT_EQ(results[1], 10);
  EXPECT_TRUE(results[2] == 0 || results[2] == -ENOSPC) << results[2];
  EXPECT_EQ(Run(Close(slot)), -EBADF);
}

class KernelRefusedModeTest : public KernelOddMountTest {
 protected:
  KernelRefusedModeTest()
      : KernelOddMountTest({"fail-chmod=EPERM"}, {.refuses_mode = true}) {}
};

TEST_P(KernelRefusedModeTest, ARefusedModeIsAnErrorAndTheFileKeepsItsOwn) {
  const std::string file = Path("odd/file");
  const std::string directory = Path("odd/directory");
  const int made = kernel_->Do(
      OpenAt(AT_FDCWD, file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0640, FileRef()));
  ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, directory.c_str(), 0750)), 0);
  const int by_path = Open(file, O_PATH);
  const int listed = Open(directory, O_RDONLY | O_DIRECTORY);
  for (const bool at_once : kAtOnceOrQueued) {
    EXPECT_EQ(RunAs(at_once, SetMode(made, 0600)), -EPERM);
    EXPECT_EQ(RunAs(at_once, SetMode(by_path, 04755)), -EPERM);
    EXPECT_EQ(RunAs(at_once, SetMode(listed, 0700)), -EPERM);
    EXPECT_EQ(ModeOf(made), 0640u);
    EXPECT_EQ(ModeOf(by_path), 0640u);
    EXPECT_EQ(ModeOf(listed), 0750u);
  }
  for (const int fd : {made, by_path, listed}) EXPECT_EQ(kernel_->Close(fd), 0);
}

TEST_P(KernelRefusedModeTest, ARefusedModeSeversASoftTieButNoHardOne) {
  const std::string file = WriteFile("odd/file", "0123456789");
  const int fd = Open(file, O_RDONLY);
  const Op read = ReadAt(FileRef::Descriptor(fd), buffer_, 10, 0);
  Chain soft;
  soft.Add(SetMode(fd, 0640)).Add(read);
  Chain hard;
  hard.Add(SetMode(fd, 0640)).Add(read, Tie::kHard);
  for (const bool at_once : kAtOnceOrQueued) {
    EXPECT_EQ(RunAs(at_once, soft), (Results{-EPERM, -ECANCELED}));
    EXPECT_EQ(RunAs(at_once, hard), (Results{-EPERM, 10}));
  }
  kernel_->Close(fd);
}

// Of a file that is said to have fewer bytes than it has. Where io_uring reads at or
// beyond the size that it is told, it gets nothing without asking the file system (Linux
// 6.18). So only a read that is ByCall() says how far a file reaches.
class KernelToldSizeTest : public KernelOddMountTest {
 protected:
  KernelToldSizeTest(const char* oddity, uint32_t told)
      : KernelOddMountTest({oddity, "direct-io"}, {.size_told_max = told}), told_(told) {}

  void SetUp() override {
    KernelOddMountTest::SetUp();
    if (kernel_ == nullptr) return;
    fd_ = Open(WriteFile("odd/file", kContents), O_RDONLY);
    ASSERT_GE(fd_, 0);
  }
  void TearDown() override {
    if (kernel_ != nullptr) kernel_->CloseIfOpen(&fd_);
  }

  Op Read(uint32_t length, uint64_t offset) {
    return ReadAt(FileRef::Descriptor(fd_), buffer_, length, offset);
  }

  void ExpectThatStatsTellTheSize() {
    const std::string file = Path("odd/file");
    for (const bool at_once : kAtOnceOrQueued) {
      struct statx stat = {};
      EXPECT_EQ(RunAs(at_once, StatAt(AT_FDCWD, file.c_str(), 0, &stat)), 0);
      EXPECT_EQ(stat.stx_size, told_);
      EXPECT_EQ(RunAs(at_once, StatDescriptor(fd_, &stat)), 0);
      EXPECT_EQ(stat.stx_size, told_);
    }
  }

  void ExpectThatCallsReadToTheTrueEnd() {
    constexpr uint32_t kPiece = 7;
    std::string read;
    int32_t result = 0;
    do {
      result = Run(ByCall(Read(kPiece, read.size())));
      ASSERT_GE(result, 0);
      read += Buffer(static_cast<size_t>(result));
    } while (result > 0);
    EXPECT_EQ(read, kContents);
  }

  // They get all that the size promises, and of what is behind it something or nothing,
  // but no error and nothing else.
  void ExpectThatQueuedReadsReadAtLeastToTheSize() {
    const std::string contents = kContents;
    for (const uint32_t offset : {told_ / 2, told_, told_ + 5}) {
      std::memset(buffer_, 0, sizeof(buffer_));
      const int32_t result = RunAs(/*at_once=*/false, Read(sizeof(buffer_), offset));
      ASSERT_GE(result, 0);
      const auto size = static_cast<size_t>(result);
      EXPECT_GE(offset + size, told_);
      EXPECT_LE(offset + size, contents.size());
      EXPECT_EQ(Buffer(size), contents.substr(offset, size));
    }
  }

  static constexpr char kContents[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  const uint32_t told_;
  int fd_ = -1;
};

class KernelNoSizeTest : public KernelToldSizeTest {
 protected:
  KernelNoSizeTest() : KernelToldSizeTest("sizes-are-zero", 0) {}
};

class KernelSmallSizeTest : public KernelToldSizeTest {
 protected:
  KernelSmallSizeTest() : KernelToldSizeTest("sizes-are-small", 10) {}
};

TEST_P(KernelNoSizeTest, AFileThatIsSaidToBeEmptyIsReadToItsTrueEndByCalls) {
  ExpectThatStatsTellTheSize();
  ExpectThatCallsReadToTheTrueEnd();
  ExpectThatQueuedReadsReadAtLeastToTheSize();
}

TEST_P(KernelSmallSizeTest, AFileThatIsLongerThanItIsSaidToBeIsReadToItsTrueEndByCalls) {
  ExpectThatStatsTellTheSize();
  ExpectThatCallsReadToTheTrueEnd();
  ExpectThatQueuedReadsReadAtLeastToTheSize();
}

class KernelListedTypesTest : public KernelOddMountTest {
 protected:
  KernelListedTypesTest()
      : KernelOddMountTest({"list-file-as-link", "list-link-as-file",
                            "list-directory-as-file", "list-fifo-as-file"},
                           {.listed_types = SimMountTraits::ListedTypes::kWrong}) {}

  // The types (DT_*) that the directory lists for its entries.
  std::map<std::string, int> List(const std::string& directory) {
    std::map<std::string, int> types;
    const int fd = Open(directory, O_RDONLY | O_DIRECTORY);
    std::vector<char> entries(4096);
    const auto room = static_cast<uint32_t>(entries.size());
    int32_t filled = 0;
    while ((filled = Run(ReadDirectory(fd, entries.data(), room))) > 0) {
      for (const char* at = entries.data(); at < entries.data() + filled;) {
        uint16_t length = 0;
        std::memcpy(&length, at + offsetof(dirent64, d_reclen), sizeof(length));
        const std::string name = at + offsetof(dirent64, d_name);
        if (name != "." && name != "..") {
          types[name] = static_cast<unsigned char>(at[offsetof(dirent64, d_type)]);
        }
        at += length;
      }
    }
    EXPECT_EQ(filled, 0);
    EXPECT_EQ(kernel_->Close(fd), 0);
    return types;
  }
};

TEST_P(KernelListedTypesTest, AWrongTypeIsListedAndStatsTellTheTrueOne) {
  const std::map<std::string, mode_t> true_types = {
      {"directory", S_IFDIR}, {"file", S_IFREG}, {"link", S_IFLNK}, {"pipe", S_IFIFO}};
  const auto path_of = [&](const std::string& name) { return Path("odd/" + name); };
  WriteFile("odd/file", "contents");
  ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, path_of("directory").c_str(), 0755)), 0);
  ASSERT_EQ(kernel_->Do(MakeSymlink("file", AT_FDCWD, path_of("link").c_str())), 0);
  ASSERT_EQ(kernel_->Do(MakeNode(AT_FDCWD, path_of("pipe").c_str(), S_IFIFO | 0600, 0)),
            0);
  EXPECT_EQ(
      List(Path("odd")),
      (std::map<std::string, int>{
          {"directory", DT_REG}, {"file", DT_LNK}, {"link", DT_REG}, {"pipe", DT_REG}}));
  for (const auto& [name, type] : true_types) {
    const std::string path = path_of(name);
    const int fd = Open(path, O_PATH | O_NOFOLLOW);
    ASSERT_GE(fd, 0) << name;
    for (const bool at_once : kAtOnceOrQueued) {
      struct statx by_name = {};
      EXPECT_EQ(
          RunAs(at_once, StatAt(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, &by_name)),
          0);
      EXPECT_EQ(by_name.stx_mode & S_IFMT, type) << name;
      struct statx by_descriptor = {};
      EXPECT_EQ(RunAs(at_once, StatDescriptor(fd, &by_descriptor)), 0);
      EXPECT_EQ(by_descriptor.stx_mode & S_IFMT, type) << name;
    }
    EXPECT_EQ(kernel_->Close(fd), 0);
  }
}

// What an ACL gives to the owner, a named user, the owning group, all of the last two at
// most, and to others.
struct Rights {
  uint16_t owner;
  uint16_t named;
  uint16_t group;
  uint16_t mask;
  uint16_t others;
};

std::string AclOf(const Rights& rights) {
  constexpr uint32_t kSomebody = 4711;
  constexpr uint32_t kNobody = ACL_UNDEFINED_ID;
  const posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  std::string acl(reinterpret_cast<const char*>(&header), sizeof(header));
  const auto add = [&acl](uint16_t tag, uint16_t permissions, uint32_t id) {
    const posix_acl_xattr_entry entry = {htole16(tag), htole16(permissions), htole32(id)};
    acl.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  };
  add(ACL_USER_OBJ, rights.owner, kNobody);
  add(ACL_USER, rights.named, kSomebody);
  add(ACL_GROUP_OBJ, rights.group, kNobody);
  add(ACL_MASK, rights.mask, kNobody);
  add(ACL_OTHER, rights.others, kNobody);
  return acl;
}

// Has a directory with a default ACL whose mask differs from the owning group's rights.
class KernelDefaultAclTest : public KernelOddTest {
 protected:
  static constexpr Rights kDefault = {
      .owner = 7, .named = 7, .group = 5, .mask = 6, .others = 0};

  void SetUp() override {
    KernelOddTest::SetUp();
    if (kernel_ == nullptr) return;
    ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, directory_.c_str(), 0755)), 0);
    const int fd = Open(directory_, O_RDONLY | O_DIRECTORY);
    const int32_t result = SetAcl(fd, kDefaultAclName, kDefault);
    ASSERT_EQ(kernel_->Close(fd), 0);
    if (result == -EOPNOTSUPP) GTEST_SKIP() << "no access control lists here";
    ASSERT_EQ(result, 0);
  }
  void TearDown() override { SetUmask(022); }

  int32_t SetAcl(int fd, const char* name, const Rights& rights) {
    const std::string acl = AclOf(rights);
    return kernel_->Do(SetXattr(FileRef::Descriptor(fd), name, acl.data(),
                                static_cast<uint32_t>(acl.size())));
  }
  // The bytes of an ACL; "" if there is none.
  std::string AclNamed(const char* name, int fd) {
    const int32_t size =
        Run(GetXattr(FileRef::Descriptor(fd), name, buffer_, sizeof(buffer_)));
    EXPECT_TRUE(size > 0 || size == -ENODATA) << size;
    return Buffer(size > 0 ? static_cast<size_t>(size) : 0);
  }

  void SetUmask(mode_t mask) {
    if (!GetParam().is_simulated) {
      umask(mask);
    } else if (kernel_ != nullptr) {
      simulated_files()->set_umask(mask);
    }
  }

  mode_t ModeAt(bool at_once, const std::string& path) {
    struct statx stat = {};
    EXPECT_EQ(RunAs(at_once, StatAt(AT_FDCWD, path.c_str(), 0, &stat)), 0);
    return stat.stx_mode & 07777;
  }

  const std::string directory_ = Path("directory");
};

TEST_P(KernelDefaultAclTest, TheAclAndNoUmaskLimitsTheModeOfWhatIsMade) {
  const std::string file = directory_ + "/file";
  const std::string below = directory_ + "/below";
  const std::string pipe = directory_ + "/pipe";
  for (const mode_t mask : {0, 022, 0777}) {
    SetUmask(mask);
    for (const bool at_once : kAtOnceOrQueued) {
      const auto make = [&](mode_t mode) {
        return OpenAt(AT_FDCWD, file.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode,
                      FileRef());
      };
      for (const auto& [mode, granted] :
           {std::pair<mode_t, mode_t>(0666, 0660), {0777, 0760}, {0444, 0440}}) {
        const int fd = RunAs(at_once, make(mode));
        EXPECT_EQ(ModeOf(fd), granted);
        EXPECT_EQ(ModeAt(at_once, file), granted);
        ASSERT_EQ(kernel_->Close(fd), 0);
        ASSERT_EQ(kernel_->Do(UnlinkAt(AT_FDCWD, file.c_str(), 0)), 0);
      }
      EXPECT_EQ(RunAs(at_once, MakeDirectory(AT_FDCWD, below.c_str(), 0777)), 0);
      EXPECT_EQ(ModeAt(at_once, below), 0760u);
      ASSERT_EQ(kernel_->Do(UnlinkAt(AT_FDCWD, below.c_str(), AT_REMOVEDIR)), 0);
      EXPECT_EQ(RunAs(at_once, MakeNode(AT_FDCWD, pipe.c_str(), S_IFIFO | 0666, 0)), 0);
      EXPECT_EQ(ModeAt(at_once, pipe), 0660u);
      ASSERT_EQ(kernel_->Do(UnlinkAt(AT_FDCWD, pipe.c_str(), 0)), 0);
    }
  }
}

// New small files are made in slots.
TEST_P(KernelDefaultAclTest, TheSameForAFileThatIsMadeInASlot) {
  const std::string file = directory_ + "/file";
  const FileRef slot = FileRef::Slot(0);
  SetUmask(077);
  Chain chain;
  chain.Add(OpenAt(AT_FDCWD, file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666, slot));
  chain.Add(WriteAt(slot, buffer_, 10, 0)).Add(Close(slot));
  EXPECT_EQ(Run(chain), (Results{0, 10, 0}));
  EXPECT_EQ(ModeAt(/*at_once=*/false, file), 0660u);
}

TEST_P(KernelDefaultAclTest, TheGroupBitsOfAModeAreTheMaskOfTheAcl) {
  const int fd = Open(directory_ + "/file", O_WRONLY | O_CREAT | O_EXCL);
  ASSERT_EQ(ModeOf(fd), 0600u);
  Rights rights = kDefault;
  rights.owner = 6;
  rights.mask = 0;
  EXPECT_EQ(AclNamed(kAccessAclName, fd), AclOf(rights));
  for (const bool at_once : kAtOnceOrQueued) {
    const uint16_t mask = at_once ? 2 : 4;
    EXPECT_EQ(RunAs(at_once, SetMode(fd, 0701 | mask << 3)), 0);
    EXPECT_EQ(ModeOf(fd), 0701u | mask << 3);
    rights = {.owner = 7, .named = 7, .group = 5, .mask = mask, .others = 1};
    EXPECT_EQ(AclNamed(kAccessAclName, fd), AclOf(rights));
  }
  rights.mask = 3;
  ASSERT_EQ(SetAcl(fd, kAccessAclName, rights), 0);
  EXPECT_EQ(ModeOf(fd), 0731u);
  ASSERT_EQ(kernel_->Close(fd), 0);
}

TEST_P(KernelDefaultAclTest, OnlyDirectoriesInheritItAsTheirOwnDefault) {
  const std::string below = directory_ + "/below";
  ASSERT_EQ(Run(MakeDirectory(AT_FDCWD, below.c_str(), 0755)), 0);
  const int directory = Open(below, O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(AclNamed(kDefaultAclName, directory), AclOf(kDefault));
  Rights rights = kDefault;
  rights.mask = 4;  // As far as 0755 allows.
  EXPECT_EQ(AclNamed(kAccessAclName, directory), AclOf(rights));
  ASSERT_EQ(kernel_->Close(directory), 0);
  const int file = Open(directory_ + "/file", O_WRONLY | O_CREAT | O_EXCL);
  EXPECT_EQ(AclNamed(kDefaultAclName, file), "");
  ASSERT_EQ(kernel_->Close(file), 0);
}

#define INSTANTIATE_FOR_EACH_KERNEL(Test)                                           \
  INSTANTIATE_TEST_SUITE_P(Rings, Test, testing::ValuesIn(KernelImplementations()), \
                           KernelName)

INSTANTIATE_FOR_EACH_KERNEL(KernelFailedCloseTest);
INSTANTIATE_FOR_EACH_KERNEL(KernelRefusedModeTest);
INSTANTIATE_FOR_EACH_KERNEL(KernelNoSizeTest);
INSTANTIATE_FOR_EACH_KERNEL(KernelSmallSizeTest);
INSTANTIATE_FOR_EACH_KERNEL(KernelListedTypesTest);
INSTANTIATE_FOR_EACH_KERNEL(KernelDefaultAclTest);

}  // namespace
}  // namespace ringcp
