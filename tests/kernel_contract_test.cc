// What core/kernel/kernel.h promises, held against every implementation. Errors are in
// kernel_errors_test.cc.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using KernelContractTest = KernelTest;

// As O_DIRECT wants it.
struct alignas(4096) Page {
  char bytes[4096] = {};
};

TEST_P(KernelContractTest, OneChainOpensReadsWritesAndCloses) {
  Chain chain;
  struct statx stat = {};
  chain.Add(StatAt(AT_FDCWD, source_.c_str(), 0, &stat))
      .Add(open_source_)
      .Add(open_target_);
  chain.Add(ReadAt(FileRef::Slot(0), buffer_, 10, 0));
  chain.Add(WriteAt(FileRef::Slot(1), buffer_, 10, 0));
  chain.Add(Close(FileRef::Slot(1))).Add(Close(FileRef::Slot(0)), Link::kHard);
  EXPECT_EQ(chain.size(), Chain::kOpsMax);
  EXPECT_EQ(Run(chain), (Results{0, 0, 0, 10, 10, 0, 0}));
  EXPECT_EQ(ReadFileOrNone(target_), "0123456789");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), -EBADF);
  EXPECT_EQ(Run(Close(FileRef::Slot(1))), -EBADF);
}

TEST_P(KernelContractTest, WithoutASlotAnOpenGivesADescriptorOfTheProcess) {
  const int fd = Run(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef()));
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(fd), buffer_, 4, 3)), 4);
  EXPECT_EQ(Buffer(4), "3456");
  EXPECT_EQ(Run(Close(FileRef::Descriptor(fd))), 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_P(KernelContractTest, AFailedOpenCancelsTheRest) {
  const std::string missing = scratch_.Path("none");
  Chain chain;
  chain.Add(OpenAt(AT_FDCWD, missing.c_str(), O_RDONLY, 0, FileRef::Slot(0)));
  chain.Add(ReadAt(FileRef::Slot(0), buffer_, 10, 0));
  chain.Add(Close(FileRef::Slot(0))).Add(Close(FileRef::Slot(1)), Link::kHard);
  EXPECT_EQ(Run(chain), (Results{-ENOENT, -ECANCELED, -ECANCELED, -ECANCELED}));
}

TEST_P(KernelContractTest, AShortReadSevers) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 11, 0));
  chain.Add(Close(FileRef::Slot(0)));
  EXPECT_EQ(Run(chain), (Results{0, 10, -ECANCELED}));
  EXPECT_EQ(Buffer(10), "0123456789");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
}

TEST_P(KernelContractTest, AnEmptyReadSevers) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 1, 10));
  chain.Add(Close(FileRef::Slot(0)));
  EXPECT_EQ(Run(chain), (Results{0, 0, -ECANCELED}));
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
}

TEST_P(KernelContractTest, AShortWriteSevers) {
  // The kernel writes up to the limit, and then no more.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit low = {.rlim_cur = 6, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
  Chain chain;
  chain.Add(open_target_).Add(WriteAt(FileRef::Slot(1), buffer_, 10, 0));
  chain.Add(Close(FileRef::Slot(1)));
  const Results results = Run(chain);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(results, (Results{0, 6, -ECANCELED}));
  EXPECT_EQ(Run(Close(FileRef::Slot(1))), 0);
}

TEST_P(KernelContractTest, AHardLinkRunsOnAfterAFailure) {
  Chain chain;
  chain.Add(open_source_).Add(Close(FileRef::Slot(1)));  // Nothing is in that slot.
  chain.Add(Close(FileRef::Slot(0)), Link::kHard);
  EXPECT_EQ(Run(chain), (Results{0, -EBADF, 0}));
}

TEST_P(KernelContractTest, AHardLinkRunsOnAfterAShortRead) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 64, 0));
  chain.Add(Close(FileRef::Slot(0)), Link::kHard);
  EXPECT_EQ(Run(chain), (Results{0, 10, 0}));
}

TEST_P(KernelContractTest, StatxTellsWhatAFileIs) {
  struct statx stat = {};
  EXPECT_EQ(Run(StatAt(AT_FDCWD, source_.c_str(), 0, &stat)), 0);
  struct stat expected = {};
  ASSERT_EQ(::stat(source_.c_str(), &expected), 0);
  EXPECT_EQ(stat.stx_size, 10u);
  EXPECT_EQ(stat.stx_mode, expected.st_mode);
  EXPECT_EQ(stat.stx_ino, expected.st_ino);
  EXPECT_EQ(stat.stx_nlink, 1u);
  EXPECT_EQ(stat.stx_mtime.tv_nsec, expected.st_mtim.tv_nsec);
}

TEST_P(KernelContractTest, AfterAFailedStatTheNextOpMayRunOrBeCancelled) {
  struct statx stat = {};
  const std::string missing = scratch_.Path("none");
  Chain chain;
  chain.Add(StatAt(AT_FDCWD, missing.c_str(), 0, &stat));
  chain.Add(StatAt(AT_FDCWD, source_.c_str(), 0, &stat));
  const Results results = Run(chain);
  EXPECT_EQ(results[0], -ENOENT);
  EXPECT_TRUE(results[1] == 0 || results[1] == -ECANCELED) << results[1];
}

TEST_P(KernelContractTest, UnlinkRemovesAName) {
  EXPECT_EQ(Run(UnlinkAt(AT_FDCWD, source_.c_str(), 0)), 0);
  EXPECT_FALSE(Exists(source_));
}

TEST_P(KernelContractTest, AHardLinkIsToALinkItselfUnlessThatIsFollowed) {
  const std::string link = scratch_.Path("link");
  const std::string name = scratch_.Path("name");
  ASSERT_EQ(symlink("source", link.c_str()), 0);
  struct statx stat = {};
  for (const bool follows : {false, true}) {
    EXPECT_EQ(Run(MakeLink(AT_FDCWD, link.c_str(), AT_FDCWD, name.c_str(),
                           follows ? AT_SYMLINK_FOLLOW : 0)),
              0);
    EXPECT_EQ(Run(StatAt(AT_FDCWD, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat)), 0);
    EXPECT_EQ(S_ISLNK(stat.stx_mode), !follows);
    ASSERT_EQ(unlink(name.c_str()), 0);
  }
}

TEST_P(KernelContractTest, NamesAreLookedUpBeneathTheDirectory) {
  const int directory = open(scratch_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT_EQ(Run(OpenAt(directory, "source", O_RDONLY, 0, FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(UnlinkAt(directory, "source", 0)), 0);
  EXPECT_FALSE(Exists(source_));
  close(directory);
}

TEST_P(KernelContractTest, AttributesAreSetAndReadByDescriptor) {
  const int fd = open(source_.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(Run(SetTimes(fd, {.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 3, .tv_nsec = 4})),
            0);
  EXPECT_EQ(Run(SetOwner(fd, getuid(), getgid())), 0);
  EXPECT_EQ(Run(SetMode(fd, 0651)), 0);
  struct statx stat = {};
  EXPECT_EQ(Run(StatDescriptor(fd, &stat)), 0);
  struct statx by_name;
  EXPECT_EQ(
      Run(AtOnce(StatAt(AT_FDCWD, "/proc/self/exe", AT_SYMLINK_NOFOLLOW, &by_name))), 0);
  EXPECT_TRUE(S_ISLNK(by_name.stx_mode));
  EXPECT_EQ(stat.stx_mode & 07777, 0651);
  EXPECT_EQ(stat.stx_atime.tv_sec, 1);
  EXPECT_EQ(stat.stx_atime.tv_nsec, 2u);
  EXPECT_EQ(stat.stx_mtime.tv_sec, 3);
  EXPECT_EQ(stat.stx_mtime.tv_nsec, 4u);
  close(fd);
  EXPECT_EQ(Run(SetMode(fd, 0600)), -EBADF);
}

TEST_P(KernelContractTest, ExtendedAttributesAreReadAndRemovedByDescriptor) {
  constexpr char kName[] = "user.ringcp";
  const int fd = open(source_.c_str(), O_RDONLY | O_CLOEXEC);
  if (setxattr(source_.c_str(), kName, "value", 5, 0) != 0) {
    close(fd);
    GTEST_SKIP() << "no extended attributes here";
  }
  const Op get = GetXattr(fd, kName, buffer_, sizeof(buffer_));
  for (const Op& op : {get, AtOnce(get)}) {
    std::memset(buffer_, 0, sizeof(buffer_));
    EXPECT_EQ(Run(op), 5);
    EXPECT_EQ(Buffer(5), "value");
  }
  EXPECT_EQ(Run(GetXattr(fd, kName, buffer_, 4)), -ERANGE);
  EXPECT_EQ(Run(GetXattr(fd, kName, nullptr, 0)), 5);  // How long it is.
  EXPECT_EQ(Run(GetXattr(fd, "user.none", buffer_, sizeof(buffer_))), -ENODATA);
  const Op set = SetXattr(fd, kName, "another", 7);
  for (const Op& op : {set, AtOnce(set)}) {
    ASSERT_EQ(fsetxattr(fd, kName, "value", 5, 0), 0);
    EXPECT_EQ(Run(op), 0);
    EXPECT_EQ(Run(get), 7);
    EXPECT_EQ(Buffer(7), "another");
  }
  close(fd);
  EXPECT_EQ(Run(get), -EBADF);
  EXPECT_EQ(Run(set), -EBADF);
}

TEST_P(KernelContractTest, AnOpenFileIsLookedAtWhateverItsNameLeadsTo) {
  const int fd = open(source_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(unlink(source_.c_str()), 0);
  scratch_.WriteFile("source", "another");
  for (const int flags : {0, AT_STATX_DONT_SYNC}) {
    struct statx stat = {};
    EXPECT_EQ(Run(StatDescriptor(fd, &stat, flags)), 0);
    EXPECT_EQ(stat.stx_size, 10u);
    EXPECT_EQ(stat.stx_nlink, 0u);
  }
  close(fd);
}

// What looks at a source and reads it; see file_copy.h.
TEST_P(KernelContractTest, AReadBehindAStatOfTheSameFileRuns) {
  const int fd = open(source_.c_str(), O_RDONLY | O_CLOEXEC);
  struct statx stat = {};
  Chain chain;
  chain.Add(StatDescriptor(fd, &stat))
      .Add(ReadAt(FileRef::Descriptor(fd), buffer_, 64, 0));
  EXPECT_EQ(Run(chain), (Results{0, 10}));
  EXPECT_EQ(stat.stx_size, 10u);
  EXPECT_EQ(Buffer(10), "0123456789");
  close(fd);
}

TEST_P(KernelContractTest, HolesAreFoundAndSizesSetByDescriptor) {
  const int fd = open(target_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(Run(SetSize(fd, 1'000'000)), 0);
  uint64_t position = 0;
  EXPECT_EQ(Run(SeekData(fd, 0, &position)), -ENXIO);
  EXPECT_EQ(Run(SeekHole(fd, 5, &position)), 0);
  EXPECT_EQ(position, 5u);
  EXPECT_EQ(Run(WriteAt(FileRef::Descriptor(fd), buffer_, 1, 999'999)), 1);
  EXPECT_EQ(Run(SeekData(fd, 0, &position)), 0);
  EXPECT_GT(position, 0u);
  EXPECT_LE(position, 999'999u);
  EXPECT_EQ(Run(SeekHole(fd, 999'999, &position)), 0);
  EXPECT_EQ(position, 1'000'000u);
  EXPECT_EQ(Run(SeekData(fd, 1'000'000, &position)), -ENXIO);
  close(fd);
  EXPECT_EQ(Run(SetSize(fd, 1)), -EBADF);
}

TEST_P(KernelContractTest, WhatIsInThePageCacheIsCounted) {
  const int fd = open(target_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string contents(100'000, 'x');
  ASSERT_EQ(write(fd, contents.data(), contents.size()),
            static_cast<ssize_t>(contents.size()));
  uint64_t bytes = 1;
  const int32_t result = Run(CountCached(fd, 0, 50'000, &bytes));
  if (result != -ENOSYS) {  // Before Linux 6.5.
    EXPECT_EQ(result, 0);
    EXPECT_GE(bytes, 50'000u);  // In whole pages.
    EXPECT_LT(bytes, 100'000u);
    EXPECT_EQ(Run(CountCached(fd, 1'000'000, 4096, &bytes)), 0);
    EXPECT_EQ(bytes, 0u);
  }
  close(fd);
  EXPECT_LT(Run(CountCached(fd, 0, 4096, &bytes)), 0);
}

TEST_P(KernelContractTest, AFileIsClonedWholeWhereTheFileSystemCan) {
  const int source = open(source_.c_str(), O_RDONLY | O_CLOEXEC);
  const int target = open(target_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int32_t result = Run(Clone(source, target));
  if (result == 0) {
    EXPECT_EQ(pread(target, buffer_, 64, 0), 10);
    EXPECT_EQ(Buffer(10), "0123456789");
  } else {
    EXPECT_EQ(result, -EOPNOTSUPP);
  }
  close(target);
  EXPECT_EQ(Run(Clone(source, target)), -EBADF);
  close(source);
}

TEST_P(KernelContractTest, AnyOpCanBeCarriedOutAtOnceAndALinkCutsThoseBehindIt) {
  const int fd = Run(AtOnce(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef())));
  ASSERT_GE(fd, 0);
  const FileRef file = FileRef::Descriptor(fd);
  struct statx stat = {};
  const Op stat_source = StatAt(AT_FDCWD, source_.c_str(), 0, &stat);
  Chain cut;
  cut.Add(AtOnce(ReadAt(file, buffer_, 64, 0)))
      .Add(AtOnce(stat_source))
      .Add(AtOnce(Close(file)), Link::kHard);
  EXPECT_EQ(Run(cut), (Results{10, -ECANCELED, -ECANCELED}));
  Chain whole;
  whole.Add(AtOnce(ReadAt(file, buffer_, 64, 0)))
      .Add(AtOnce(stat_source), Link::kHard)
      .Add(AtOnce(Close(file)));
  EXPECT_EQ(Run(whole), (Results{10, 0, 0}));
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_P(KernelContractTest, AtTheCurrentPositionPipesCanBeReadAndWritten) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  std::strcpy(buffer_, "through a pipe");
  EXPECT_EQ(Run(WriteAt(FileRef::Descriptor(ends[1]), buffer_, 14, kCurrentPosition)),
            14);
  std::memset(buffer_, 0, sizeof(buffer_));
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(ends[0]), buffer_, 7, kCurrentPosition)), 7);
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(ends[0]), buffer_ + 7, 20, kCurrentPosition)),
            7);
  EXPECT_EQ(Buffer(14), "through a pipe");
  close(ends[0]);
  close(ends[1]);
}

TEST_P(KernelContractTest, ASlotThatIsOpenedAgainHoldsTheNewFile) {
  const std::string other = scratch_.WriteFile("other", "abc");
  EXPECT_EQ(Run(open_source_), 0);
  EXPECT_EQ(Run(OpenAt(AT_FDCWD, other.c_str(), O_RDONLY, 0, FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(ReadAt(FileRef::Slot(0), buffer_, 3, 0)), 3);
  EXPECT_EQ(Buffer(3), "abc");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), -EBADF);
}

TEST_P(KernelContractTest, AnInstalledDescriptorOutlivesItsSlot) {
  if (!kernel_->can_install_descriptor()) return;  // Nothing is promised then.
  EXPECT_EQ(Run(open_source_), 0);
  const int fd = Run(InstallDescriptor(FileRef::Slot(0)));
  ASSERT_GE(fd, 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(pread(fd, buffer_, 10, 0), 10);
  close(fd);
  EXPECT_EQ(Run(InstallDescriptor(FileRef::Slot(0))), -EBADF);
}

TEST_P(KernelContractTest, ChainsBeyondItsRoomAreRefusedWholeUntilOthersHaveSettled) {
  constexpr uint32_t kChains = 5000;
  std::vector<struct statx> stats(kChains);
  std::map<uint32_t, int> times_settled;
  uint32_t queued = 0;
  int refusals = 0;
  const absl::Time deadline = absl::Now() + kLimit;
  while (times_settled.size() < kChains && absl::Now() < deadline) {
    for (; queued < kChains; ++queued) {
      Chain chain;
      chain.Add(StatAt(AT_FDCWD, source_.c_str(), 0, &stats[queued]));
      chain.Add(StatAt(AT_FDCWD, target_.c_str(), 0, &stats[queued]));
      const int before = kernel_->chains_in_flight();
      const bool accepted = kernel_->Queue(ChainId{queued}, chain.ops());
      ASSERT_EQ(kernel_->chains_in_flight(), before + (accepted ? 1 : 0));
      if (!accepted) {
        ASSERT_GT(before, 0) << "refused with nothing in flight";
        ++refusals;
        break;
      }
    }
    std::vector<ChainResults> settled;
    kernel_->Wait(kLimit, &settled);
    for (const ChainResults& chain : settled) {
      ASSERT_EQ(++times_settled[chain.id.value], 1);
      ASSERT_EQ(chain.size, 2);
      ASSERT_EQ(chain.results()[0], 0);
      ASSERT_EQ(stats[chain.id.value].stx_size, 10u);
    }
  }
  EXPECT_EQ(times_settled.size(), kChains);
  EXPECT_GT(refusals, 0);
  EXPECT_EQ(kernel_->chains_in_flight(), 0);
}

TEST_P(KernelContractTest, WithNothingInFlightItWaitsUntilAnotherThreadWakesIt) {
  const absl::Time start = absl::Now();
  std::thread other([this] { kernel_->Wake(); });
  std::vector<ChainResults> settled;
  kernel_->Wait(kLimit, &settled);
  other.join();
  EXPECT_TRUE(settled.empty());
  EXPECT_LT(absl::Now() - start, kLimit / 2);
}

TEST_P(KernelContractTest, AWakeThatCameTooEarlyEndsTheNextWait) {
  const absl::Time start = absl::Now();
  std::vector<ChainResults> settled;
  kernel_->Wake();
  kernel_->Wake();
  kernel_->Wait(kLimit, &settled);
  EXPECT_LT(absl::Now() - start, kLimit / 2);
  // Both were one.
  constexpr absl::Duration kShort = absl::Milliseconds(1);
  const absl::Time before = absl::Now();
  kernel_->Wait(kShort, &settled);
  EXPECT_GE(absl::Now() - before, kShort);
  EXPECT_TRUE(settled.empty());
}

TEST_P(KernelContractTest, CountersAddUpWhatWasQueued) {
  Run(Chain().Add(open_source_).Add(Close(FileRef::Slot(0))));
  Run(Chain().Add(UnlinkAt(AT_FDCWD, source_.c_str(), 0)));
  const KernelCounters counters = kernel_->counters();
  EXPECT_EQ(counters.chains, 2);
  // Either it has a queue or it makes system calls.
  EXPECT_EQ(counters.sqes + counters.at_once, 3);
  EXPECT_TRUE(counters.sqes == 0 || counters.at_once == 0);
  // SQPOLL's thread might submit a part of a chain, and then the rest.
  const bool links = counters.sqes > 0 && std::string(GetParam().name) != "UringSqpoll";
  EXPECT_EQ(counters.linked, links ? 1 : 0);
}

TEST_P(KernelContractTest, AStatOfAnOpenFileAndItsSizeCanBeQueuedToo) {
  const std::string file = scratch_.WriteFile("file", "0123456789");
  const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  struct statx before = {};
  struct statx after = {};
  Chain chain;
  chain.Add(StatDescriptor(fd, &before));
  if (kernel_->can_queue_truncate()) chain.Add(SetSize(fd, 4));
  chain.Add(StatDescriptor(fd, &after))
      .Add(ReadAt(FileRef::Descriptor(fd), buffer_, 1, 3));
  ASSERT_TRUE(kernel_->Queue(ChainId{1}, chain.ops()));
  const Results results = SettleAll()[1];
  ASSERT_EQ(results.size(), static_cast<size_t>(chain.size()));
  EXPECT_EQ(results.front(), 0);
  EXPECT_EQ(results[results.size() - 2], 0);
  EXPECT_EQ(results.back(), 1);
  EXPECT_EQ(before.stx_size, 10u);
  EXPECT_EQ(after.stx_size, kernel_->can_queue_truncate() ? 4u : 10u);
  close(fd);
  // An error is the system call's.
  ASSERT_TRUE(kernel_->Queue(ChainId{2}, Chain().Add(StatDescriptor(fd, &after)).ops()));
  EXPECT_EQ(SettleAll()[2], (Results{-EBADF}));
  if (!kernel_->can_queue_truncate()) return;
  ASSERT_TRUE(kernel_->Queue(ChainId{3}, Chain().Add(SetSize(fd, 0)).ops()));
  EXPECT_EQ(SettleAll()[3], (Results{-EBADF}));
}

TEST_P(KernelContractTest, APolledReadOrWriteIsCarriedOutOrRefused) {
  constexpr uint32_t kPage = sizeof(Page::bytes);
  // Not on the stack: AddressSanitizer's is aligned to less.
  const auto pages = std::make_unique<Page>();
  char* const page = pages->bytes;
  const std::string path = scratch_.WriteFile("pages", std::string(2 * kPage, 'p'));
  const int fd = open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no O_DIRECT here";
  const FileRef file = FileRef::Descriptor(fd);
  const bool polls = std::string(GetParam().name) == "UringIopoll";
  for (Op op : {ReadAt(file, page, kPage, kPage), WriteAt(file, page, kPage, 0)}) {
    op.io.polled = true;
    const int32_t result = Run(op);
    EXPECT_TRUE(result == kPage || (result == -EOPNOTSUPP && polls)) << result;
    // On a ring that polls it was the polling that was refused.
    op.io.polled = false;
    EXPECT_EQ(Run(op), static_cast<int32_t>(kPage));
    EXPECT_EQ(page[0], 'p');
  }
  EXPECT_EQ(kernel_->counters().polled, polls ? 2 : 0);
  close(fd);
}

// Neither kind may keep the other from settling.
TEST_P(KernelContractTest, PolledChainsAndOthersSettleBesideEachOther) {
  constexpr uint32_t kPage = sizeof(Page::bytes);
  constexpr uint32_t kChains = 40;
  std::vector<Page> pages(kChains);
  const std::string path = scratch_.WriteFile("pages", std::string(kPage, 'p'));
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no O_DIRECT here";
  std::vector<struct statx> stats(kChains);
  for (uint32_t i = 0; i < kChains; ++i) {
    Op op = StatAt(AT_FDCWD, path.c_str(), 0, &stats[i]);
    if (i % 2 == 0) {
      op = ReadAt(FileRef::Descriptor(fd), pages[i].bytes, kPage, 0);
      op.io.polled = true;
    }
    std::vector<ChainResults> settled;
    while (!kernel_->Queue(ChainId{i}, Chain().Add(op).ops())) {
      kernel_->Wait(kLimit, &settled);
    }
    const absl::Time start = absl::Now();
    kernel_->Wait(absl::ZeroDuration(), &settled);
    EXPECT_LT(absl::Now() - start, kLimit / 2);
  }
  SettleAll();
  for (uint32_t i = 1; i < kChains; i += 2) EXPECT_EQ(stats[i].stx_size, kPage);
  close(fd);
}

INSTANTIATE_TEST_SUITE_P(Rings, KernelContractTest,
                         testing::ValuesIn(KernelImplementations()), KernelName);

TEST(UringKernelTest, CountsWhatItMakesSystemCallsOfThoughItHasAnOpcode) {
  std::string why_not;
  const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
  if (kernel == nullptr) GTEST_SKIP() << why_not;
  const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct statx stat;
  kernel->RunAtOnce({}, Chain().Add(StatDescriptor(fd, &stat)).ops());
  kernel->RunAtOnce({}, Chain().Add(SetSize(fd, 0)).ops());
  kernel->RunAtOnce({}, Chain().Add(SetMode(fd, 0666)).ops());  // Has none.
  EXPECT_EQ(kernel->counters().at_once, 3);
  EXPECT_EQ(kernel->counters().at_once_with_opcode, kernel->can_queue_truncate() ? 2 : 1);
  EXPECT_EQ(kernel->counters().sqes, 0);
  close(fd);
}

TEST(UringKernelTest, SettleReturnsAfterItsTimeoutWhileAnOpBlocks) {
  std::string why_not;
  const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
  if (kernel == nullptr) GTEST_SKIP() << why_not;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  char byte = 0;
  const Op read = ReadAt(FileRef::Descriptor(ends[0]), &byte, 1, kCurrentPosition);
  ASSERT_TRUE(kernel->Queue(ChainId{1}, Chain().Add(read).ops()));
  std::vector<ChainResults> settled;
  kernel->Wait(absl::Milliseconds(1), &settled);
  EXPECT_TRUE(settled.empty());
  EXPECT_EQ(kernel->chains_in_flight(), 1);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  while (settled.empty()) kernel->Wait(absl::Seconds(60), &settled);
  EXPECT_EQ(settled[0].results()[0], 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace ringcp
