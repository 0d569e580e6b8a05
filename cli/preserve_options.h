// The options that say what is kept of a file besides its contents: rows of the table of
// options (copy_options.h).
//
// Thread-safety: as safe as what they change.

#ifndef RINGCP_CLI_PRESERVE_OPTIONS_H_
#define RINGCP_CLI_PRESERVE_OPTIONS_H_

#include <array>
#include <string_view>

#include "absl/status/status.h"
#include "cli/copy_options.h"

namespace ringcp {

// What a list of attributes may have; the last one means all of them.
inline constexpr std::array<std::string_view, 7> kAttributeWords = {
    "mode", "timestamps", "ownership", "links", "context", "xattr", "all"};

// --preserve, also without a list, and -p.
absl::Status Preserve(const OptionText& option, const char* argument,
                      ParsedOptions* parsed);
// --no-preserve
absl::Status DontPreserve(const OptionText& option, const char* argument,
                          ParsedOptions* parsed);
// -d
absl::Status KeepLinksAsTheyAre(const OptionText& option, const char* argument,
                                ParsedOptions* parsed);
// -a
absl::Status Archive(const OptionText& option, const char* argument,
                     ParsedOptions* parsed);

}  // namespace ringcp

#endif  // RINGCP_CLI_PRESERVE_OPTIONS_H_
