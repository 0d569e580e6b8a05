// io_models: each model of I/O does the same work; reports what each one costs.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/command_line.h"
#include "bench/io_models/report.h"
#include "bench/io_models/report_chart.h"
#include "bench/io_models/report_json.h"
#include "bench/io_models/report_text.h"
#include "bench/io_models/runner.h"
#include "cli/exit_code.h"
#include "cli/usage.h"
#include "cli/write_all.h"
#include "core/base/file_error.h"
#include "core/kernel/standard_streams.h"

namespace ringcp::io_models {
namespace {

std::string DefaultDirectory() {
  const char* directory = getenv("TMPDIR");
  // Not /tmp, which is often a tmpfs: without a device there is nothing to compare.
  return directory == nullptr || *directory == '\0' ? "/var/tmp" : directory;
}

void Complain(const std::string& program, const std::string& message) {
  WriteAll(STDERR_FILENO, absl::StrCat(program, ": ", message, "\n"));
}

// Writes `text` and a newline to the file. Returns 0 or errno.
int WriteFile(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return errno;
  const int error_number = WriteAll(file, text + "\n");
  if (close(file) != 0 && error_number == 0) return errno;
  return error_number;
}

bool AnyFailed(const Report& report) {
  for (const WorkResult& work : report.works) {
    for (const ModelResult& model : work.models) {
      if (model.outcome == Outcome::kFailed) return true;
    }
  }
  return false;
}

int Run(const std::string& program, const CommandLine& command_line) {
  const absl::StatusOr<Report> report = RunWorks(
      command_line.options,
      [&](const std::string& work) { Complain(program, absl::StrCat(work, " ...")); });
  if (!report.ok()) {
    Complain(program, std::string(report.status().message()));
    return kExitFailure;
  }
  const int printed =
      PrintText(program, command_line.json ? ReportJson(*report) : ReportText(*report));
  if (printed != kExitSuccess) return printed;
  if (!command_line.chart_path.empty()) {
    const int error_number = WriteFile(command_line.chart_path, ReportChart(*report));
    if (error_number != 0) {
      Complain(program, absl::StrCat("cannot write ", Quote(command_line.chart_path),
                                     ": ", strerror(error_number)));
      return kExitFailure;
    }
  }
  return AnyFailed(*report) ? kExitFailure : kExitSuccess;
}

int Main(int argc, char** argv) {
  const std::string program = argv[0];
  auto parsed = ParseCommandLine(argc, argv, DefaultDirectory());
  if (const auto* error = std::get_if<UsageError>(&parsed)) {
    return ReportUsageError(program, *error);
  }
  const CommandLine& command_line = std::get<CommandLine>(parsed);
  switch (command_line.action) {
    case CommandLine::Action::kShowHelp:
      return PrintText(program, HelpText(program));
    case CommandLine::Action::kList:
      return PrintText(program, ListText());
    case CommandLine::Action::kRun:
      break;
  }
  return Run(program, command_line);
}

}  // namespace
}  // namespace ringcp::io_models

int main(int argc, char** argv) {
  ringcp::OccupyStandardStreams();
  return ringcp::io_models::Main(argc, argv);
}
