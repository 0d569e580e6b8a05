// The paths below the target directory that sources were copied to. They keep a later
// source from being copied over an earlier one of the same command.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_JOB_MADE_NAMES_H_
#define RINGCP_CORE_JOB_MADE_NAMES_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "core/base/mutex.h"

namespace ringcp {

class MadeNames {
 public:
  void Add(const std::string& name) {
    MutexLock lock(&mutex_);
    names_.insert(name);
  }
  bool Contains(const std::string& name) const {
    MutexLock lock(&mutex_);
    return names_.contains(name);
  }

 private:
  mutable Mutex mutex_;
  absl::flat_hash_set<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_MADE_NAMES_H_
