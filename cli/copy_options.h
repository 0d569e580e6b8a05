// The options of `ringcp`: one table for the parser, --help, the manual page and the
// shell's completion (option_table.h).
//
// Thread-safety: a constant table. What the rows do is as safe as what they change.

#ifndef RINGCP_CLI_COPY_OPTIONS_H_
#define RINGCP_CLI_COPY_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/copy_command_line.h"
#include "cli/option_table.h"

namespace ringcp {

// What the options say, before they are looked at together and operands are added.
struct ParsedOptions {
  CopyCommandLine command_line;
  std::optional<std::string> target_directory;
  bool no_target_directory = false;
  bool no_clobber = false;  // It wins over --update, in any order.
  bool hard_links = false;
  bool symbolic_links = false;
  bool makes_backups = false;
  std::string backup;  // The kind; "": none was named.
  std::optional<std::string> backup_suffix;
};

struct CopyOptionRow {
  OptionText text;
  // Takes in that the option was given; `argument` is nullptr if it was given without
  // one. Errors: InvalidArgument for a word that GNU's argmatch would refuse,
  // Unimplemented for what cp can do but ringcp can't, FailedPrecondition for a
  // contradiction. Only after the last one the user is not told to try --help.
  absl::Status (*apply)(const OptionText& option, const char* argument,
                        ParsedOptions* parsed) = nullptr;
};

// In the order of --help.
const std::vector<CopyOptionRow>& CopyOptionRows();

// The texts of the rows, in the same order.
std::vector<const OptionText*> CopyOptionTexts();

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_OPTIONS_H_
