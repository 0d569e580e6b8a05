// Which pairs of file systems can't share blocks between files (reflinks, FICLONE): found
// out by trying, and remembered for a job, so that its other files are copied without
// trying again.
//
// A pair is known by the devices of the two directories: that of a source file is not
// known before it is open. Of a source named by the user it is the file's own.
//
// Thread-safety: all methods may be called by any thread. Refused() takes no lock: it is
// asked for every file.

#ifndef RINGCP_CORE_KERNEL_CLONE_TABLE_H_
#define RINGCP_CORE_KERNEL_CLONE_TABLE_H_

#include <sys/types.h>

#include <array>
#include <atomic>

#include "core/base/mutex.h"

namespace ringcp {

class CloneTable {
 public:
  // For a source whose device is not known yet.
  static constexpr dev_t kAnyDevice = 0;
  // Pairs that are remembered; most jobs have one. Of further ones each file is tried.
  static constexpr int kPairsMax = 16;

  // Notes that files can't be cloned from `source` to `target`.
  void NoteRefused(dev_t source, dev_t target);
  // With kAnyDevice as the source: whether any has been refused.
  bool Refused(dev_t source, dev_t target) const;

  // Whether `error_number` says that no file of a pair of file systems can be cloned, not
  // just this one.
  static bool RefusesAll(int error_number);

 private:
  struct Pair {
    dev_t source = 0;
    dev_t target = 0;
  };

  Mutex mutex_;  // Held by who adds one.
  std::array<Pair, kPairsMax> refused_;
  std::atomic<int> size_ = 0;  // What is below it does not change any more.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_CLONE_TABLE_H_
