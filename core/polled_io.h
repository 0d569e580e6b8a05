// Reading and writing with completions asked for at the device (--iopoll), instead of
// waiting for its interrupts: for a job, whether it can, as found out by trying.
//
// Kernels, file systems and devices that can't poll answer EOPNOTSUPP (or EINVAL, which
// O_DIRECT also has for other reasons). So a refusal is believed once the same read or
// write has gone well without polling.
//
// Known for the job as a whole: where one of its devices can't be polled, from then on
// none is.
//
// Thread-safety: all methods may be called by any thread, and take no lock.

#ifndef RINGCP_CORE_POLLED_IO_H_
#define RINGCP_CORE_POLLED_IO_H_

#include <atomic>
#include <cerrno>

#include "core/file_error.h"

namespace ringcp {

class PolledIo {
 public:
  // What was refused, and how.
  struct Refusal {
    Operation operation = Operation::kRead;  // Or kWrite.
    int error_number = 0;                    // 0: nothing was.
  };

  // Whether `result` may say that polling is not to be had.
  static bool MayBeRefusal(int result) {
    return result == -EOPNOTSUPP || result == -EINVAL;
  }

  bool refused() const { return refused_.load(std::memory_order_relaxed); }
  // Polls no more. Whether this is the first that is heard of it.
  bool NoteRefused() { return !refused_.exchange(true, std::memory_order_relaxed); }

 private:
  std::atomic<bool> refused_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_POLLED_IO_H_
