// What a program tells about itself, and the forms it takes: --help, the manual page, and
// what bash completes. All are made of the same data, so they can't disagree.
//
// Thread-safety: plain values and pure functions.

#ifndef RINGCP_CLI_MANUAL_H_
#define RINGCP_CLI_MANUAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.h"

namespace ringcp {

// A name and what it means. Texts, here and below, are sentences without line breaks.
struct ManualRow {
  std::string_view name;
  std::string_view text;
};

struct Manual {
  std::string_view program;
  std::string_view summary;              // "copy files and directories"
  std::vector<std::string_view> usages;  // "[OPTION]... SOURCE TARGET"
  std::string_view description;
  std::vector<const OptionText*> options;
  std::vector<std::string_view> notes;  // Paragraphs.
  std::vector<ManualRow> environment;
  std::vector<ManualRow> exit_statuses;
};

// --help, for a program that was called as `program`. The last line has no newline.
std::string HelpText(const Manual& manual, const std::string& program);

// The page of section 1, for man(1).
std::string ManualPage(const Manual& manual);

// A script for bash that completes the options and the words of their arguments.
std::string BashCompletion(const Manual& manual);

}  // namespace ringcp

#endif  // RINGCP_CLI_MANUAL_H_
