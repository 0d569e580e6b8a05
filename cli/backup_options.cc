#include "cli/backup_options.h"

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "cli/argument_match.h"

namespace ringcp {
namespace {

// What each two of kBackupWords mean.
constexpr std::array<Backup, 4> kBackups = {Backup::kNone, Backup::kSimple,
                                            Backup::kExisting, Backup::kNumbered};

}  // namespace

absl::Status SetBackup(const OptionText&, const char* argument, ParsedOptions* parsed) {
  parsed->makes_backups = true;
  if (argument != nullptr) parsed->backup = argument;
  return absl::OkStatus();
}

absl::Status SetBackupSuffix(const OptionText&, const char* argument,
                             ParsedOptions* parsed) {
  parsed->makes_backups = true;
  parsed->backup_suffix = argument;
  return absl::OkStatus();
}

absl::Status ResolveBackups(const CopyEnvironment& environment, ParsedOptions* parsed) {
  if (!parsed->makes_backups) return absl::OkStatus();
  CopyOptions& options = parsed->command_line.request.options;
  options.backup = Backup::kExisting;
  const bool is_given = !parsed->backup.empty();
  const std::string& word = is_given ? parsed->backup : environment.version_control;
  if (!word.empty()) {
    const absl::StatusOr<size_t> backup =
        MatchArgument(is_given ? "backup type" : "$VERSION_CONTROL", word, kBackupWords,
                      kBackupWords.size() / kBackups.size());
    if (!backup.ok()) return backup.status();
    options.backup = kBackups[*backup];
  }
  const std::string& suffix = parsed->backup_suffix.has_value()
                                  ? *parsed->backup_suffix
                                  : environment.simple_backup_suffix;
  // A suffix that would lead to another directory is ignored, as by GNU cp, and so is one
  // that ends with a slash.
  if (!suffix.empty() && suffix.find('/') == std::string::npos) {
    options.backup_suffix = suffix;
  }
  return absl::OkStatus();
}

}  // namespace ringcp
