#include "cli/usage.h"

#include <string.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/line_writer.h"
#include "cli/write_all.h"

namespace ringcp {

std::string HelpHint(const std::string& program) {
  return absl::StrCat("Try '", program, " --help' for more information.");
}

int ReportUsageError(const std::string& program, const UsageError& error) {
  std::string lines;
  if (!error.message.empty()) {
    absl::StrAppend(&lines, program, ": ", error.message, "\n");
  }
  if (error.suggest_help) {
    absl::StrAppend(&lines, HelpHint(program), "\n");
  }
  WriteAll(STDERR_FILENO, lines);
  return kExitFailure;
}

int PrintText(const std::string& program, const std::string& text) {
  LineWriter standard_output(STDOUT_FILENO);
  standard_output.WriteLine(text);
  if (standard_output.Flush()) return kExitSuccess;
  WriteAll(STDERR_FILENO, absl::StrCat(program, ": write error: ",
                                       strerror(standard_output.error_number()), "\n"));
  return kExitFailure;
}

}  // namespace ringcp
