// The threads that carry out for a ring what io_uring has no opcode for.

#include "core/kernel/helper_threads.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "core/kernel/kernel.h"
#include "core/kernel/task_chooser.h"
#include "core/kernel/uring_kernel.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/kernel_under_test.h"
#include "tests/refused_calls.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);
// Threads that there may be.
constexpr int kThreads = WaitLimits().helper_threads_max;

// The ends of a pipe that can be waited for by reading it.
struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  Op Read(char* byte) const {
    return ReadAt(FileRef::Descriptor(ends[0]), byte, 1, kCurrentPosition);
  }
  Op Write(char* bytes, uint32_t size) const {
    return WriteAt(FileRef::Descriptor(ends[1]), bytes, size, kCurrentPosition);
  }

  std::array<int, 2> ends;
};

// The directories below /proc of this process's threads, without the kernel's workers.
std::vector<std::filesystem::path> ThreadsOfThisProcess() {
  std::vector<std::filesystem::path> threads;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm") >> std::ws, name);
    if (!name.starts_with("iou-")) threads.push_back(thread.path());
  }
  return threads;
}

// How many threads have blocked all signals that programs send each other.
int ThreadsWithoutSignals() {
  constexpr std::string_view kBlocked = "SigBlk:";
  constexpr uint64_t kAll = (uint64_t{1} << (SIGSYS - 1)) - 1;
  constexpr uint64_t kCanNotBe = uint64_t{1} << (SIGKILL - 1) | uint64_t{1}
                                                                    << (SIGSTOP - 1);
  int count = 0;
  for (const std::filesystem::path& thread : ThreadsOfThisProcess()) {
    std::ifstream status(thread / "status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with(kBlocked)) continue;
      const uint64_t blocked = std::stoull(line.substr(kBlocked.size()), nullptr, 16);
      if (((blocked | kCanNotBe) & kAll) == kAll) ++count;
    }
  }
  return count;
}

class HelperThreadsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    kernel_ = MakeUringKernel(&why_not);
    if (kernel_ == nullptr) GTEST_SKIP() << why_not;
    file_ = open(scratch_.WriteFile("file", "").c_str(), O_RDWR | O_CLOEXEC);
  }
  void TearDown() override { close(file_); }

  void Queue(uint32_t id, const Chain& chain) {
    EXPECT_TRUE(kernel_->Queue(ChainId{id}, chain.ops()));
  }
  // Hands over a chain that makes a helper wait until somebody writes to
  // `pipe`.
  void QueueReader(uint32_t id, const Pipe& pipe) {
    Queue(id, Chain().Add(pipe.Read(&bytes_.at(id))).Add(SetMode(file_, 0600)));
  }
  // How many of the chains settle; none may have failed.
  int Settle() {
    int count = 0;
    while (kernel_->chains_in_flight() > 0) {
      std::vector<ChainResults> settled;
      kernel_->Wait(kLimit, &settled);
      for (const ChainResults& chain : settled) {
        for (const int32_t result : chain.results()) EXPECT_GE(result, 0);
        ++count;
      }
    }
    return count;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Kernel> kernel_;
  int file_ = -1;
  std::array<char, 3 * kThreads> bytes_ = {};  // By chain.
};

// It would not end otherwise.
TEST_F(HelperThreadsTest, SeveralChainsAreUnderWayAtATime) {
  const Pipe pipe;
  char bytes[kThreads] = {};
  constexpr uint32_t kReaders = kThreads - 1;
  for (uint32_t i = 0; i < kReaders; ++i) QueueReader(i, pipe);
  Queue(kReaders, Chain().Add(pipe.Write(bytes, kReaders)).Add(SetMode(file_, 0600)));
  EXPECT_EQ(Settle(), kThreads);
  EXPECT_EQ(kernel_->counters().by_helpers, 2 * kThreads);
}

TEST_F(HelperThreadsTest, TheRingGoesOnMeanwhileAndItsWaitEndsWhenAHelperIsDone) {
  const Pipe for_helper;
  const Pipe for_ring;
  QueueReader(1, for_helper);
  // The ring waits for a half of these.
  std::array<char, 20> bytes = {};
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    Queue(2 + i, Chain().Add(for_ring.Read(&bytes[i])));
  }
  std::vector<ChainResults> settled;
  kernel_->Wait(absl::Milliseconds(1), &settled);
  EXPECT_TRUE(settled.empty());
  const SteadyTime start = kernel_->Now();
  ASSERT_EQ(write(for_helper.ends[1], "x", 1), 1);
  while (settled.empty()) kernel_->Wait(kLimit, &settled);
  EXPECT_LT(kernel_->Now() - start, absl::ToChronoNanoseconds(kLimit / 2));
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].id, ChainId{1});
  ASSERT_EQ(write(for_ring.ends[1], bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(Settle(), static_cast<int>(bytes.size()));
}

TEST_F(HelperThreadsTest, ThereAreNoMoreThanTheyMayBeAndTheyEndWithTheirKernel) {
  const size_t before = ThreadsOfThisProcess().size();
  const Pipe pipe;
  constexpr uint32_t kChains = 3 * kThreads;
  for (uint32_t i = 0; i < kChains; ++i) QueueReader(i, pipe);
  EXPECT_EQ(ThreadsOfThisProcess().size(), before + kThreads);
  const std::vector<char> bytes(kChains);
  ASSERT_EQ(write(pipe.ends[1], bytes.data(), kChains), kChains);
  EXPECT_EQ(Settle(), static_cast<int>(kChains));
  // One that is idle is used again.
  for (uint32_t i = 0; i < kChains; ++i) {
    Queue(i, Chain().Add(SetMode(file_, 0600)));
    EXPECT_EQ(Settle(), 1);
  }
  EXPECT_EQ(ThreadsOfThisProcess().size(), before + kThreads);
  kernel_.reset();
  EXPECT_EQ(ThreadsOfThisProcess().size(), before);
}

TEST_F(HelperThreadsTest, TheyTakeNoSignals) {
  const Pipe pipe;
  const int before = ThreadsWithoutSignals();
  QueueReader(1, pipe);
  EXPECT_EQ(ThreadsWithoutSignals(), before + 1);
  ASSERT_EQ(write(pipe.ends[1], "x", 1), 1);
  EXPECT_EQ(Settle(), 1);
}

TEST_F(HelperThreadsTest, WithoutAThreadTheKernelCarriesItOutItself) {
  const std::string result = InChildProcess([&]() -> std::string {
    std::string why_not;
    const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
    if (!RefuseCall(SYS_clone3, EAGAIN) || !RefuseCall(SYS_clone, EAGAIN)) {
      return "no filter";
    }
    Chain chain;
    chain.Add(SetMode(file_, 0604)).Add(SetMode(-1, 0600)).Add(SetMode(file_, 0600));
    if (!kernel->Queue(ChainId{7}, chain.ops())) return "not queued";
    std::vector<ChainResults> settled;
    kernel->Wait(kLimit, &settled);
    if (settled.size() != 1 || kernel->chains_in_flight() != 0) return "not settled";
    return absl::StrCat(settled[0].id.value, ":",
                        absl::StrJoin(settled[0].results(), ","),
                        " by helpers: ", kernel->counters().by_helpers);
  });
  EXPECT_EQ(result, absl::StrCat("7:0,", -EBADF, ",", -ECANCELED, " by helpers: 0"));
}

// Waits for 2 ms, without a file to wait for, and then until `pipe` can be read.
class WaitingTask : public Task {
 public:
  explicit WaitingTask(const Pipe* pipe = nullptr) : pipe_(pipe) {}
  void Run(Kernel* kernel) override {
    EXPECT_EQ(kernel->Do(Poll(FileRef(), 0, 2)), 0);
    char byte = 0;
    if (pipe_ != nullptr) {
      EXPECT_EQ(kernel->Do(pipe_->Read(&byte)), 1);
    }
    thread = std::this_thread::get_id();
  }

  std::thread::id thread;  // That has carried it out, if one has.

 private:
  const Pipe* const pipe_;
};

class QuickTask : public Task {
 public:
  void Run(Kernel* kernel) override { kernel->Now(); }
};

TEST_F(HelperThreadsTest, TasksStayOnTheKernelsThreadUntilTwoWait) {
  QuickTask quick;
  for (uint32_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(kernel_->SubmitTask(ChainId{i}, &quick), Submitted::kCarriedOut);
    ASSERT_FALSE(kernel_->helps_with_tasks());
  }
  for (const bool is_enough : {false, true}) {
    WaitingTask first;
    ASSERT_EQ(kernel_->SubmitTask(ChainId{1}, &first), Submitted::kCarriedOut);
    EXPECT_EQ(first.thread, std::this_thread::get_id());
    EXPECT_EQ(kernel_->helps_with_tasks(), is_enough);
  }
  EXPECT_EQ(kernel_->chains_in_flight(), 0);

  WaitingTask second;
  ASSERT_EQ(kernel_->SubmitTask(ChainId{2}, &second), Submitted::kQueued);
  EXPECT_TRUE(kernel_->helps_with_tasks());
  EXPECT_EQ(kernel_->chains_in_flight(), 1);
  std::vector<ChainResults> settled;
  while (settled.empty()) kernel_->Wait(kLimit, &settled);
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].id, ChainId{2});
  EXPECT_TRUE(settled[0].results().empty());
  EXPECT_NE(second.thread, std::thread::id());
  EXPECT_NE(second.thread, std::this_thread::get_id());
  EXPECT_EQ(kernel_->chains_in_flight(), 0);
  EXPECT_EQ(kernel_->counters().tasks_by_helpers, 1);
}

TEST_F(HelperThreadsTest, TasksThatWaitNoMoreComeBackToTheKernelsThread) {
  WaitingTask waiting;
  while (!kernel_->helps_with_tasks()) {
    ASSERT_EQ(kernel_->SubmitTask(ChainId{0}, &waiting), Submitted::kCarriedOut);
  }
  QuickTask quick;
  uint32_t helped = 0;
  while (kernel_->SubmitTask(ChainId{1}, &quick) == Submitted::kQueued) {
    ASSERT_LT(++helped, 100'000u);
    Settle();
  }
  EXPECT_GE(helped, uint32_t{TaskChooser::kMost});
  EXPECT_FALSE(kernel_->helps_with_tasks());
}

TEST_F(HelperThreadsTest, WithoutAThreadTheKernelRunsTasksItself) {
  const std::string result = InChildProcess([&]() -> std::string {
    std::string why_not;
    const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
    if (!RefuseCall(SYS_clone3, EAGAIN) || !RefuseCall(SYS_clone, EAGAIN)) {
      return "no filter";
    }
    WaitingTask task;
    for (uint32_t i = 0; i < 3; ++i) {
      if (kernel->SubmitTask(ChainId{i}, &task) != Submitted::kCarriedOut) {
        return "queued";
      }
      if (!kernel->helps_with_tasks()) return "would not be handed over";
      if (kernel->chains_in_flight() != 0) return "is in flight";
    }
    return absl::StrCat(kernel->counters().tasks_by_helpers);
  });
  EXPECT_EQ(result, "0");
}

TEST_F(HelperThreadsTest, AsManyAreUnderWayAsTheLimitSays) {
  const size_t before = ThreadsOfThisProcess().size();
  for (const int threads : {2 * kThreads, kThreads, 1}) {
    SCOPED_TRACE(threads);
    kernel_->SetWaitLimits({.helper_threads_max = threads});
    const Pipe pipe;
    // All of the threads wait, so what comes behind has to wait as well.
    const auto readers = static_cast<uint32_t>(threads);
    for (uint32_t i = 0; i < readers; ++i) QueueReader(i, pipe);
    Queue(readers, Chain().Add(SetMode(file_, 0604)));
    std::vector<ChainResults> settled;
    kernel_->Wait(absl::Milliseconds(20), &settled);
    EXPECT_TRUE(settled.empty());
    const std::vector<char> bytes(readers);
    ASSERT_EQ(write(pipe.ends[1], bytes.data(), readers), threads);
    EXPECT_EQ(Settle(), threads + 1);
  }
  EXPECT_LE(ThreadsOfThisProcess().size(), before + 2 * kThreads);
}

TEST_F(HelperThreadsTest, ARefusedLimitOfKernelWorkersDoesNotStopTheRing) {
  const std::string result = InChildProcess([&]() -> std::string {
    std::string why_not;
    const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
    if (!RefuseCall(SYS_io_uring_register, EPERM)) return "no filter";
    kernel->SetWaitLimits({.kernel_workers_max = 64, .helper_threads_max = 2});
    struct statx stat = {};
    if (!kernel->Queue(ChainId{1}, Chain().Add(StatDescriptor(file_, &stat)).ops()) ||
        !kernel->Queue(ChainId{2}, Chain().Add(SetMode(file_, 0600)).ops())) {
      return "not queued";
    }
    std::vector<ChainResults> settled;
    while (kernel->chains_in_flight() > 0) kernel->Wait(kLimit, &settled);
    for (const ChainResults& chain : settled) {
      if (chain.results()[0] != 0) return "failed";
    }
    return absl::StrCat(settled.size());
  });
  EXPECT_EQ(result, "2");
}

// It learns from the chains that it carries out on its own thread.
TEST_F(HelperThreadsTest, WhatMadeTheThreadWaitGoesToHelpers) {
  const auto submit = [&](const Chain& chain) {
    ChainResults results;
    return kernel_->Submit(ChainId{1}, chain.ops(), &results);
  };
  const Chain quick = Chain().Add(SetMode(file_, 0600));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(submit(quick), Submitted::kCarriedOut);
  }
  // Each waits for another thread, which answers some time later.
  const Pipe pipe;
  std::thread other;
  int waits = 0;
  Submitted submitted = Submitted::kCarriedOut;
  for (; submitted == Submitted::kCarriedOut && waits < 10; ++waits) {
    other = std::thread([&] {
      usleep(2000);
      EXPECT_EQ(write(pipe.ends[1], "x", 1), 1);
    });
    submitted = submit(Chain().Add(pipe.Read(bytes_.data())).Add(SetMode(file_, 0600)));
    other.join();
  }
  EXPECT_EQ(submitted, Submitted::kQueued);
  EXPECT_GT(waits, 1);
  EXPECT_EQ(Settle(), 1);
}

}  // namespace
}  // namespace ringcp
