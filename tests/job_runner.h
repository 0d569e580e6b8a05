// Runs a CopyJob in a test and keeps everything that the job reports.
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
  std::vector<FileError> errors;  // In the order in which they were reported.
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> copied;

  bool succeeded() const { return result.outcome == JobResult::Outcome::kSucceeded; }
  bool cancelled() const { return result.outcome == JobResult::Outcome::kCancelled; }
  // The job's status and all errors' messages, sorted, one a line; "" if all went well.
  std::string Messages() const;
};

// Functions that watch a job while it runs. Each may be empty.
struct JobHooks {
  // Called by one of the job's threads after each entry copied; `count` begins with 1.
  std::function<void(CopyJob* job, int count)> on_copied;
  // Called by one of the job's threads for each error.
  std::function<void(const FileError& error)> on_error;
  // Called by a thread of its own as soon as the job has started. RunJob() returns only
  // after this has returned as well.
  std::function<void(CopyJob* job)> meanwhile;
};

JobRun RunJob(const CopyRequest& request, const JobHooks& hooks = {},
              const JobResources& resources = {});

// Options like those of a command line: each letter of "rp" or "a" is an option (r a d p
// P L H f n x T, and R for --remove-destination). The umask is the process's.
CopyOptions OptionsFor(const std::string& letters,
                       EngineChoice engine = EngineChoice::kAuto);

// Every engine, for tests that try each. kAuto queues as chains only what is large or not
// in memory; kUring queues everything that it can.
inline constexpr EngineChoice kEngines[] = {EngineChoice::kAuto, EngineChoice::kUring,
                                            EngineChoice::kThreads};
const char* EngineName(EngineChoice engine);

}  // namespace ringcp

#endif  // RINGCP_TESTS_JOB_RUNNER_H_
