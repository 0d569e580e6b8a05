#include "cli/copy_program.h"

#include <signal.h>
#include <stdlib.h>

#include <string>
#include <variant>

#include "cli/copy_help.h"
#include "cli/usage.h"
#include "cli/user_locale.h"
#include "core/base/file_error.h"

namespace ringcp {

int RunCopyProgram(int argc, char** argv, const RunCopy& run) {
  // If nobody reads -v's lines any more, that is an error reported at the end; the signal
  // must not end the copy.
  signal(SIGPIPE, SIG_IGN);
  // Beyond the limit on a file's size (ulimit -f) a write fails. The signal would end the
  // process instead and leave half a file.
  signal(SIGXFSZ, SIG_IGN);
  QuoteForPerson(&IsUtf8LocaleOfUser);
  const std::string program = argv[0];

  auto parsed = ParseCopyCommandLine(argc, argv, CopyEnvironment::Get());
  if (const auto* error = std::get_if<UsageError>(&parsed)) {
    return ReportUsageError(program, *error);
  }
  CopyCommandLine& command_line = std::get<CopyCommandLine>(parsed);
  switch (command_line.action) {
    case CopyCommandLine::Action::kShowHelp:
      return PrintText(program, CopyHelp(program));
    case CopyCommandLine::Action::kShowVersion:
      return PrintText(program, VersionText("ringcp"));
    case CopyCommandLine::Action::kCopy:
      break;
  }
  command_line.request.options.writes_through_dangling_links =
      getenv("POSIXLY_CORRECT") != nullptr;
  return run(command_line, program);
}

}  // namespace ringcp
