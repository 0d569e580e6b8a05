// A job's output for people: messages on standard error that begin with the program's
// name, as GNU cp writes them; the live line below them; and -v's lines on standard
// output.
//
// Thread-safety: all functions may be called by any thread.

#ifndef RINGCP_CLI_TEXT_JOB_OUTPUT_H_
#define RINGCP_CLI_TEXT_JOB_OUTPUT_H_

#include <mutex>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cli/job_output.h"
#include "cli/line_writer.h"
#include "cli/progress_display.h"
#include "cli/progress_mode.h"

namespace ringcp {

class TextJobOutput : public JobOutput {
 public:
  // `program` is argv[0]; `start` is when the job began.
  TextJobOutput(const std::string& program, ProgressMode mode, absl::Time start);

  bool WantsProgress() const override { return display_.is_live(); }
  void ShowProgress(v1::Job::State state, const v1::Progress& progress,
                    absl::Time now) override;
  void StopProgress() override;
  void PrintError(const v1::FileError& error) override;
  void PrintFailure(std::string_view message) override;
  void PrintWarning(std::string_view message) override;
  void PrintDebug(std::string_view message) override;
  void PrintCopied(std::string_view source, std::string_view target,
                   std::string_view backup, const ContentsRoute* route) override;
  void PrintBegun(std::string_view source, std::string_view target,
                  std::string_view backup) override {
    PrintCopied(source, target, backup, /*route=*/nullptr);
  }
  void PrintSkipped(std::string_view target) override;
  void PrintMadeParent(std::string_view source, std::string_view target) override;
  void PrintTakenBack(std::string_view backup, std::string_view target) override;
  void PrintRemoved(std::string_view target) override;
  void ShowQuestion(std::string_view question) override;
  void EndQuestion() override;
  bool Finish(v1::Job::State state, const v1::Progress& progress) override;

 private:
  // Prints a line of -v.
  void PrintLine(std::string_view line);
  void PrintMessage(std::string_view message);

  const std::string program_;
  ProgressDisplay display_;  // Locked after mutex_ if both are needed.
  // Whether standard output may be the terminal that shows the live line.
  const bool output_shares_terminal_;
  std::mutex mutex_;
  LineWriter standard_output_;  // Protected by mutex_.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_TEXT_JOB_OUTPUT_H_
