#include "cli/text_job_output.h"

#include <string.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "proto/job_conversion.h"

namespace ringcp {

TextJobOutput::TextJobOutput(const std::string& program, ProgressMode mode,
                             absl::Time start)
    : program_(program),
      display_(STDERR_FILENO, mode, start),
      output_shares_terminal_(display_.is_live() && isatty(STDOUT_FILENO) != 0),
      standard_output_(STDOUT_FILENO) {}

void TextJobOutput::ShowProgress(v1::Job::State state, const v1::Progress& progress,
                                 absl::Time now) {
  if (state == v1::Job::QUEUED) {
    display_.UpdateWaiting(now);
  } else {
    display_.Update(ProgressFromApi(progress), progress.engine().limited_by(), now);
  }
}

void TextJobOutput::StopProgress() { display_.Clear(); }

void TextJobOutput::PrintMessage(std::string_view message) {
  // Flushes first, so that both outputs keep their order if they go to the same place.
  std::lock_guard<std::mutex> lock(mutex_);
  standard_output_.Flush();
  display_.Print(absl::StrCat(program_, ": ", std::string(message), "\n"));
}

void TextJobOutput::PrintError(const v1::FileError& error) {
  PrintMessage(error.message());
}

void TextJobOutput::PrintFailure(std::string_view message) { PrintMessage(message); }

void TextJobOutput::PrintWarning(std::string_view message) { PrintMessage(message); }

void TextJobOutput::PrintDebug(std::string_view message) { PrintMessage(message); }

void TextJobOutput::PrintCopied(std::string_view source, std::string_view target,
                                std::string_view backup, const ContentsRoute* route) {
  std::string lines = CopiedLine(source, target, backup);
  if (route != nullptr) absl::StrAppend(&lines, "\n", RouteLine(*route));
  PrintLine(lines);
}

void TextJobOutput::PrintSkipped(std::string_view target) {
  PrintLine(absl::StrCat("skipped ", Quote(target)));
}

void TextJobOutput::PrintMadeParent(std::string_view source, std::string_view target) {
  // GNU cp does not quote these.
  PrintLine(absl::StrCat(std::string(source), " -> ", std::string(target)));
}

void TextJobOutput::PrintTakenBack(std::string_view backup, std::string_view target) {
  PrintLine(absl::StrCat(Quote(backup), " -> ", Quote(target), " (unbackup)"));
}

void TextJobOutput::PrintRemoved(std::string_view target) {
  PrintLine(absl::StrCat("removed ", Quote(target)));
}

void TextJobOutput::PrintLine(std::string_view line) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (output_shares_terminal_) display_.Clear();
  standard_output_.WriteLine(line);
  if (output_shares_terminal_) display_.ShowPromptAgain();
}

void TextJobOutput::ShowQuestion(std::string_view question) {
  std::lock_guard<std::mutex> lock(mutex_);
  standard_output_.Flush();
  display_.ShowPrompt(absl::StrCat(program_, ": ", std::string(question)));
}

void TextJobOutput::EndQuestion() { display_.EndPrompt(); }

bool TextJobOutput::Finish(v1::Job::State /*state*/, const v1::Progress& /*progress*/) {
  display_.Clear();
  std::lock_guard<std::mutex> lock(mutex_);
  if (standard_output_.Flush()) return true;
  display_.Print(absl::StrCat(
      program_, ": write error: ", strerror(standard_output_.error_number()), "\n"));
  return false;
}

}  // namespace ringcp
