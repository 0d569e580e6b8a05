// Takes the reports of a job's threads about what went wrong. It words each failure like
// GNU cp, and hands the messages to the job's observer one at a time.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_FILE_REPORTER_H_
#define RINGCP_CORE_FILE_REPORTER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/contents_route.h"
#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/base/job_observer.h"
#include "core/base/mutex.h"
#include "core/file/copy_policy.h"

namespace ringcp {

// Why copying `source` to `target` has failed, in words.
FileError WordFailure(const CopyFailure& failure, std::string_view source,
                      std::string_view target);

class Reporter {
 public:
  // REQUIRES: `observer` outlives the reporter.
  explicit Reporter(JobObserver* observer)
      : observer_(observer), wants_copied_(observer->WantsCopied()) {}

  void Report(const FileError& error);
  // Reports why copying `source` to `target` has failed.
  void Report(const CopyFailure& failure, std::string_view source,
              std::string_view target);
  void Warn(std::string_view message);
  // Tells of extended attributes that the copy of `source` lacks, each with the reason:
  // as errors if `preserve` says that they are required, otherwise as warnings.
  void TellOfXattrs(const std::vector<CopyFailure>& failures, const Preserve& preserve,
                    std::string_view source, std::string_view target);

  // The user has said that something is not to be replaced. As in GNU cp that makes the
  // job fail, without a word.
  void CountDeclined() { errors_.fetch_add(1, std::memory_order_relaxed); }

  // Whether the observer wants Copied() and the like: ask before building their paths.
  bool wants_copied() const { return wants_copied_; }
  // `backup`: the name that the old target got; "" if it got none. `route`: see
  // JobObserver::OnCopied().
  void Copied(std::string_view source, std::string_view target,
              std::string_view backup = {}, const ContentsRoute* route = nullptr);
  // What was begun has failed.
  void Begun(std::string_view source, std::string_view target, std::string_view backup);
  void Skipped(std::string_view target);
  // `target` was made for what is below it, as `source` is above that (--parents).
  void MadeParent(std::string_view source, std::string_view target);
  void TakenBack(std::string_view backup, std::string_view target);
  void Removed(std::string_view target);

  // How many errors have been reported, or counted.
  int64_t errors() const { return errors_.load(std::memory_order_relaxed); }

 private:
  JobObserver* const observer_;
  const bool wants_copied_;
  std::atomic<int64_t> errors_ = 0;
  Mutex mutex_;  // Held while the observer is called.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_REPORTER_H_
