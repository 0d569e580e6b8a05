#include "cli/argument_match.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {

absl::StatusOr<size_t> MatchArgument(std::string_view option, std::string_view argument,
                                     std::span<const std::string_view> words) {
  std::optional<size_t> begun;
  bool ambiguous = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == argument) return i;
    if (!words[i].starts_with(argument)) continue;
    ambiguous = ambiguous || begun.has_value();
    begun = i;
  }
  if (begun.has_value() && !ambiguous) return *begun;

  std::string message =
      absl::StrCat(ambiguous ? "ambiguous" : "invalid", " argument ", Quote(argument),
                   " for ", Quote(option), "\nValid arguments are:");
  for (std::string_view word : words) absl::StrAppend(&message, "\n  - ", Quote(word));
  return absl::InvalidArgumentError(message);
}

}  // namespace ringcp
