// Matches an option's argument against the words it may be, as GNU's programs do: any
// unambiguous beginning of a word will do.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_ARGUMENT_MATCH_H_
#define RINGCP_CLI_ARGUMENT_MATCH_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// The index in `words` of the one that `argument` is or unambiguously begins. Otherwise
// InvalidArgument, whose message is GNU's: several lines, the last without a newline,
// that name `option` ("--engine") and list `words`.
absl::StatusOr<size_t> MatchArgument(std::string_view option, std::string_view argument,
                                     std::span<const std::string_view> words);

}  // namespace ringcp

#endif  // RINGCP_CLI_ARGUMENT_MATCH_H_
