// A job's output for scripts: one JSON object in each line on standard error, with one of
// the keys "state" (beside "progress"), "error", "warning", "failure", "copied",
// "removed", "unbackup", "question", "debug". States, progress and file errors are
// ringcp.v1's in protobuf's JSON mapping.
//
//   {"state":"RUNNING","progress":{"bytesDone":"4096",...,"scanComplete":true}}
//   {"error":{"path":"/a","operation":"open","errnoName":"EACCES","message":"..."}}
//   {"state":"FAILED","progress":{...}}
//
// The last line, and no other, has a final state.
//
// Thread-safety: all functions may be called by any thread.

#ifndef RINGCP_CLI_JSON_JOB_OUTPUT_H_
#define RINGCP_CLI_JSON_JOB_OUTPUT_H_

#include <mutex>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cli/job_output.h"

namespace ringcp {

class JsonJobOutput : public JobOutput {
 public:
  // The shortest time between two lines of progress.
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);

  // Writes to `descriptor`, which stays the caller's.
  explicit JsonJobOutput(int descriptor) : descriptor_(descriptor) {}

  bool WantsProgress() const override { return true; }
  void ShowProgress(v1::Job::State state, const v1::Progress& progress,
                    absl::Time now) override;
  void StopProgress() override {}
  void PrintError(const v1::FileError& error) override;
  void PrintFailure(std::string_view message) override;
  void PrintWarning(std::string_view message) override;
  void PrintDebug(std::string_view message) override;
  void PrintCopied(std::string_view source, std::string_view target,
                   std::string_view backup, const ContentsRoute* route) override;
  void PrintBegun(std::string_view /*source*/, std::string_view /*target*/,
                  std::string_view /*backup*/) override {}
  void PrintSkipped(std::string_view target) override;
  void PrintMadeParent(std::string_view source, std::string_view target) override;
  void PrintTakenBack(std::string_view backup, std::string_view target) override;
  void PrintRemoved(std::string_view target) override;
  void ShowQuestion(std::string_view question) override;
  void EndQuestion() override {}
  bool Finish(v1::Job::State state, const v1::Progress& progress) override;

 private:
  // Writes one object and a newline.
  void WriteObject(const std::string& object);

  const int descriptor_;
  std::mutex mutex_;
  // Protected by mutex_:
  absl::Time next_progress_ = absl::InfinitePast();
  int error_number_ = 0;  // The errno of the first write that failed.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_JSON_JOB_OUTPUT_H_
