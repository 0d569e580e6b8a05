#include "cli/backup_options.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/option_actions.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// Of each two of kBackupWords.
constexpr std::array<Backup, 4> kBackups = {Backup::kNone, Backup::kSimple,
                                            Backup::kExisting, Backup::kNumbered};

// What `word` means, which `origin` was set to. Like MatchArgument(), but the words of
// one kind don't make each other ambiguous.
absl::StatusOr<Backup> MatchBackup(std::string_view origin, std::string_view word) {
  std::optional<size_t> found;
  bool is_ambiguous = false;
  for (size_t i = 0; i < kBackupWords.size(); ++i) {
    if (kBackupWords[i] == word) return kBackups[i / 2];
    if (!kBackupWords[i].starts_with(word)) continue;
    is_ambiguous = is_ambiguous || (found.has_value() && *found != i / 2);
    found = i / 2;
  }
  if (found.has_value() && !is_ambiguous) return kBackups[*found];
  std::string message =
      absl::StrCat(is_ambiguous ? "ambiguous" : "invalid", " argument ", Quote(word),
                   " for ", Quote(origin), "\nValid arguments are:");
  for (size_t i = 0; i < kBackupWords.size(); i += 2) {
    absl::StrAppend(&message, "\n  - ", Quote(kBackupWords[i]), ", ",
                    Quote(kBackupWords[i + 1]));
  }
  return absl::InvalidArgumentError(message);
}

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
    absl::StatusOr<Backup> backup =
        MatchBackup(is_given ? "backup type" : "$VERSION_CONTROL", word);
    if (!backup.ok()) return backup.status();
    options.backup = *backup;
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
