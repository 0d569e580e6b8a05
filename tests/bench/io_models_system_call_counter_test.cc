// Tests that the counter of system calls counts what a process really does, in all its
// threads, and nothing else.

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <latch>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/part_process.h"
#include "bench/io_models/system_call_counter.h"
#include "gtest/gtest.h"

namespace ringcp::io_models {
namespace {

// Makes `count` system calls: exactly one each, even under a sanitizer, because
// sanitizers do not replace syscall().
void Call(int count) {
  for (int i = 0; i < count; ++i) syscall(SYS_getppid);
}

absl::StatusOr<Measurement> Finished(Recording* recording) { return recording->Finish(); }

TEST(SystemCallCounterTest, CountsALoopExactly) {
  for (const int count : {0, 1, 1000}) {
    const absl::StatusOr<CountedRun> run = CountSystemCalls([&] {
      Recording recording(7);
      recording.Begin();
      Call(count);
      recording.End();
      return Finished(&recording);
    });
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->system_calls, count);
    EXPECT_EQ(run->measurement.operations, 7);
  }
}

TEST(SystemCallCounterTest, CountsBetweenTheMarksOnly) {
  const absl::StatusOr<CountedRun> run = CountSystemCalls([] {
    Recording recording(0);
    Call(100);
    recording.Begin();
    Call(10);
    recording.End();
    Call(1000);
    return Finished(&recording);
  });
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->system_calls, 10);
}

TEST(SystemCallCounterTest, DoesNotCountTheClock) {
  const absl::StatusOr<CountedRun> run = CountSystemCalls([] {
    Recording recording(0);
    recording.Begin();
    timespec now = {};
    for (int i = 0; i < 100; ++i) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    recording.End();
    return Finished(&recording);
  });
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->system_calls, 0);
}

TEST(SystemCallCounterTest, CountsTheCallsOfAllThreads) {
  static constexpr int kThreads = 4;
  static constexpr int kCalls = 250;
  const absl::StatusOr<CountedRun> run = CountSystemCalls([] {
    Recording recording(0);
    std::latch begin(1);
    std::latch done(kThreads);
    std::latch end(1);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        begin.wait();
        Call(kCalls);
        done.count_down();
        end.wait();
      });
    }
    recording.Begin();
    begin.count_down();
    done.wait();
    recording.End();
    end.count_down();
    for (std::thread& thread : threads) thread.join();
    return Finished(&recording);
  });
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_GE(run->system_calls, kThreads * kCalls);
  // Waiting for latches takes a few more.
  EXPECT_LE(run->system_calls, kThreads * kCalls + 20 * kThreads);
}

TEST(SystemCallCounterTest, ChildProcessesAreNotCounted) {
  const absl::StatusOr<CountedRun> run =
      CountSystemCalls([]() -> absl::StatusOr<Measurement> {
        Recording recording(0);
        const pid_t child = fork();
        if (child == 0) {
          Call(1000);
          _exit(0);
        }
        recording.Begin();
        int status = 0;
        const bool waited = waitpid(child, &status, 0) == child;
        recording.End();
        if (!waited || status != 0) {
          return absl::InternalError("the child did not end well");
        }
        return recording.Finish();
      });
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->system_calls, 1);
}

TEST(SystemCallCounterTest, SignalsReachTheProcess) {
  const absl::StatusOr<CountedRun> run =
      CountSystemCalls([]() -> absl::StatusOr<Measurement> {
        static volatile sig_atomic_t caught = 0;
        signal(SIGUSR1, [](int) { caught = 1; });
        raise(SIGUSR1);
        if (caught == 0) return absl::InternalError("no signal came");
        return Measurement{};
      });
  EXPECT_TRUE(run.ok()) << run.status();
}

TEST(SystemCallCounterTest, FailuresAreReported) {
  const absl::StatusOr<CountedRun> refused = CountSystemCalls(
      []() -> absl::StatusOr<Measurement> { return absl::UnavailableError("not here"); });
  EXPECT_EQ(refused.status(), absl::UnavailableError("not here"));
  const absl::StatusOr<CountedRun> killed =
      CountSystemCalls([]() -> absl::StatusOr<Measurement> {
        raise(SIGKILL);
        return Measurement{};
      });
  EXPECT_EQ(killed.status(),
            absl::InternalError("its process was killed by signal 9 (Killed)"));
}

TEST(PartProcessTest, ReturnsWhatTheBodyReturned) {
  const absl::StatusOr<Measurement> measurement =
      RunInProcess([]() -> absl::StatusOr<Measurement> {
        Measurement result;
        result.operations = 3;
        return result;
      });
  ASSERT_TRUE(measurement.ok()) << measurement.status();
  EXPECT_EQ(measurement->operations, 3);
  const absl::StatusOr<Measurement> killed =
      RunInProcess([]() -> absl::StatusOr<Measurement> {
        raise(SIGKILL);
        return Measurement{};
      });
  EXPECT_EQ(killed.status(),
            absl::InternalError("its process was killed by signal 9 (Killed)"));
}

}  // namespace
}  // namespace ringcp::io_models
