#include "cli/job_output.h"

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {

std::string CopiedLine(std::string_view source, std::string_view target,
                       std::string_view backup) {
  return absl::StrCat(
      Quote(source), " -> ", Quote(target),
      backup.empty() ? "" : absl::StrCat(" (backup: ", Quote(backup), ")"));
}

}  // namespace ringcp
