// Tests large files that workers share: who gets which block, who waits for whom, and
// that two workers on two rings copy a file together.

#include "core/file/shared_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/engine_counters.h"
#include "core/file/block_pump.h"
#include "core/file/file_sink.h"
#include "core/file/file_source.h"
#include "core/file/next_chains.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

// Waits for a file to help with; nullptr if there will be no more.
SharedFile* Join(SharedFiles* files) {
  SharedFile* file = nullptr;
  for (;;) {
    switch (files->Join(SystemKernel(), &file)) {
      case SharedFiles::Joined::kFile:
        return file;
      case SharedFiles::Joined::kNothingYet:
        EXPECT_TRUE(AwaitWake(kLimit));
        break;
      case SharedFiles::Joined::kOver:
        return nullptr;
    }
  }
}

TEST(SharedFileTest, BlocksFollowEachOtherToTheEnd) {
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 100, 350);
  EXPECT_EQ(file.source(), FileRef::Descriptor(3));
  EXPECT_EQ(file.target(), FileRef::Descriptor(4));
  uint64_t offset = 0;
  EXPECT_EQ(file.Take(100, &offset), 100u);
  EXPECT_EQ(offset, 100u);
  EXPECT_EQ(file.Take(100, &offset), 100u);
  EXPECT_EQ(offset, 200u);
  EXPECT_FALSE(file.exhausted());
  EXPECT_FALSE(file.complete());
  EXPECT_EQ(file.Take(100, &offset), 50u);
  EXPECT_EQ(offset, 300u);
  EXPECT_EQ(file.Take(100, &offset), 0u);
  EXPECT_TRUE(file.exhausted());
  EXPECT_TRUE(file.complete());
}

TEST(SharedFileTest, NoBlockIsHandedOutTwice) {
  constexpr int kBlocks = 10'000;
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, kBlocks);
  std::vector<std::vector<uint64_t>> taken(3);
  std::vector<std::thread> threads;
  for (std::vector<uint64_t>& mine : taken) {
    threads.emplace_back([&] {
      uint64_t offset = 0;
      while (file.Take(1, &offset) > 0) mine.push_back(offset);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kBlocks));
  EXPECT_EQ(taken[0].size() + taken[1].size() + taken[2].size(),
            static_cast<size_t>(kBlocks));
}

TEST(SharedFileTest, TheFirstFailureCountsAndEndsIt) {
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  file.Fail(Operation::kWrite, ENOSPC);
  file.Fail(Operation::kRead, EIO);
  EXPECT_EQ(file.failed_operation(), Operation::kWrite);
  EXPECT_EQ(file.error_number(), ENOSPC);
  EXPECT_TRUE(file.exhausted());
  EXPECT_FALSE(file.complete());
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_EQ(file.error_number(), 0);
}

TEST(SharedFileTest, StoppingMattersOnlyWhileThereAreBlocksLeft) {
  SharedFile file;
  uint64_t offset = 0;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_EQ(file.Take(100, &offset), 100u);
  file.Stop();
  EXPECT_TRUE(file.complete());
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_EQ(file.Take(99, &offset), 99u);
  file.Stop();
  EXPECT_FALSE(file.complete());
}

TEST(SharedFileTest, AnEndThatIsFoundEarlierIsAnEnd) {
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_FALSE(file.end_found());
  file.FindEnd(40);
  EXPECT_TRUE(file.end_found());
  EXPECT_TRUE(file.exhausted());
  EXPECT_TRUE(file.complete());
  EXPECT_EQ(file.end_offset(), 40u);
}

TEST(SharedFileTest, OfSeveralReadsAtTheEndTheEarliestInTheFileTellsWhereItIs) {
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  file.FindEnd(40);
  file.FindEnd(20);
  file.FindEnd(60);
  EXPECT_EQ(file.end_offset(), 20u);
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_FALSE(file.end_found());
  file.FindEnd(60);
  EXPECT_EQ(file.end_offset(), 60u);
}

TEST(SharedFileTest, WithAHelperEachHasFewerLanes) {
  SharedFiles files(1);
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  EXPECT_EQ(file.lanes_max(), SharedFile::kLanesAlone);
  files.Offer(&file);
  EXPECT_EQ(Join(&files), &file);
  EXPECT_EQ(file.lanes_max(), SharedFile::kLanesTogether);
}

TEST(SharedFilesTest, OnceAllWorkersWaitThereIsNothingToHelpWith) {
  SharedFiles files(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(Join(&files), nullptr); });
  }
  files.OneWorkerLess();
  for (std::thread& thread : threads) thread.join();
}

TEST(SharedFilesTest, AWorkerThatGivesUpWhileItWaitsCountsOnce) {
  SharedFiles files(2);
  SyscallKernel kernel(/*slots=*/0);
  SyscallKernel other(/*slots=*/0);
  SharedFile* file = nullptr;
  EXPECT_EQ(files.Join(&kernel, &file), SharedFiles::Joined::kNothingYet);
  files.GiveUp(&kernel);
  EXPECT_EQ(files.Join(&other, &file), SharedFiles::Joined::kOver);
}

TEST(SharedFilesTest, AWaitingWorkerIsGivenWhatIsOffered) {
  SharedFiles files(2);
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  std::thread helper([&] {
    SharedFile* const joined = Join(&files);
    EXPECT_EQ(joined, &file);
    uint64_t offset = 0;
    EXPECT_EQ(joined->Take(100, &offset), 100u);
    files.Leave(joined);
    EXPECT_EQ(Join(&files), nullptr);
  });
  files.Offer(&file);
  while (!file.exhausted()) std::this_thread::yield();
  while (!files.Withdraw(SystemKernel(), &file)) {
    EXPECT_TRUE(AwaitWake(kLimit));
  }
  EXPECT_EQ(Join(&files), nullptr);
  helper.join();
}

TEST(SharedFilesTest, NobodyBeginsToHelpOnceItIsWithdrawn) {
  SharedFiles files(1);
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  files.Offer(&file);
  EXPECT_TRUE(files.Withdraw(SystemKernel(), &file));
  EXPECT_EQ(Join(&files), nullptr);
}

TEST(SharedFilesTest, OneHelperIsEnoughForAFile) {
  SharedFiles files(2);
  SharedFile first;
  SharedFile second;
  first.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  second.Start(FileRef::Descriptor(5), FileRef::Descriptor(6), 0, 100);
  files.Offer(&first);
  files.Offer(&second);
  EXPECT_EQ(Join(&files), &first);
  EXPECT_EQ(Join(&files), &second);
}

TEST(SharedFilesTest, ItsOwnerIsWokenWhenTheHelperLeaves) {
  SharedFiles files(2);
  SharedFile file;
  file.Start(FileRef::Descriptor(3), FileRef::Descriptor(4), 0, 100);
  files.Offer(&file);
  ASSERT_EQ(Join(&files), &file);
  EXPECT_FALSE(files.Withdraw(SystemKernel(), &file));
  std::thread helper([&] { files.Leave(&file); });
  EXPECT_TRUE(AwaitWake(kLimit));
  EXPECT_TRUE(files.Withdraw(SystemKernel(), &file));
  helper.join();
}

// Two threads, each with its own ring, pool and pump, on one file.
class TwoWorkersTest : public testing::TestWithParam<KernelImplementation> {
 protected:
  static constexpr uint32_t kBlock = 8192;
  static constexpr size_t kBytes = 300 * kBlock + 1234;

  TwoWorkersTest() : contents_(kBytes, '\0') {
    std::mt19937 random(TestSeed());
    for (char& byte : contents_) byte = static_cast<char>(random());
    source_ = open(scratch_.WriteFile("source", contents_).c_str(), O_RDWR | O_CLOEXEC);
    target_ = open(scratch_.Path("target").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  }
  ~TwoWorkersTest() override {
    close(source_);
    close(target_);
  }

  // Copies blocks of `file` with a ring of its own until there are no more for it.
  // Returns how many bytes it copied.
  static int64_t Copy(SharedFile* file) {
    std::string why_not;
    const std::unique_ptr<Kernel> kernel = GetParam().make(&why_not);
    const auto counters = std::make_unique<EngineCounters>();
    BlockPool pool(1, 3, kBlock);
    FileSource source(counters.get());
    FileSink sink(counters.get());
    source.SetFile(file->source());
    sink.SetFile(file->target());
    BlockPump pump(&pool, &source, &sink);
    source.Start(file);
    pump.Start();
    NextChains next;
    std::vector<ChainResults> settled;
    std::deque<NextChains::LaneChain> queue;
    for (;;) {
      next.size = 0;
      pump.Advance(&next);
      queue.insert(queue.end(), next.chains.begin(), next.chains.begin() + next.size);
      if (!pump.busy()) return counters->bytes_done.value();
      while (!queue.empty() &&
             kernel->Queue(ChainId{static_cast<uint32_t>(queue.front().lane)},
                           queue.front().chain.ops())) {
        queue.pop_front();
      }
      settled.clear();
      kernel->Wait(kLimit, &settled);
      for (const ChainResults& chain : settled) {
        pump.Settle(static_cast<int>(chain.id.value), chain.results()[0],
                    chain.results().back());
      }
    }
  }

  // Copies `file` with two workers. Returns the bytes of each.
  std::pair<int64_t, int64_t> CopyTogether(SharedFile* file) {
    SharedFiles files(2);
    files.Offer(file);
    int64_t helped = 0;
    std::thread helper([&] {
      if (Join(&files) == nullptr) return;
      helped = Copy(file);
      files.Leave(file);
    });
    // On a busy machine the helper may come late, so this waits for it.
    while (file->lanes_max() != SharedFile::kLanesTogether) {
      std::this_thread::yield();
    }
    const int64_t own = Copy(file);
    while (!files.Withdraw(SystemKernel(), file)) {
      EXPECT_TRUE(AwaitWake(kLimit));
    }
    helper.join();
    return {own, helped};
  }

  std::string Target() const { return ReadFileOrNone(scratch_.Path("target")); }

  ScratchDirectory scratch_;
  std::string contents_;
  int source_ = -1;
  int target_ = -1;
};

TEST_P(TwoWorkersTest, CopyAFileBetweenThem) {
  SharedFile file;
  file.Start(FileRef::Descriptor(source_), FileRef::Descriptor(target_), 0, kBytes);
  const auto [own, helped] = CopyTogether(&file);
  EXPECT_TRUE(file.complete());
  EXPECT_EQ(own + helped, static_cast<int64_t>(kBytes));
  EXPECT_TRUE(Target() == contents_);
}

TEST_P(TwoWorkersTest, CopyWhatThereIsOfAFileThatShrank) {
  constexpr size_t kLeft = 100 * kBlock + 77;
  ASSERT_EQ(ftruncate(source_, kLeft), 0);
  SharedFile file;
  file.Start(FileRef::Descriptor(source_), FileRef::Descriptor(target_), 0, kBytes);
  const auto [own, helped] = CopyTogether(&file);
  EXPECT_TRUE(file.complete());
  EXPECT_TRUE(file.end_found());
  EXPECT_EQ(file.end_offset(), kLeft);
  EXPECT_EQ(own + helped, static_cast<int64_t>(kLeft));
  EXPECT_TRUE(Target() == contents_.substr(0, kLeft));
}

TEST_P(TwoWorkersTest, BothEndWhenOneFails) {
  SharedFile file;
  const int read_only = open(scratch_.Path("source").c_str(), O_RDONLY | O_CLOEXEC);
  file.Start(FileRef::Descriptor(source_), FileRef::Descriptor(read_only), 0, kBytes);
  CopyTogether(&file);
  EXPECT_EQ(file.failed_operation(), Operation::kWrite);
  EXPECT_EQ(file.error_number(), EBADF);
  EXPECT_FALSE(file.complete());
  close(read_only);
}

INSTANTIATE_TEST_SUITE_P(Rings, TwoWorkersTest,
                         testing::ValuesIn(SystemKernelImplementations()), KernelName);

}  // namespace
}  // namespace ringcp
