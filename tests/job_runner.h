// Runs a CopyJob in a test and keeps all that it said.
//
// Thread-safety: pure but for the file system; a JobRun is a plain value.

#ifndef RINGCP_TESTS_JOB_RUNNER_H_
#define RINGCP_TESTS_JOB_RUNNER_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/job/copy_job.h"
#include "core/job/progress.h"

namespace ringcp {

struct JobRun {
  JobResult result;
  Progress progress;
  EngineReport report;
  std::vector<FileError> errors;  // In the order they came.
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> copied;

  bool succeeded() const { return result.outcome == JobResult::Outcome::kSucceeded; }
  bool cancelled() const { return result.outcome == JobResult::Outcome::kCancelled; }
  // What went wrong: the status of the job and the messages of all errors, sorted, one a
  // line; "" if nothing did.
  std::string Messages() const;
};

// How to look at a job while it runs. Each may be empty.
struct JobHooks {
  // Called by one of the job's threads each time something was copied; `count` from 1.
  std::function<void(CopyJob* job, int count)> on_copied;
  // Called by one of the job's threads with each error.
  std::function<void(const FileError& error)> on_error;
  // Called by a thread of its own as soon as the job has been started; the run ends when
  // it has returned as well.
  std::function<void(CopyJob* job)> meanwhile;
};

JobRun RunJob(const CopyRequest& request, const JobHooks& hooks = {},
              const JobResources& resources = {});

// Options as a command line would set them: letters as in "rp" or "a" (r a d p P L H f n
// x T, and R for --remove-destination), with the process's umask.
CopyOptions OptionsFor(const std::string& letters,
                       EngineChoice engine = EngineChoice::kAuto);

// Every choice, for tests that try each. kAuto does by chains only what is not in memory,
// or large; kUring all that it can.
inline constexpr EngineChoice kEngines[] = {EngineChoice::kAuto, EngineChoice::kUring,
                                            EngineChoice::kThreads};
const char* EngineName(EngineChoice engine);

}  // namespace ringcp

#endif  // RINGCP_TESTS_JOB_RUNNER_H_
