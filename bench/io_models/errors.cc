#include "bench/io_models/errors.h"

#include <string.h>

#include "absl/strings/str_cat.h"

namespace ringcp::io_models {

std::string ErrnoText(int error_number) {
  const char* name = strerrorname_np(error_number);
  if (name == nullptr) return absl::StrCat("error ", error_number);
  return absl::StrCat(name, " (", strerrordesc_np(error_number), ")");
}

absl::Status Failure(const std::string& operation, int error_number) {
  return absl::InternalError(absl::StrCat(operation, ": ", ErrnoText(error_number)));
}

absl::Status Refusal(const std::string& operation, int error_number) {
  return absl::UnavailableError(absl::StrCat(operation, ": ", ErrnoText(error_number)));
}

bool IsRefusal(const absl::Status& status) { return absl::IsUnavailable(status); }

}  // namespace ringcp::io_models
