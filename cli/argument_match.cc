#include "cli/argument_match.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {

absl::StatusOr<size_t> MatchArgument(std::string_view option, std::string_view argument,
                                     std::span<const std::string_view> words,
                                     size_t synonyms) {
  std::optional<size_t> begun;
  bool ambiguous = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t value = i / synonyms;
    if (words[i] == argument) return value;
    if (!words[i].starts_with(argument)) continue;
    ambiguous = ambiguous || begun.value_or(value) != value;
    begun = value;
  }
  if (begun.has_value() && !ambiguous) return *begun;

  std::string message =
      absl::StrCat(ambiguous ? "ambiguous" : "invalid", " argument ", Quote(argument),
                   " for ", Quote(option), "\nValid arguments are:");
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StrAppend(&message, i % synonyms == 0 ? "\n  - " : ", ", Quote(words[i]));
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace ringcp
