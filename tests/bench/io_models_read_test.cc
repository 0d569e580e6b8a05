// Tests that every model of I/O on files reads random places correctly, at every depth,
// and that what the measurement says is true.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/file_models.h"
#include "bench/io_models/file_runs.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/read_work.h"
#include "bench/io_models/scratch_file.h"
#include "bench/io_models/uring.h"
#include "gtest/gtest.h"
#include "tests/io_models_under_test.h"
#include "tests/scratch_directory.h"

namespace ringcp::io_models {
namespace {

constexpr uint64_t kSeed = 9;
// Not a multiple of a block: the incomplete one at the end is never read.
constexpr int64_t kSize = 300 * ReadWork::kReadBytes + 17;

class ReadModelTest : public testing::TestWithParam<const FileModel*> {
 protected:
  ReadModelTest() {
    absl::StatusOr<Descriptor> source = MakeScratchFile(scratch_.path());
    EXPECT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    EXPECT_TRUE(WritePattern(source_.get(), kSeed, kSize).ok());
  }

  absl::StatusOr<Measurement> Read(bool direct, int lanes, int64_t reads,
                                   uint64_t seed = kSeed) {
    return RunRead(*GetParam(), {.source = source_.get(),
                                 .size = kSize,
                                 .seed = seed,
                                 .direct = direct,
                                 .reads = reads,
                                 .lanes = lanes});
  }

  // Whether the model needs a device that can be polled. Few files are on one.
  static bool IsPolled() { return std::string(GetParam()->name) == "uring-iopoll"; }

  ScratchDirectory scratch_;
  Descriptor source_;
};

TEST_P(ReadModelTest, ReadsWhatIsThere) {
  for (const int lanes : {1, 2, 64}) {
    const absl::StatusOr<Measurement> measurement = Read(/*direct=*/false, lanes, 1000);
    if (IsPolled()) {
      EXPECT_TRUE(IsRefusal(measurement.status())) << measurement.status();
      return;
    }
    ASSERT_TRUE(measurement.ok()) << lanes << ": " << measurement.status();
    EXPECT_EQ(measurement->operations, 1000);
    EXPECT_EQ(measurement->bytes, 1000 * ReadWork::kReadBytes);
    EXPECT_GT(measurement->wall_seconds, 0);
    EXPECT_GT(measurement->latency.p50_seconds, 0);
    EXPECT_GE(measurement->latency.p99_seconds, measurement->latency.p50_seconds);
    EXPECT_GE(measurement->latency.p999_seconds, measurement->latency.p99_seconds);
  }
}

TEST_P(ReadModelTest, ReadsWithDirectIo) {
  for (const int lanes : {1, 64}) {
    const absl::StatusOr<Measurement> measurement = Read(/*direct=*/true, lanes, 200);
    if (!measurement.ok() && (IsPolled() || !SetDirect(source_.get(), true).ok())) {
      // The device or file system can't do it, so the model has to refuse.
      EXPECT_TRUE(IsRefusal(measurement.status())) << measurement.status();
      std::printf("%s\n", std::string(measurement.status().message()).c_str());
      return;
    }
    ASSERT_TRUE(measurement.ok()) << lanes << ": " << measurement.status();
  }
}

TEST_P(ReadModelTest, FewerReadsThanLanes) {
  if (IsPolled()) return;
  for (const int64_t reads : {0, 1, 3}) {
    const absl::StatusOr<Measurement> measurement = Read(/*direct=*/false, 64, reads);
    EXPECT_TRUE(measurement.ok()) << reads << ": " << measurement.status();
  }
}

TEST_P(ReadModelTest, WrongContentsAreFound) {
  if (IsPolled()) return;
  const absl::StatusOr<Measurement> measurement =
      Read(/*direct=*/false, 8, 100, /*seed=*/kSeed + 1);
  EXPECT_TRUE(absl::IsDataLoss(measurement.status())) << measurement.status();
}

INSTANTIATE_TEST_SUITE_P(Models, ReadModelTest, testing::ValuesIn(ReadModelsUnderTest()),
                         [](const auto& info) { return TestName(info.param->name); });

TEST(ReadWorkTest, ShortReadsAreContinued) {
  const ScratchDirectory scratch;
  const absl::StatusOr<Descriptor> source = MakeScratchFile(scratch.path());
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_TRUE(WritePattern(source->get(), kSeed, kSize).ok());
  Recording recording(1);
  ReadWork work({.source = source->get(), .size = kSize, .seed = kSeed, .reads = 1},
                &recording);
  ASSERT_TRUE(work.Start(0));
  const off_t begin = work.op(0).position;
  // Plays a kernel that never transfers more than 1500 bytes.
  int steps = 0;
  for (bool more = true; more; ++steps) {
    const FileOp op = work.op(0);
    ASSERT_TRUE(work.Settle(0, -EINTR));
    const ssize_t count =
        pread(source->get(), op.data, std::min<size_t>(op.bytes, 1500), op.position);
    ASSERT_GT(count, 0);
    more = work.Settle(0, count);
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(work.op(0).position, begin + 3000);
  EXPECT_TRUE(work.status().ok()) << work.status();
}

TEST(MeasurementTest, PercentilesAreValuesThatOccurred) {
  std::vector<int64_t> none;
  EXPECT_LT(Summarize(&none).p50_seconds, 0);
  std::vector<int64_t> one = {5'000'000'000};
  EXPECT_EQ(Summarize(&one).p50_seconds, 5);
  EXPECT_EQ(Summarize(&one).p999_seconds, 5);
  std::vector<int64_t> thousand;
  for (int64_t i = 1000; i >= 1; --i) thousand.push_back(i * 1'000'000'000);
  const LatencyPercentiles percentiles = Summarize(&thousand);
  EXPECT_EQ(percentiles.p50_seconds, 500);
  EXPECT_EQ(percentiles.p99_seconds, 990);
  EXPECT_EQ(percentiles.p999_seconds, 999);
}

TEST(MeasurementTest, CpuSecondsIncludeTheKernelsThreadThatPollsForUs) {
  // Besides this thread, whose own CPU time is known, only a ring's submission thread
  // runs, and it finds nothing to do.
  const absl::StatusOr<std::unique_ptr<Uring>> uring = Uring::Create({.sqpoll = true});
  ASSERT_TRUE(uring.ok()) << uring.status();
  const auto own_seconds = [] {
    rusage usage = {};
    EXPECT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  };
  const double before = ProcessCpuSeconds() - own_seconds();
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  double after = before;
  while (after - before < 0.01 && std::chrono::steady_clock::now() < limit) {
    // A little work keeps that thread awake.
    io_uring_prep_nop((*uring)->NextEntry());
    ASSERT_TRUE((*uring)->SubmitAndWait().ok());
    (*uring)->TakeCompletions([](const io_uring_cqe&) {});
    after = ProcessCpuSeconds() - own_seconds();
  }
  EXPECT_GE(after - before, 0.01);
}

}  // namespace
}  // namespace ringcp::io_models
