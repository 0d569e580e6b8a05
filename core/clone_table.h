// Which pairs of file systems can't share blocks between files (reflinks, FICLONE): found
// out once by trying, and remembered for a job, so that its other files are copied
// without trying again.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_CLONE_TABLE_H_
#define RINGCP_CORE_CLONE_TABLE_H_

#include <sys/types.h>

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/mutex.h"

namespace ringcp {

class CloneTable {
 public:
  // For a source whose device is not known before it is open.
  static constexpr dev_t kAnyDevice = 0;

  // Notes that files can't be cloned from `source` to `target`.
  void NoteRefused(dev_t source, dev_t target);
  // With kAnyDevice as the source: whether any has been refused.
  bool Refused(dev_t source, dev_t target) const;

  // Whether `error_number` says that no file of a pair of file systems can be cloned, not
  // just this one.
  static bool RefusesAll(int error_number);

 private:
  mutable Mutex mutex_;
  // Few: most jobs have one.
  std::vector<std::pair<dev_t, dev_t>> refused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_CLONE_TABLE_H_
