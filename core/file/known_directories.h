// The target directories that a job has found to be the ones above its sources'
// (--parents): those that it may reach through symbolic links, because these were there
// before.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_FILE_KNOWN_DIRECTORIES_H_
#define RINGCP_CORE_FILE_KNOWN_DIRECTORIES_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "core/base/file_identity.h"
#include "core/base/mutex.h"

namespace ringcp {

class KnownDirectories {
 public:
  // `stat`: of the open directory.
  void Add(const struct statx& stat) {
    MutexLock lock(&mutex_);
    directories_.emplace(DeviceOf(stat), stat.stx_ino);
  }
  bool Contains(const struct statx& stat) {
    MutexLock lock(&mutex_);
    return directories_.contains({DeviceOf(stat), stat.stx_ino});
  }

 private:
  Mutex mutex_;
  std::set<std::pair<dev_t, ino_t>> directories_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_KNOWN_DIRECTORIES_H_
