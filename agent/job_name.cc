#include "agent/job_name.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "proto/field_violations.h"

namespace ringcp {
namespace {

constexpr char kPrefix[] = "jobs/";

}  // namespace

std::string NewJobName(absl::Time now) {
  std::random_device random;
  const auto digits = static_cast<uint32_t>(random() & 0xFFFFFF);
  return absl::StrCat(kPrefix,
                      absl::FormatTime("%Y%m%d-%H%M%S", now, absl::UTCTimeZone()), "-",
                      absl::Hex(digits, absl::kZeroPad6));
}

absl::Status ValidateJobName(std::string_view name) {
  if (name.starts_with(kPrefix) && name != kPrefix) {
    return absl::OkStatus();
  }
  return FieldViolation("name",
                        "must be a job's name, such as jobs/20261122-110532-4f3a9c");
}

}  // namespace ringcp
