#include "cli/local_job.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/absolute_path.h"
#include "cli/engine_report_lines.h"
#include "cli/exit_code.h"
#include "cli/interrupt_signals.h"
#include "cli/job_output.h"
#include "cli/make_job_output.h"
#include "cli/overwrite_prompt.h"
#include "cli/progress_ticker.h"
#include "cli/usage.h"
#include "core/base/contents_route.h"
#include "core/base/engine_report.h"
#include "core/base/file_error.h"
#include "core/job/copy_job.h"
#include "core/kernel/open_files.h"
#include "proto/job_conversion.h"
#include "proto/ringcp.pb.h"

namespace ringcp {
namespace {

// Passes what happens in the job on to the output.
class OutputObserver : public JobObserver {
 public:
  OutputObserver(const CopyCommandLine& command_line, JobOutput* output)
      : verbose_(command_line.verbose || command_line.debug),
        debug_(command_line.debug),
        output_(output) {}

  void OnError(const FileError& error) override {
    FileError absolute = error;
    // Without a current directory only the message names the path.
    const absl::StatusOr<std::string> directory = CurrentDirectory();
    if (directory.ok()) absolute.path = AbsolutePath(*directory, error.path);
    output_->PrintError(FileErrorToApi(absolute));
  }
  void OnWarning(std::string_view message) override { output_->PrintWarning(message); }
  bool WantsCopied() const override { return verbose_; }
  void OnCopied(std::string_view source, std::string_view target, std::string_view backup,
                const ContentsRoute* route) override {
    output_->PrintCopied(source, target, backup, debug_ ? route : nullptr);
  }
  void OnBegun(std::string_view source, std::string_view target,
               std::string_view backup) override {
    output_->PrintBegun(source, target, backup);
  }
  void OnSkipped(std::string_view target) override {
    if (debug_) output_->PrintSkipped(target);
  }
  void OnMadeParent(std::string_view source, std::string_view target) override {
    output_->PrintMadeParent(source, target);
  }
  void OnTakenBack(std::string_view backup, std::string_view target) override {
    output_->PrintTakenBack(backup, target);
  }
  void OnRemoved(std::string_view target) override { output_->PrintRemoved(target); }
  // Async-signal-safe.
  void OnStopAsking() override { prompt_.Stop(); }
  bool OnAsk(std::string_view target, mode_t mode, bool removes) override {
    output_->ShowQuestion(OverwriteQuestion(target, mode, removes));
    const bool is_yes = prompt_.ReadAnswer();
    output_->EndQuestion();
    return is_yes;
  }

 private:
  const bool verbose_;
  const bool debug_;
  JobOutput* const output_;
  OverwritePrompt prompt_{STDIN_FILENO};
};

// What a signal interrupts.
struct Interrupted {
  CopyJob* job;
  OutputObserver* observer;
};

mode_t ReadUmask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

v1::Job::State StateOf(JobResult::Outcome outcome) {
  switch (outcome) {
    case JobResult::Outcome::kSucceeded:
      return v1::Job::SUCCEEDED;
    case JobResult::Outcome::kFailed:
      return v1::Job::FAILED;
    case JobResult::Outcome::kCancelled:
      return v1::Job::CANCELLED;
  }
  return v1::Job::STATE_UNSPECIFIED;
}

}  // namespace

int RunLocalJob(const CopyCommandLine& command_line, const std::string& program) {
  const std::unique_ptr<JobOutput> output =
      MakeJobOutput(command_line.progress, program, absl::Now());
  OutputObserver observer(command_line, output.get());
  CopyRequest request = command_line.request;
  request.options.umask = ReadUmask();
  RaiseOpenFilesMax();
  CopyJob job(std::move(request), &observer);
  Interrupted interrupted = {.job = &job, .observer = &observer};
  const InterruptSignals signals(
      [](void* argument) {
        const auto* const what = static_cast<Interrupted*>(argument);
        what->job->Cancel();
        what->observer->OnStopAsking();
      },
      &interrupted, InterruptSignals::Hangup::kInterrupts);

  JobResult result;
  {
    // If there is nothing to show, the job gets no second thread, because copying a small
    // file takes no longer than starting one.
    std::optional<ProgressTicker> ticker;
    if (output->WantsProgress()) {
      ticker.emplace([&job, &output] {
        output->ShowProgress(v1::Job::RUNNING,
                             ProgressToApi(job.progress(), job.engine_report()),
                             absl::Now());
      });
    }
    result = job.Run();
  }

  if (!result.status.ok()) {
    std::string message(result.status.message());
    if (absl::IsInvalidArgument(result.status)) {
      absl::StrAppend(&message, "\n", HelpHint(program));
    }
    output->PrintFailure(message);
  }
  const EngineReport report = job.engine_report();
  if (command_line.debug) {
    for (const std::string& line : EngineReportLines(report)) output->PrintDebug(line);
  }
  const bool all_written =
      output->Finish(StateOf(result.outcome), ProgressToApi(job.progress(), report));
  switch (result.outcome) {
    case JobResult::Outcome::kSucceeded:
      return all_written ? kExitSuccess : kExitFailure;
    case JobResult::Outcome::kFailed:
      return kExitFailure;
    case JobResult::Outcome::kCancelled:
      return ExitCodeOfSignal(signals.caught());
  }
  return kExitFailure;
}

}  // namespace ringcp
