// Matches an option's argument against the allowed words, as GNU's programs do: the
// argument may be any unambiguous beginning of a word.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_ARGUMENT_MATCH_H_
#define RINGCP_CLI_ARGUMENT_MATCH_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// The place in `words` of the word that `argument` equals, or unambiguously begins.
// Otherwise InvalidArgument with GNU's message: several lines, the last without a
// newline, that name `option` ("--engine") and list `words`. If a value has several
// words, these stand behind each other in `words`, `synonyms` of them for each value; the
// place is the value's then, and a beginning of several of them is not ambiguous.
absl::StatusOr<size_t> MatchArgument(std::string_view option, std::string_view argument,
                                     std::span<const std::string_view> words,
                                     size_t synonyms = 1);

}  // namespace ringcp

#endif  // RINGCP_CLI_ARGUMENT_MATCH_H_
