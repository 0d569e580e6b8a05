// The options that make backups: rows of the table of options (copy_options.h), and what
// they come to together with the environment.
//
// Thread-safety: as safe as what they change.

#ifndef RINGCP_CLI_BACKUP_OPTIONS_H_
#define RINGCP_CLI_BACKUP_OPTIONS_H_

#include <array>
#include <string_view>

#include "absl/status/status.h"
#include "cli/copy_options.h"

namespace ringcp {

// What kinds of backups are called: each has two words.
inline constexpr std::array<std::string_view, 8> kBackupWords = {
    "none", "off", "simple", "never", "existing", "nil", "numbered", "t"};

// -b, --backup
absl::Status SetBackup(const OptionText& option, const char* argument,
                       ParsedOptions* parsed);
// -S, --suffix
absl::Status SetBackupSuffix(const OptionText& option, const char* argument,
                             ParsedOptions* parsed);

// Sets what kind of backups is made, from the options, or from VERSION_CONTROL and
// SIMPLE_BACKUP_SUFFIX. InvalidArgument, as from the rows, for a kind that GNU cp does
// not know.
absl::Status ResolveBackups(const CopyEnvironment& environment, ParsedOptions* parsed);

}  // namespace ringcp

#endif  // RINGCP_CLI_BACKUP_OPTIONS_H_
