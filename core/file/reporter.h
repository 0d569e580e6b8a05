// Where the threads of a job report what went wrong: words each failure as GNU cp does,
// and hands it to the job's observer, one at a time.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_FILE_REPORTER_H_
#define RINGCP_CORE_FILE_REPORTER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "core/base/file_error.h"
#include "core/base/job_observer.h"
#include "core/base/mutex.h"
#include "core/file/copy_policy.h"

namespace ringcp {

class Reporter {
 public:
  // REQUIRES: `observer` outlives the reporter.
  explicit Reporter(JobObserver* observer)
      : observer_(observer), wants_copied_(observer->WantsCopied()) {}

  void Report(const FileError& error);
  // The failure of copying `source` to `target`.
  void Report(const CopyFailure& failure, std::string_view source,
              std::string_view target);
  void Warn(std::string_view message);
  // Says that the copy of `path` has an access control list or capabilities less than its
  // source; of a job once, because with one such file there are usually many.
  void WarnOfAccessLeftOut(std::string_view path);

  // Whether Copied() and Removed() do anything: ask before building the paths for it.
  bool wants_copied() const { return wants_copied_; }
  void Copied(std::string_view source, std::string_view target);
  // Likewise.
  void Removed(std::string_view target);

  // How many errors were reported.
  int64_t errors() const { return errors_.load(std::memory_order_relaxed); }

 private:
  JobObserver* const observer_;
  const bool wants_copied_;
  std::atomic<int64_t> errors_ = 0;
  std::atomic<bool> warned_of_access_ = false;
  Mutex mutex_;  // Held while the observer is called.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_REPORTER_H_
