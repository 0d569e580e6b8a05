// What the rows of the table of options do, where several do the same (copy_options.h).
//
// Thread-safety: as safe as what they change.

#ifndef RINGCP_CLI_OPTION_ACTIONS_H_
#define RINGCP_CLI_OPTION_ACTIONS_H_

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/argument_match.h"
#include "cli/copy_options.h"
#include "core/base/file_error.h"

namespace ringcp {

inline CopyOptions& OptionsOf(ParsedOptions* parsed) {
  return parsed->command_line.request.options;
}

// Sets a member of CopyOptions; the next two, one of ParsedOptions or CopyCommandLine.
template <auto kMember, auto kValue>
absl::Status Set(const OptionText&, const char*, ParsedOptions* parsed) {
  OptionsOf(parsed).*kMember = kValue;
  return absl::OkStatus();
}

template <auto kMember, auto kValue>
absl::Status SetInParsed(const OptionText&, const char*, ParsedOptions* parsed) {
  parsed->*kMember = kValue;
  return absl::OkStatus();
}

template <auto kMember, auto kValue>
absl::Status SetInCommandLine(const OptionText&, const char*, ParsedOptions* parsed) {
  parsed->command_line.*kMember = kValue;
  return absl::OkStatus();
}

// The value in `values` at the place of the word that `argument` is, or begins.
template <typename Value, size_t kCount>
absl::Status Match(const OptionText& option, const char* argument,
                   const std::array<Value, kCount>& values, Value* value) {
  absl::StatusOr<size_t> word =
      MatchArgument(absl::StrCat("--", option.word), argument, option.values);
  if (!word.ok()) return word.status();
  *value = values[*word];
  return absl::OkStatus();
}

template <auto kMember, const auto& kValues>
absl::Status SetToWord(const OptionText& option, const char* argument,
                       ParsedOptions* parsed) {
  return Match(option, argument, kValues, &(OptionsOf(parsed).*kMember));
}

// The same for an argument that need not be there: then it is kDefault.
template <auto kMember, const auto& kValues, auto kDefault>
absl::Status SetToOptionalWord(const OptionText& option, const char* argument,
                               ParsedOptions* parsed) {
  if (argument != nullptr) return SetToWord<kMember, kValues>(option, argument, parsed);
  return Set<kMember, kDefault>(option, nullptr, parsed);
}

// A decimal number from 1 to kMost.
template <auto kMember, int kMost>
absl::Status SetCount(const OptionText& option, const char* argument,
                      ParsedOptions* parsed) {
  int& count = OptionsOf(parsed).tuning.*kMember;
  if (absl::SimpleAtoi(argument, &count) && count >= 1 && count <= kMost) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid argument ", Quote(argument), " for '--", option.word,
                   "': must be a number from 1 to ", kMost));
}

}  // namespace ringcp

#endif  // RINGCP_CLI_OPTION_ACTIONS_H_
