#include "bench/io_models/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringcp::io_models {
namespace {

// In seconds: shorter times are as good as none, and this avoids a division by zero.
constexpr double kInstant = 1e-9;

constexpr double kMebibyte = 1024 * 1024;

}  // namespace

double ThroughputOf(const WorkResult& work, const Measurement& measurement) {
  const double amount = work.throughput_bytes
                            ? static_cast<double>(measurement.bytes) / kMebibyte
                            : static_cast<double>(measurement.operations);
  return amount / std::max(measurement.wall_seconds, kInstant);
}

std::string WordsInstead(const ModelResult& result) {
  switch (result.outcome) {
    case Outcome::kMeasured:
      return "";
    case Outcome::kRefused:
      return absl::StrCat("refused: ", result.reason);
    case Outcome::kNotApplicable:
      return absl::StrCat("does not apply: ", result.reason);
    case Outcome::kFailed:
      return absl::StrCat("FAILED: ", result.reason);
  }
  return "";
}

double CpuPerOperation(const Measurement& measurement) {
  const auto operations =
      static_cast<double>(std::max<int64_t>(measurement.operations, 1));
  return measurement.cpu_seconds * 1e6 / operations;
}

}  // namespace ringcp::io_models
