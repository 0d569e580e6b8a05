#include "agent/file_shares.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringcp {

absl::StatusOr<FileShares> ShareFiles(int files_max, int running_jobs_max) {
  RINGCP_CHECK(running_jobs_max >= 1);
  constexpr int kLeast =
      FileShares::kOwnFiles + FileShares::kConnectionsMin + FileShares::kJobFilesMin;
  if (files_max < kLeast) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process may have only ", files_max,
                     " files open, and an agent needs ", kLeast, " (ulimit -n)"));
  }
  FileShares shares;
  const int all = files_max - FileShares::kOwnFiles;
  shares.connections_max = std::clamp(
      std::min(files_max / FileShares::kConnectionsShare, all - FileShares::kJobFilesMin),
      FileShares::kConnectionsMin, FileShares::kConnectionsMax);
  const int for_jobs = all - shares.connections_max;
  shares.running_jobs_max =
      std::clamp(for_jobs / FileShares::kJobFilesGood, 1, running_jobs_max);
  shares.job_files_max = for_jobs / shares.running_jobs_max;
  return shares;
}

}  // namespace ringcp
