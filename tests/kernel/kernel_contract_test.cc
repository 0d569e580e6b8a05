// Tests every implementation for what core/kernel/kernel.h promises. Errors are in
// kernel_errors_test.cc.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"
#include "tests/simulation/lone_sim_kernel.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

class KernelContractTest : public KernelTest {
 protected:
  // The ends of a pipe: for reading, for writing.
  std::pair<int, int> OpenPipe() {
    const std::string pipe = Path("pipe");
    EXPECT_EQ(kernel_->Do(MakeNode(AT_FDCWD, pipe.c_str(), S_IFIFO | 0600, 0)), 0);
    const int reader = Open(pipe, O_RDONLY | O_NONBLOCK);
    return {reader, Open(pipe, O_WRONLY)};
  }

  // Has kernel_ be woken, most likely while it waits: by another thread or, in a
  // simulation, which has one, at a later time.
  void WakeSoon() {
    if (GetParam().is_simulated) {
      static_cast<LoneSimKernel*>(kernel_.get())
          ->its_world()
          ->At(kernel_->Now() + std::chrono::milliseconds(1),
               [this] { kernel_->Wake(); });
    } else {
      waker_ = std::thread([this] { kernel_->Wake(); });
    }
  }
  void AwaitWaker() {
    if (waker_.joinable()) waker_.join();
  }

 private:
  std::thread waker_;
};

// Aligned as O_DIRECT requires.
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
  chain.Add(Close(FileRef::Slot(1))).Add(Close(FileRef::Slot(0)), Tie::kHard);
  EXPECT_EQ(chain.size(), Chain::kOpsMax);
  EXPECT_EQ(Run(chain), (Results{0, 0, 0, 10, 10, 0, 0}));
  EXPECT_EQ(Contents(target_), "0123456789");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), -EBADF);
  EXPECT_EQ(Run(Close(FileRef::Slot(1))), -EBADF);
}

TEST_P(KernelContractTest, WithoutASlotAnOpenGivesADescriptorOfTheProcess) {
  const int fd = Run(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef()));
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(IsClosedByExec(fd));
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(fd), buffer_, 4, 3)), 4);
  EXPECT_EQ(Buffer(4), "3456");
  EXPECT_EQ(Run(Close(FileRef::Descriptor(fd))), 0);
  EXPECT_FALSE(IsOpen(fd));
}

TEST_P(KernelContractTest, AFailedOpenCancelsTheRest) {
  const std::string missing = Path("none");
  Chain chain;
  chain.Add(OpenAt(AT_FDCWD, missing.c_str(), O_RDONLY, 0, FileRef::Slot(0)));
  chain.Add(ReadAt(FileRef::Slot(0), buffer_, 10, 0));
  chain.Add(Close(FileRef::Slot(0))).Add(Close(FileRef::Slot(1)), Tie::kHard);
  EXPECT_EQ(Run(chain), (Results{-ENOENT, -ECANCELED, -ECANCELED, -ECANCELED}));
}

TEST_P(KernelContractTest, AShortReadSeversTheChain) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 11, 0));
  chain.Add(Close(FileRef::Slot(0)));
  EXPECT_EQ(Run(chain), (Results{0, 10, -ECANCELED}));
  EXPECT_EQ(Buffer(10), "0123456789");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
}

TEST_P(KernelContractTest, AnEmptyReadSeversTheChain) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 1, 10));
  chain.Add(Close(FileRef::Slot(0)));
  EXPECT_EQ(Run(chain), (Results{0, 0, -ECANCELED}));
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
}

TEST_P(KernelContractTest, AShortWriteSeversTheChain) {
  LimitFileSize(6);
  Chain chain;
  chain.Add(open_target_).Add(WriteAt(FileRef::Slot(1), buffer_, 10, 0));
  chain.Add(Close(FileRef::Slot(1)));
  const Results results = Run(chain);
  LimitFileSize(std::nullopt);
  EXPECT_EQ(results, (Results{0, 6, -ECANCELED}));
  EXPECT_EQ(Run(Close(FileRef::Slot(1))), 0);
}

TEST_P(KernelContractTest, AHardTieOutlastsAFailure) {
  Chain chain;
  chain.Add(open_source_).Add(Close(FileRef::Slot(1)));  // That slot is empty.
  chain.Add(Close(FileRef::Slot(0)), Tie::kHard);
  EXPECT_EQ(Run(chain), (Results{0, -EBADF, 0}));
}

TEST_P(KernelContractTest, AHardTieOutlastsAShortRead) {
  Chain chain;
  chain.Add(open_source_).Add(ReadAt(FileRef::Slot(0), buffer_, 64, 0));
  chain.Add(Close(FileRef::Slot(0)), Tie::kHard);
  EXPECT_EQ(Run(chain), (Results{0, 10, 0}));
}

TEST_P(KernelContractTest, StatxTellsWhatAFileIs) {
  const int fd = Open(source_, O_RDONLY);
  ASSERT_EQ(kernel_->Do(SetMode(fd, 0640)), 0);
  ASSERT_EQ(kernel_->Do(SetTimes(FileRef::Descriptor(fd), {.tv_sec = 1, .tv_nsec = 2},
                                 {.tv_sec = 3, .tv_nsec = 4})),
            0);
  struct statx of_descriptor = {};
  ASSERT_EQ(kernel_->Stat(fd, &of_descriptor), 0);
  kernel_->Close(fd);
  struct statx stat = {};
  EXPECT_EQ(Run(StatAt(AT_FDCWD, source_.c_str(), 0, &stat)), 0);
  EXPECT_EQ(stat.stx_size, 10u);
  EXPECT_EQ(stat.stx_mode, S_IFREG | 0640);
  EXPECT_NE(stat.stx_ino, 0u);
  EXPECT_EQ(stat.stx_ino, of_descriptor.stx_ino);
  EXPECT_EQ(stat.stx_dev_minor, of_descriptor.stx_dev_minor);
  EXPECT_EQ(stat.stx_nlink, 1u);
  EXPECT_EQ(stat.stx_mtime.tv_sec, 3);
  EXPECT_EQ(stat.stx_mtime.tv_nsec, 4u);
}

TEST_P(KernelContractTest, AfterAFailedStatTheNextOpMayRunOrBeCancelled) {
  struct statx stat = {};
  const std::string missing = Path("none");
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
  const std::string link = Path("link");
  const std::string name = Path("name");
  ASSERT_EQ(kernel_->Do(MakeSymlink("source", AT_FDCWD, link.c_str())), 0);
  struct statx stat = {};
  for (const bool follows : {false, true}) {
    EXPECT_EQ(Run(MakeLink(AT_FDCWD, link.c_str(), AT_FDCWD, name.c_str(),
                           follows ? AT_SYMLINK_FOLLOW : 0)),
              0);
    EXPECT_EQ(Run(StatAt(AT_FDCWD, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat)), 0);
    EXPECT_EQ(S_ISLNK(stat.stx_mode), !follows);
    ASSERT_EQ(kernel_->Do(UnlinkAt(AT_FDCWD, name.c_str(), 0)), 0);
  }
}

TEST_P(KernelContractTest, NamesAreLookedUpBeneathTheDirectory) {
  const int directory = Open(scratch_.path(), O_PATH | O_DIRECTORY);
  EXPECT_EQ(Run(OpenAt(directory, "source", O_RDONLY, 0, FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(UnlinkAt(directory, "source", 0)), 0);
  EXPECT_FALSE(Exists(source_));
  kernel_->Close(directory);
}

TEST_P(KernelContractTest, AttributesAreSetAndReadByDescriptor) {
  const int fd = Open(source_, O_RDONLY);
  EXPECT_EQ(Run(SetTimes(FileRef::Descriptor(fd), {.tv_sec = 1, .tv_nsec = 2},
                         {.tv_sec = 3, .tv_nsec = 4})),
            0);
  EXPECT_EQ(Run(SetOwner(FileRef::Descriptor(fd), getuid(), getgid())), 0);
  EXPECT_EQ(Run(SetMode(fd, 0651)), 0);
  struct statx stat = {};
  EXPECT_EQ(Run(StatDescriptor(fd, &stat)), 0);
  const std::string link = Path("link");
  ASSERT_EQ(kernel_->Do(MakeSymlink("source", AT_FDCWD, link.c_str())), 0);
  struct statx by_name;
  EXPECT_EQ(Run(AtOnce(StatAt(AT_FDCWD, link.c_str(), AT_SYMLINK_NOFOLLOW, &by_name))),
            0);
  EXPECT_TRUE(S_ISLNK(by_name.stx_mode));
  EXPECT_EQ(stat.stx_mode & 07777, 0651);
  EXPECT_EQ(stat.stx_atime.tv_sec, 1);
  EXPECT_EQ(stat.stx_atime.tv_nsec, 2u);
  EXPECT_EQ(stat.stx_mtime.tv_sec, 3);
  EXPECT_EQ(stat.stx_mtime.tv_nsec, 4u);
  kernel_->Close(fd);
  EXPECT_EQ(Run(SetMode(fd, 0600)), -EBADF);
}

TEST_P(KernelContractTest, ExtendedAttributesAreReadAndRemovedByDescriptor) {
  constexpr char kName[] = "user.ringcp";
  const int fd = Open(source_, O_RDONLY);
  if (kernel_->Do(SetXattr(FileRef::Descriptor(fd), kName, "value", 5)) != 0) {
    kernel_->Close(fd);
    GTEST_SKIP() << "no extended attributes here";
  }
  const Op get = GetXattr(FileRef::Descriptor(fd), kName, buffer_, sizeof(buffer_));
  for (const Op& op : {get, AtOnce(get)}) {
    std::memset(buffer_, 0, sizeof(buffer_));
    EXPECT_EQ(Run(op), 5);
    EXPECT_EQ(Buffer(5), "value");
  }
  EXPECT_EQ(Run(GetXattr(FileRef::Descriptor(fd), kName, buffer_, 4)), -ERANGE);
  EXPECT_EQ(Run(GetXattr(FileRef::Descriptor(fd), kName, nullptr, 0)),
            5);  // The value's length.
  EXPECT_EQ(Run(GetXattr(FileRef::Descriptor(fd), "user.none", buffer_, sizeof(buffer_))),
            -ENODATA);
  const Op set = SetXattr(FileRef::Descriptor(fd), kName, "another", 7);
  for (const Op& op : {set, AtOnce(set)}) {
    ASSERT_EQ(kernel_->Do(SetXattr(FileRef::Descriptor(fd), kName, "value", 5)), 0);
    EXPECT_EQ(Run(op), 0);
    EXPECT_EQ(Run(get), 7);
    EXPECT_EQ(Buffer(7), "another");
  }
  kernel_->Close(fd);
  EXPECT_EQ(Run(get), -EBADF);
  EXPECT_EQ(Run(set), -EBADF);
}

TEST_P(KernelContractTest, AnOpenFileIsLookedAtWhateverItsNameLeadsTo) {
  const int fd = Open(source_, O_RDONLY);
  ASSERT_EQ(kernel_->Do(UnlinkAt(AT_FDCWD, source_.c_str(), 0)), 0);
  WriteFile("source", "another");
  for (const int flags : {0, AT_STATX_DONT_SYNC}) {
    struct statx stat = {};
    EXPECT_EQ(Run(StatDescriptor(fd, &stat, flags)), 0);
    EXPECT_EQ(stat.stx_size, 10u);
    EXPECT_EQ(stat.stx_nlink, 0u);
  }
  kernel_->Close(fd);
}

// A copy looks at a source and reads it with such a chain; see file_copy.h.
TEST_P(KernelContractTest, AReadBehindAStatOfTheSameFileRuns) {
  const int fd = Open(source_, O_RDONLY);
  struct statx stat = {};
  Chain chain;
  chain.Add(StatDescriptor(fd, &stat))
      .Add(ReadAt(FileRef::Descriptor(fd), buffer_, 64, 0));
  EXPECT_EQ(Run(chain), (Results{0, 10}));
  EXPECT_EQ(stat.stx_size, 10u);
  EXPECT_EQ(Buffer(10), "0123456789");
  kernel_->Close(fd);
}

TEST_P(KernelContractTest, HolesAreFoundAndSizesSetByDescriptor) {
  const int fd = Open(target_, O_RDWR | O_CREAT);
  EXPECT_EQ(Run(SetSize(FileRef::Descriptor(fd), 1'000'000)), 0);
  uint64_t position = 0;
  EXPECT_EQ(Run(SeekData(FileRef::Descriptor(fd), 0, &position)), -ENXIO);
  EXPECT_EQ(Run(SeekHole(FileRef::Descriptor(fd), 5, &position)), 0);
  EXPECT_EQ(position, 5u);
  EXPECT_EQ(Run(WriteAt(FileRef::Descriptor(fd), buffer_, 1, 999'999)), 1);
  EXPECT_EQ(Run(SeekData(FileRef::Descriptor(fd), 0, &position)), 0);
  EXPECT_GT(position, 0u);
  EXPECT_LE(position, 999'999u);
  EXPECT_EQ(Run(SeekHole(FileRef::Descriptor(fd), 999'999, &position)), 0);
  EXPECT_EQ(position, 1'000'000u);
  EXPECT_EQ(Run(SeekData(FileRef::Descriptor(fd), 1'000'000, &position)), -ENXIO);
  kernel_->Close(fd);
  EXPECT_EQ(Run(SetSize(FileRef::Descriptor(fd), 1)), -EBADF);
}

TEST_P(KernelContractTest, WhatIsInThePageCacheIsCounted) {
  const int fd = Open(target_, O_RDWR | O_CREAT);
  std::string contents(100'000, 'x');
  ASSERT_EQ(kernel_->Do(WriteAt(FileRef::Descriptor(fd), contents.data(), 100'000, 0)),
            100'000);
  uint64_t bytes = 1;
  const int32_t result = Run(CountCached(FileRef::Descriptor(fd), 0, 50'000, &bytes));
  if (result != -ENOSYS) {  // ENOSYS comes from kernels before Linux 6.5.
    EXPECT_EQ(result, 0);
    EXPECT_GE(bytes, 50'000u);  // Whole pages are counted.
    EXPECT_LT(bytes, 100'000u);
    EXPECT_EQ(Run(CountCached(FileRef::Descriptor(fd), 1'000'000, 4096, &bytes)), 0);
    EXPECT_EQ(bytes, 0u);
  }
  kernel_->Close(fd);
  EXPECT_LT(Run(CountCached(FileRef::Descriptor(fd), 0, 4096, &bytes)), 0);
}

TEST_P(KernelContractTest, AFileIsClonedWholeWhereTheFileSystemCan) {
  const int source = Open(source_, O_RDONLY);
  const int target = Open(target_, O_RDWR | O_CREAT);
  const int32_t result =
      Run(Clone(FileRef::Descriptor(source), FileRef::Descriptor(target)));
  if (result == 0) {
    EXPECT_EQ(kernel_->Do(ReadAt(FileRef::Descriptor(target), buffer_, 64, 0)), 10);
    EXPECT_EQ(Buffer(10), "0123456789");
  } else {
    EXPECT_EQ(result, -EOPNOTSUPP);
  }
  kernel_->Close(target);
  EXPECT_EQ(Run(Clone(FileRef::Descriptor(source), FileRef::Descriptor(target))), -EBADF);
  kernel_->Close(source);
}

TEST_P(KernelContractTest, ARangeIsCopiedToTheSamePlaceAsFarAsTheSourceReaches) {
  const int source = Open(source_, O_RDONLY);
  const int target = Open(target_, O_RDWR | O_CREAT);
  const FileRef from = FileRef::Descriptor(source);
  const FileRef to = FileRef::Descriptor(target);
  const int32_t result = Run(CopyRange(from, to, 2, 3));
  // Linux between 5.12 and 5.19 refuses it on file systems without an operation for it.
  if (result != -EOPNOTSUPP) {
    EXPECT_EQ(result, 3);
    EXPECT_EQ(kernel_->Do(ReadAt(to, buffer_, 64, 0)), 5);
    EXPECT_EQ(Buffer(5), std::string(2, '\0') + "234");
    EXPECT_EQ(Run(CopyRange(from, to, 4, 1000)), 6);
    EXPECT_EQ(kernel_->Do(ReadAt(to, buffer_, 64, 4)), 6);
    EXPECT_EQ(Buffer(6), "456789");
    EXPECT_EQ(Run(CopyRange(from, to, 10, 1000)), 0);
  }
  Chain chain;
  chain.Add(WriteBack(from)).Add(CopyRange(from, to, 0, 10));
  EXPECT_EQ(Run(chain), (Results{0, result == -EOPNOTSUPP ? result : 10}));
  kernel_->Close(target);
  EXPECT_EQ(Run(CopyRange(from, to, 0, 10)), -EBADF);
  EXPECT_EQ(Run(CopyRange(to, from, 0, 10)), -EBADF);
  kernel_->Close(source);
}

TEST_P(KernelContractTest, AnyOpCanBeCarriedOutAtOnceAndASoftTieSeversTheRest) {
  const int fd = Run(AtOnce(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef())));
  ASSERT_GE(fd, 0);
  const FileRef file = FileRef::Descriptor(fd);
  struct statx stat = {};
  const Op stat_source = StatAt(AT_FDCWD, source_.c_str(), 0, &stat);
  Chain cut;
  cut.Add(AtOnce(ReadAt(file, buffer_, 64, 0)))
      .Add(AtOnce(stat_source))
      .Add(AtOnce(Close(file)), Tie::kHard);
  EXPECT_EQ(Run(cut), (Results{10, -ECANCELED, -ECANCELED}));
  Chain whole;
  whole.Add(AtOnce(ReadAt(file, buffer_, 64, 0)))
      .Add(AtOnce(stat_source), Tie::kHard)
      .Add(AtOnce(Close(file)));
  EXPECT_EQ(Run(whole), (Results{10, 0, 0}));
  EXPECT_FALSE(IsOpen(fd));
}

TEST_P(KernelContractTest, AtTheCurrentPositionPipesCanBeReadAndWritten) {
  const std::string pipe = Path("pipe");
  ASSERT_EQ(kernel_->Do(MakeNode(AT_FDCWD, pipe.c_str(), S_IFIFO | 0600, 0)), 0);
  const int reader = Open(pipe, O_RDONLY | O_NONBLOCK);
  const int writer = Open(pipe, O_WRONLY);
  std::strcpy(buffer_, "through a pipe");
  EXPECT_EQ(Run(WriteAt(FileRef::Descriptor(writer), buffer_, 14, kCurrentPosition)), 14);
  std::memset(buffer_, 0, sizeof(buffer_));
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(reader), buffer_, 7, kCurrentPosition)), 7);
  EXPECT_EQ(Run(ReadAt(FileRef::Descriptor(reader), buffer_ + 7, 20, kCurrentPosition)),
            7);
  EXPECT_EQ(Buffer(14), "through a pipe");
  kernel_->Close(reader);
  kernel_->Close(writer);
}

TEST_P(KernelContractTest, ASlotThatIsOpenedAgainHoldsTheNewFile) {
  const std::string other = WriteFile("other", "abc");
  EXPECT_EQ(Run(open_source_), 0);
  EXPECT_EQ(Run(OpenAt(AT_FDCWD, other.c_str(), O_RDONLY, 0, FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(ReadAt(FileRef::Slot(0), buffer_, 3, 0)), 3);
  EXPECT_EQ(Buffer(3), "abc");
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), -EBADF);
}

TEST_P(KernelContractTest, AnInstalledDescriptorOutlivesItsSlot) {
  if (!kernel_->can_install_descriptor()) return;  // Then nothing is promised.
  EXPECT_EQ(Run(open_source_), 0);
  const int fd = Run(InstallDescriptor(FileRef::Slot(0)));
  ASSERT_GE(fd, 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
  EXPECT_TRUE(IsClosedByExec(fd));
  EXPECT_EQ(kernel_->Do(ReadAt(FileRef::Descriptor(fd), buffer_, 10, 0)), 10);
  kernel_->Close(fd);
  EXPECT_EQ(Run(InstallDescriptor(FileRef::Slot(0))), -EBADF);
}

TEST_P(KernelContractTest, ChainsBeyondItsRoomAreRefusedWholeUntilOthersHaveSettled) {
  constexpr uint32_t kChains = 5000;
  std::vector<struct statx> stats(kChains);
  std::map<uint32_t, int> times_settled;
  uint32_t queued = 0;
  int refusals = 0;
  const SteadyTime deadline = kernel_->Now() + absl::ToChronoNanoseconds(kLimit);
  while (times_settled.size() < kChains && kernel_->Now() < deadline) {
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

TEST_P(KernelContractTest, WithNothingInFlightItWaitsUntilSomebodyWakesIt) {
  const SteadyTime start = kernel_->Now();
  WakeSoon();
  std::vector<ChainResults> settled;
  kernel_->Wait(kLimit, &settled);
  AwaitWaker();
  EXPECT_TRUE(settled.empty());
  EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
}

TEST_P(KernelContractTest, AWakeUpThatCameEarlyEndsTheNextWait) {
  const SteadyTime start = kernel_->Now();
  std::vector<ChainResults> settled;
  kernel_->Wake();
  kernel_->Wake();
  kernel_->Wait(kLimit, &settled);
  EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
  // The two wake-ups counted as one.
  constexpr absl::Duration kShort = absl::Milliseconds(1);
  const SteadyTime before = kernel_->Now();
  kernel_->Wait(kShort, &settled);
  EXPECT_GE(kernel_->Now() - before, absl::ToChronoNanoseconds(kShort));
  EXPECT_TRUE(settled.empty());
}

TEST_P(KernelContractTest, AChainThatMayAskGivesTheSameResultsWhereverItRuns) {
  const int fd = Open(source_, O_RDONLY);
  for (int i = 0; i < 50; ++i) {
    Chain chain;
    chain.Add(ReadAt(FileRef::Descriptor(fd), buffer_, 4, 3));
    chain.SetAtOnce(/*may_ask=*/true);
    ChainResults results;
    Results seen;
    if (kernel_->Submit(ChainId{1}, chain.ops(), &results) == Submitted::kCarriedOut) {
      seen.assign(results.results().begin(), results.results().end());
    } else {
      seen = SettleAll()[1];
    }
    EXPECT_EQ(seen, (Results{4}));
    EXPECT_EQ(Buffer(4), "3456");
  }
  kernel_->Close(fd);
}

TEST_P(KernelContractTest, AWakeEndsAWaitWhateverIsInFlight) {
  const auto [reader, writer] = OpenPipe();
  constexpr int kMilliseconds = 2 * 60 * 1000;
  ASSERT_TRUE(kernel_->Queue(
      ChainId{1},
      Chain().Add(Poll(FileRef::Descriptor(reader), POLLIN, kMilliseconds)).ops()));
  const bool has_room = kernel_->Queue(
      ChainId{2},
      Chain().Add(Poll(FileRef::Descriptor(reader), POLLIN, kMilliseconds)).ops());
  const int chains = has_room ? 2 : 1;
  std::vector<ChainResults> settled;
  for (int i = 0; i < 30 && !HasFailure(); ++i) {
    const SteadyTime start = kernel_->Now();
    WakeSoon();
    kernel_->Wait(kLimit, &settled);
    AwaitWaker();
    EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
    EXPECT_EQ(kernel_->chains_in_flight(), chains);
  }
  // What has woken it once does so no more.
  constexpr absl::Duration kShort = absl::Milliseconds(5);
  const SteadyTime start = kernel_->Now();
  kernel_->Wait(kShort, &settled);
  EXPECT_GE(kernel_->Now() - start, absl::ToChronoNanoseconds(kShort));
  EXPECT_TRUE(settled.empty());
  kernel_->Close(writer);  // Which is an end to be read.
  for (const auto& [id, results] : SettleAll()) EXPECT_EQ(results, (Results{1}));
  kernel_->Close(reader);
}

TEST_P(KernelContractTest, AWakeBeforeAWaitWithAChainInFlightEndsIt) {
  const auto [reader, writer] = OpenPipe();
  ASSERT_TRUE(kernel_->Queue(
      ChainId{1},
      Chain()
          .Add(Poll(FileRef::Descriptor(reader), POLLIN, /*milliseconds_max=*/100'000))
          .ops()));
  kernel_->Wake();
  const SteadyTime start = kernel_->Now();
  std::vector<ChainResults> settled;
  kernel_->Wait(kLimit, &settled);
  EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
  EXPECT_TRUE(settled.empty());
  kernel_->Close(writer);
  EXPECT_EQ(SettleAll()[1], (Results{1}));
  kernel_->Close(reader);
}

TEST_P(KernelContractTest, AQueuedPollEndsWhenItsFileIsReady) {
  const auto [reader, writer] = OpenPipe();
  constexpr int kMilliseconds = 60 * 1000;
  EXPECT_EQ(Run(Poll(FileRef::Descriptor(writer), POLLOUT, kMilliseconds)), 1);
  ASSERT_TRUE(kernel_->Queue(
      ChainId{1},
      Chain().Add(Poll(FileRef::Descriptor(reader), POLLIN, kMilliseconds)).ops()));
  std::vector<ChainResults> settled;
  kernel_->Wait(absl::Milliseconds(1), &settled);
  EXPECT_TRUE(settled.empty());
  EXPECT_EQ(
      kernel_->Do(WriteAt(FileRef::Descriptor(writer), buffer_, 1, kCurrentPosition)), 1);
  EXPECT_EQ(SettleAll()[1], (Results{1}));
  kernel_->Close(writer);
  kernel_->Close(reader);
}

TEST_P(KernelContractTest, AQueuedPollEndsWhenItsTimeIsOver) {
  const auto [reader, writer] = OpenPipe();
  for (const int milliseconds : {0, 5}) {
    const SteadyTime start = kernel_->Now();
    EXPECT_EQ(Run(Poll(FileRef::Descriptor(reader), POLLIN, milliseconds)), 0);
    EXPECT_GE(kernel_->Now() - start, std::chrono::milliseconds(milliseconds));
    EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
  }
  kernel_->Close(writer);
  kernel_->Close(reader);
}

TEST_P(KernelContractTest, WhatNobodyHasToWaitForIsReady) {
  constexpr int kMilliseconds = 60 * 1000;
  const int fd = Open(source_, O_RDWR);
  EXPECT_EQ(Run(Poll(FileRef::Descriptor(fd), POLLIN, kMilliseconds)), 1);
  EXPECT_EQ(Run(Poll(FileRef::Descriptor(fd), POLLOUT, kMilliseconds)), 1);
  kernel_->Close(fd);
  EXPECT_EQ(Run(Poll(FileRef::Descriptor(fd), POLLIN, kMilliseconds)), 1);
}

TEST_P(KernelContractTest, APollThatTakesLongKeepsNoOtherChainFromSettling) {
  const auto [reader, writer] = OpenPipe();
  constexpr uint32_t kPolls = 20;
  uint32_t polls = 0;
  for (; polls < kPolls; ++polls) {
    const Op poll =
        Poll(FileRef::Descriptor(reader), POLLIN, /*milliseconds_max=*/100'000);
    if (!kernel_->Queue(ChainId{polls}, Chain().Add(poll).ops())) break;
  }
  struct statx stat = {};
  const Op look = StatAt(AT_FDCWD, source_.c_str(), 0, &stat);
  if (kernel_->Queue(ChainId{kPolls}, Chain().Add(look).ops())) {
    const SteadyTime start = kernel_->Now();
    std::vector<ChainResults> settled;
    while (settled.empty()) kernel_->Wait(kLimit, &settled);
    EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
    ASSERT_EQ(settled.size(), 1u);
    EXPECT_EQ(settled[0].id, ChainId{kPolls});
  }
  kernel_->Close(writer);
  EXPECT_EQ(SettleAll().size(), polls);
  kernel_->Close(reader);
}

// Those without an opcode make a chain go to a helper thread, where there are any.
TEST_P(KernelContractTest, ChainsOfAnyOpsCanBeQueued) {
  const int fd = Open(source_, O_RDWR);
  struct statx stat = {};
  const Op set_times = SetTimes(FileRef::Descriptor(fd), {.tv_sec = 1, .tv_nsec = 0},
                                {.tv_sec = 3, .tv_nsec = 4});
  Chain chain;
  chain.Add(SetMode(fd, 0604)).Add(set_times).Add(StatDescriptor(fd, &stat));
  chain.Add(ReadAt(FileRef::Descriptor(fd), buffer_, 10, 0));
  ASSERT_TRUE(kernel_->Queue(ChainId{1}, chain.ops()));
  EXPECT_EQ(kernel_->chains_in_flight(), 1);
  EXPECT_EQ(SettleAll()[1], (Results{0, 0, 0, 10}));
  EXPECT_EQ(stat.stx_mode & 07777, 0604);
  EXPECT_EQ(stat.stx_mtime.tv_sec, 3);
  EXPECT_EQ(Buffer(10), "0123456789");
  kernel_->Close(fd);
}

TEST_P(KernelContractTest, LinksMeanTheSameInChainsOfAnyOps) {
  const int fd = Open(source_, O_RDWR);
  const FileRef file = FileRef::Descriptor(fd);
  Chain failing;
  failing.Add(SetMode(-1, 0600)).Add(SetMode(fd, 0600)).Add(ReadAt(file, buffer_, 1, 0));
  ASSERT_TRUE(kernel_->Queue(ChainId{1}, failing.ops()));
  EXPECT_EQ(SettleAll()[1], (Results{-EBADF, -ECANCELED, -ECANCELED}));
  Chain short_read;
  short_read.Add(ReadAt(file, buffer_, 11, 0)).Add(SetMode(fd, 0600));
  ASSERT_TRUE(kernel_->Queue(ChainId{2}, short_read.ops()));
  EXPECT_EQ(SettleAll()[2], (Results{10, -ECANCELED}));
  Chain goes_on;
  goes_on.Add(SetMode(-1, 0600)).Add(SetMode(fd, 0611), Tie::kHard);
  ASSERT_TRUE(kernel_->Queue(ChainId{3}, goes_on.ops()));
  EXPECT_EQ(SettleAll()[3], (Results{-EBADF, 0}));
  struct statx stat = {};
  ASSERT_EQ(kernel_->Stat(fd, &stat), 0);
  EXPECT_EQ(stat.stx_mode & 07777, 0611);
  kernel_->Close(fd);
}

TEST_P(KernelContractTest, AChainThatIsSubmittedIsCarriedOutOrQueued) {
  const int fd = Open(source_, O_RDWR);
  const FileRef file = FileRef::Descriptor(fd);
  ChainResults results;
  // It is called at once if it was asked for.
  Chain at_once;
  at_once.Add(AtOnce(ReadAt(file, buffer_, 10, 0)))
      .Add(AtOnce(SetMode(fd, 0640)))
      .Add(AtOnce(ReadAt(file, buffer_, 11, 0)))
      .Add(AtOnce(SetMode(fd, 0600)));
  ASSERT_EQ(kernel_->Submit(ChainId{1}, at_once.ops(), &results), Submitted::kCarriedOut);
  EXPECT_EQ(results.id, ChainId{1});
  EXPECT_EQ(Results(results.results().begin(), results.results().end()),
            (Results{10, 0, 10, -ECANCELED}));
  EXPECT_EQ(kernel_->chains_in_flight(), 0);
  // What has an opcode is queued otherwise.
  ASSERT_EQ(kernel_->Submit(ChainId{2}, Chain().Add(ReadAt(file, buffer_, 10, 0)).ops(),
                            &results),
            Submitted::kQueued);
  EXPECT_EQ(SettleAll()[2], (Results{10}));
  // The rest is as the kernel likes.
  EXPECT_EQ(Run(SetMode(fd, 0604)), 0);
  kernel_->Close(fd);
}

TEST_P(KernelContractTest, ATaskIsCarriedOutOnceAndHandedBackIfItWasQueued) {
  class Look : public Task {
   public:
    explicit Look(const char* name) : name_(name) {}
    void Run(Kernel* kernel) override {
      ++runs;
      const int fd = kernel->Open(AT_FDCWD, name_, O_RDONLY);
      struct statx stat = {};
      EXPECT_EQ(kernel->Stat(fd, &stat), 0);
      size = stat.stx_size;
      EXPECT_EQ(kernel->Close(fd), 0);
    }
    int runs = 0;
    uint64_t size = 0;

   private:
    const char* const name_;
  };
  for (int i = 0; i < 20; ++i) {
    Look look(source_.c_str());
    if (kernel_->SubmitTask(ChainId{7}, &look) == Submitted::kQueued) {
      EXPECT_EQ(kernel_->chains_in_flight(), 1);
      EXPECT_EQ(SettleAll()[7], Results());
    }
    EXPECT_EQ(kernel_->chains_in_flight(), 0);
    EXPECT_EQ(look.runs, 1);
    EXPECT_EQ(look.size, 10u);
  }
}

TEST_P(KernelContractTest, CountersAddUpWhatWasQueued) {
  Run(Chain().Add(open_source_).Add(Close(FileRef::Slot(0))));
  Run(Chain().Add(UnlinkAt(AT_FDCWD, source_.c_str(), 0)));
  const KernelCounters counters = kernel_->counters();
  EXPECT_EQ(counters.chains, 2);
  // A kernel either queues ops or makes system calls.
  EXPECT_EQ(counters.sqes + counters.at_once, 3);
  EXPECT_TRUE(counters.sqes == 0 || counters.at_once == 0);
  // With SQPOLL no SQE is linked: its thread might submit a part of a chain first.
  const bool links = counters.sqes > 0 && std::string(GetParam().name) != "UringSqpoll";
  EXPECT_EQ(counters.linked, links ? 1 : 0);
}

TEST_P(KernelContractTest, AStatOfAnOpenFileAndItsSizeCanBeQueuedToo) {
  const std::string file = WriteFile("file", "0123456789");
  const int fd = Open(file, O_RDWR);
  ASSERT_GE(fd, 0);
  struct statx before = {};
  struct statx after = {};
  Chain chain;
  chain.Add(StatDescriptor(fd, &before));
  if (kernel_->can_queue_truncate()) chain.Add(SetSize(FileRef::Descriptor(fd), 4));
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
  kernel_->Close(fd);
  // A failure has the errno of the system call.
  ASSERT_TRUE(kernel_->Queue(ChainId{2}, Chain().Add(StatDescriptor(fd, &after)).ops()));
  EXPECT_EQ(SettleAll()[2], (Results{-EBADF}));
  if (!kernel_->can_queue_truncate()) return;
  ASSERT_TRUE(
      kernel_->Queue(ChainId{3}, Chain().Add(SetSize(FileRef::Descriptor(fd), 0)).ops()));
  EXPECT_EQ(SettleAll()[3], (Results{-EBADF}));
}

TEST_P(KernelContractTest, APolledReadOrWriteIsCarriedOutOrRefused) {
  constexpr uint32_t kPage = sizeof(Page::bytes);
  // On the heap, because AddressSanitizer does not align the stack that far.
  const auto pages = std::make_unique<Page>();
  char* const page = pages->bytes;
  const std::string path = WriteFile("pages", std::string(2 * kPage, 'p'));
  const int fd = Open(path, O_RDWR | O_DIRECT);
  if (fd < 0) GTEST_SKIP() << "no O_DIRECT here";
  const FileRef file = FileRef::Descriptor(fd);
  const bool polls = std::string(GetParam().name) == "UringIopoll";
  for (Op op : {ReadAt(file, page, kPage, kPage), WriteAt(file, page, kPage, 0)}) {
    op.io.polled = true;
    const int32_t result = Run(op);
    EXPECT_TRUE(result == kPage || (result == -EOPNOTSUPP && polls)) << result;
    // A ring that polls refuses the polling only, so the op works without it.
    op.io.polled = false;
    EXPECT_EQ(Run(op), static_cast<int32_t>(kPage));
    EXPECT_EQ(page[0], 'p');
  }
  EXPECT_EQ(kernel_->counters().polled, polls ? 2 : 0);
  kernel_->Close(fd);
}

// A chain of one kind must not keep a chain of the other kind from settling.
TEST_P(KernelContractTest, PolledChainsAndOthersSettleBesideEachOther) {
  constexpr uint32_t kPage = sizeof(Page::bytes);
  constexpr uint32_t kChains = 40;
  std::vector<Page> pages(kChains);
  const std::string path = WriteFile("pages", std::string(kPage, 'p'));
  const int fd = Open(path, O_RDONLY | O_DIRECT);
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
    const SteadyTime start = kernel_->Now();
    kernel_->Wait(absl::ZeroDuration(), &settled);
    EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
  }
  SettleAll();
  for (uint32_t i = 1; i < kChains; i += 2) EXPECT_EQ(stats[i].stx_size, kPage);
  kernel_->Close(fd);
}

INSTANTIATE_TEST_SUITE_P(Rings, KernelContractTest,
                         testing::ValuesIn(KernelImplementations()), KernelName);

TEST(UringKernelTest, CountsSystemCallsForOpsThatHaveAnOpcode) {
  std::string why_not;
  const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
  if (kernel == nullptr) GTEST_SKIP() << why_not;
  const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct statx stat;
  kernel->RunAtOnce({}, Chain().Add(StatDescriptor(fd, &stat)).ops());
  kernel->RunAtOnce({}, Chain().Add(SetSize(FileRef::Descriptor(fd), 0)).ops());
  kernel->RunAtOnce({}, Chain().Add(SetMode(fd, 0666)).ops());  // It has no opcode.
  EXPECT_EQ(kernel->counters().at_once, 3);
  EXPECT_EQ(kernel->counters().at_once_with_opcode, kernel->can_queue_truncate() ? 2 : 1);
  EXPECT_EQ(kernel->counters().sqes, 0);
  close(fd);
}

TEST(UringKernelTest, WaitReturnsAfterItsTimeoutWhileAnOpBlocks) {
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
