// Tests that every model of I/O on files copies correctly: files of any size, with and
// without O_DIRECT, and when the kernel transfers less than it was asked for.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/io_models/copy_work.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/file_models.h"
#include "bench/io_models/file_runs.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/pattern.h"
#include "bench/io_models/scratch_file.h"
#include "gtest/gtest.h"
#include "tests/io_models_under_test.h"
#include "tests/scratch_directory.h"

namespace ringcp::io_models {
namespace {

constexpr uint64_t kSeed = 5;
constexpr int64_t kBlock = CopyWork::kBlockBytes;

class CopyModelTest : public testing::TestWithParam<const FileModel*> {
 protected:
  CopyModelTest() {
    absl::StatusOr<Descriptor> source = MakeScratchFile(scratch_.path());
    absl::StatusOr<Descriptor> target = MakeScratchFile(scratch_.path());
    EXPECT_TRUE(source.ok() && target.ok());
    source_ = *std::move(source);
    target_ = *std::move(target);
  }

  absl::StatusOr<Measurement> Copy(int64_t size, bool direct, int lanes = 4) {
    EXPECT_EQ(ftruncate(source_.get(), 0), 0);
    EXPECT_TRUE(WritePattern(source_.get(), kSeed, size).ok());
    // What an earlier copy left behind must not make this one look right.
    EXPECT_EQ(pwrite(target_.get(), "left over", 9, size), 9);
    return RunCopy(*GetParam(), {.source = source_.get(),
                                 .target = target_.get(),
                                 .size = size,
                                 .seed = kSeed,
                                 .direct = direct,
                                 .lanes = lanes});
  }

  ScratchDirectory scratch_;
  Descriptor source_;
  Descriptor target_;
};

constexpr int64_t kSizes[] = {
    0,      1,          4095,           4096,       4097,           kBlock - 1,
    kBlock, kBlock + 1, 3 * kBlock + 5, 4 * kBlock, 9 * kBlock - 7, 9 * kBlock + 4096,
};

TEST_P(CopyModelTest, CopiesFilesOfEverySize) {
  for (const int64_t size : kSizes) {
    const absl::StatusOr<Measurement> measurement = Copy(size, /*direct=*/false);
    ASSERT_TRUE(measurement.ok()) << size << ": " << measurement.status();
    EXPECT_EQ(measurement->operations, CopyWork::Blocks(size));
    EXPECT_EQ(measurement->bytes, size);
  }
}

TEST_P(CopyModelTest, CopiesWithDirectIo) {
  for (const int64_t size : kSizes) {
    const absl::StatusOr<Measurement> measurement = Copy(size, /*direct=*/true);
    if (!measurement.ok() && !SetDirect(source_.get(), true).ok()) {
      // The file system has no O_DIRECT, so the model has to refuse.
      EXPECT_TRUE(IsRefusal(measurement.status())) << measurement.status();
      std::printf("%s has no O_DIRECT\n", scratch_.path().c_str());
      return;
    }
    ASSERT_TRUE(measurement.ok()) << size << ": " << measurement.status();
    EXPECT_EQ(measurement->bytes, size);
    // The flags of both descriptors are restored.
    EXPECT_EQ(fcntl(source_.get(), F_GETFL) & (O_DIRECT | O_NONBLOCK), 0);
    EXPECT_EQ(fcntl(target_.get(), F_GETFL) & (O_DIRECT | O_NONBLOCK), 0);
  }
}

TEST_P(CopyModelTest, CopiesWithOneLaneAndWithMoreThanBlocks) {
  for (const int lanes : {1, 16}) {
    const absl::StatusOr<Measurement> measurement =
        Copy(5 * kBlock + 1, /*direct=*/false, lanes);
    ASSERT_TRUE(measurement.ok()) << lanes << ": " << measurement.status();
  }
}

TEST_P(CopyModelTest, ASourceThatIsShorterThanItSaidIsAnError) {
  ASSERT_TRUE(WritePattern(source_.get(), kSeed, 3 * kBlock).ok());
  // The read at the end is short and severs linked SQEs; the next finds nothing.
  const absl::StatusOr<Measurement> measurement =
      RunCopy(*GetParam(), {.source = source_.get(),
                            .target = target_.get(),
                            .size = 4 * kBlock - 100,
                            .seed = kSeed,
                            .direct = false,
                            .lanes = 2});
  EXPECT_EQ(measurement.status(), absl::DataLossError("read: the source was cut short"));
}

TEST_P(CopyModelTest, AReadThatEndsWithinABlockIsContinued) {
  // The source ends within its second block, and grows before the rest is read. The copy
  // must have both what was read before and what came later.
  const int64_t size = 2 * kBlock;
  ASSERT_TRUE(WritePattern(source_.get(), kSeed, size - 1000).ok());
  Recording recording(CopyWork::Blocks(size));
  class GrowingWork : public CopyWork {
   public:
    using CopyWork::CopyWork;
    bool Settle(int lane, ssize_t result) override {
      const bool is_short = !op(lane).is_write && result > 0 &&
                            result < static_cast<ssize_t>(op(lane).bytes);
      if (is_short) Grow();
      return CopyWork::Settle(lane, result);
    }
    bool has_grown() const { return has_grown_; }

   private:
    void Grow() {
      char rest[1000];
      FillPattern(kSeed, size_ - 1000, rest, sizeof(rest));
      EXPECT_EQ(pwrite(descriptors()[kSource], rest, sizeof(rest), size_ - 1000), 1000);
      has_grown_ = true;
    }
    const int64_t size_ = 2 * kBlock;
    bool has_grown_ = false;
  };
  GrowingWork work({.source = source_.get(),
                    .target = target_.get(),
                    .size = size,
                    .direct = false,
                    .lanes = 1},
                   &recording);
  const absl::Status status = GetParam()->run(&work, &recording);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(work.has_grown());
  const absl::Status copied = CheckPattern(target_.get(), kSeed, size);
  EXPECT_TRUE(copied.ok()) << copied;
}

TEST_P(CopyModelTest, AnErrorOfTheKernelIsReported) {
  ASSERT_TRUE(WritePattern(source_.get(), kSeed, 8 * kBlock).ok());
  const Descriptor read_only(open(scratch_.WriteFile("file", "").c_str(), O_RDONLY));
  Recording recording(8);
  CopyWork work({.source = source_.get(),
                 .target = read_only.get(),
                 .size = 8 * kBlock,
                 .direct = false,
                 .lanes = 4},
                &recording);
  EXPECT_EQ(GetParam()->run(&work, &recording), Failure("write", EBADF));
}

INSTANTIATE_TEST_SUITE_P(Models, CopyModelTest, testing::ValuesIn(CopyModelsUnderTest()),
                         [](const auto& info) { return TestName(info.param->name); });

// Tests, step by step, what a lane does after a short result.
class CopyWorkTest : public testing::Test {
 protected:
  static constexpr int kLane = 0;

  // The lane's next request, such as "read 4096 at 0".
  static std::string Asked(const CopyWork& work) {
    const FileOp& op = work.op(kLane);
    return (op.is_write ? "write " : "read ") + std::to_string(op.bytes) + " at " +
           std::to_string(op.position);
  }

  Recording recording_{1};
};

TEST_F(CopyWorkTest, ShortTransfersAreContinued) {
  CopyWork work({.source = 0, .target = 1, .size = 1000, .lanes = 1}, &recording_);
  ASSERT_TRUE(work.Start(kLane));
  EXPECT_EQ(Asked(work), "read 1000 at 0");
  ASSERT_TRUE(work.Settle(kLane, 300));
  EXPECT_EQ(Asked(work), "write 300 at 0");
  ASSERT_TRUE(work.Settle(kLane, 100));
  EXPECT_EQ(Asked(work), "write 200 at 100");
  ASSERT_TRUE(work.Settle(kLane, -EINTR));
  EXPECT_EQ(Asked(work), "write 200 at 100");
  ASSERT_TRUE(work.Settle(kLane, 200));
  EXPECT_EQ(Asked(work), "read 700 at 300");
  ASSERT_TRUE(work.Settle(kLane, -EAGAIN));
  ASSERT_TRUE(work.Settle(kLane, 700));
  EXPECT_EQ(Asked(work), "write 700 at 300");
  EXPECT_FALSE(work.Settle(kLane, 700));
  EXPECT_TRUE(work.status().ok());
}

TEST_F(CopyWorkTest, WithDirectIoEverythingStaysAligned) {
  CopyWork work({.source = 0, .target = 1, .size = 10000, .direct = true, .lanes = 1},
                &recording_);
  ASSERT_TRUE(work.Start(kLane));
  EXPECT_EQ(Asked(work), "read 12288 at 0");
  ASSERT_TRUE(work.Settle(kLane, 5000));
  EXPECT_EQ(Asked(work), "write 4096 at 0");
  ASSERT_TRUE(work.Settle(kLane, 4096));
  EXPECT_EQ(Asked(work), "read 8192 at 4096");
  ASSERT_TRUE(work.Settle(kLane, 5904));
  EXPECT_EQ(Asked(work), "write 8192 at 4096");
  ASSERT_TRUE(work.Settle(kLane, 4608));
  EXPECT_EQ(Asked(work), "write 4096 at 8192");
  EXPECT_FALSE(work.Settle(kLane, 4096));
  EXPECT_TRUE(work.status().ok());
}

TEST_F(CopyWorkTest, NoProgressIsAnErrorAndNotALoop) {
  for (const bool direct : {false, true}) {
    CopyWork reading(
        {.source = 0, .target = 1, .size = 10000, .direct = direct, .lanes = 1},
        &recording_);
    ASSERT_TRUE(reading.Start(kLane));
    EXPECT_FALSE(reading.Settle(kLane, direct ? 512 : 0));
    EXPECT_TRUE(absl::IsDataLoss(reading.status())) << reading.status();
    CopyWork writing(
        {.source = 0, .target = 1, .size = 10000, .direct = direct, .lanes = 1},
        &recording_);
    ASSERT_TRUE(writing.Start(kLane));
    ASSERT_TRUE(writing.Settle(kLane, 10000));
    EXPECT_FALSE(writing.Settle(kLane, 0));
    EXPECT_TRUE(absl::IsDataLoss(writing.status())) << writing.status();
  }
}

TEST(ScratchFileTest, AWrongByteIsFound) {
  const ScratchDirectory scratch;
  const absl::StatusOr<Descriptor> file = MakeScratchFile(scratch.path());
  ASSERT_TRUE(file.ok()) << file.status();
  constexpr int64_t kSize = 3000001;
  ASSERT_TRUE(WritePattern(file->get(), kSeed, kSize).ok());
  EXPECT_TRUE(CheckPattern(file->get(), kSeed, kSize).ok());
  EXPECT_FALSE(CheckPattern(file->get(), kSeed + 1, kSize).ok());
  EXPECT_FALSE(CheckPattern(file->get(), kSeed, kSize - 1).ok());
  for (const off_t place : {off_t{0}, off_t{1234567}, off_t{kSize - 1}}) {
    char byte = 0;
    ASSERT_EQ(pread(file->get(), &byte, 1, place), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(pwrite(file->get(), &byte, 1, place), 1);
    EXPECT_TRUE(absl::IsDataLoss(CheckPattern(file->get(), kSeed, kSize))) << place;
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(pwrite(file->get(), &byte, 1, place), 1);
  }
}

}  // namespace
}  // namespace ringcp::io_models
