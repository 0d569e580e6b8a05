#include "agent/file_shares.h"

#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(FileSharesTest, EachJobGetsItsShareOfWhatConnectionsLeave) {
  const auto shares = ShareFiles(1024, 4);
  ASSERT_TRUE(shares.ok()) << shares.status();
  EXPECT_EQ(shares->connections_max, 1024 / FileShares::kConnectionsShare);
  EXPECT_EQ(shares->running_jobs_max, 4);
  EXPECT_EQ(shares->job_files_max,
            (1024 - FileShares::kOwnFiles - 1024 / FileShares::kConnectionsShare) / 4);
}

TEST(FileSharesTest, WithFewFilesFewerJobsRun) {
  const auto shares = ShareFiles(256, 64);
  ASSERT_TRUE(shares.ok()) << shares.status();
  EXPECT_EQ(shares->running_jobs_max, 3);
  EXPECT_GE(shares->job_files_max, FileShares::kJobFilesGood);
}

TEST(FileSharesTest, AllSharesTogetherAreNeverMoreThanThereAre) {
  for (int files_max = 0; files_max < 5000; ++files_max) {
    for (const int jobs : {1, 2, 4, 64}) {
      const auto shares = ShareFiles(files_max, jobs);
      if (!shares.ok()) continue;
      EXPECT_LE(FileShares::kOwnFiles + shares->connections_max +
                    shares->running_jobs_max * shares->job_files_max,
                files_max);
      EXPECT_GE(shares->connections_max, FileShares::kConnectionsMin);
      EXPECT_GE(shares->job_files_max, FileShares::kJobFilesMin);
      EXPECT_GE(shares->running_jobs_max, 1);
      EXPECT_LE(shares->running_jobs_max, jobs);
    }
  }
}

TEST(FileSharesTest, TooFewForASingleJobAreRefused) {
  const absl::Status status = ShareFiles(55, 4).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(
      status.message(),
      "this process may have only 55 files open, and an agent needs 56 (ulimit -n)");
  const auto least = ShareFiles(56, 4);
  ASSERT_TRUE(least.ok()) << least.status();
  EXPECT_EQ(least->running_jobs_max, 1);
  EXPECT_EQ(least->job_files_max, FileShares::kJobFilesMin);
}

}  // namespace
}  // namespace ringcp
