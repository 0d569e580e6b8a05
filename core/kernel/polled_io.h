// Reading and writing with completions asked for at the device (--iopoll), instead of
// waiting for its interrupts: for a job, whether and how it can.
//
// What a device can do is asked first (PollableLength), for two reasons:
//  - Older kernels (6.1) take polled reads of devices without poll queues, and poll in
//    vain until the interrupt comes; newer ones (6.18) refuse them.
//  - A polled read or write that the block layer has to split may never end (seen with
//    Linux 6.1 and blocks of 1 MiB on an NVMe device that takes 512 KiB). So none is
//    longer than what the device takes in one piece, and devices that are made of others,
//    which split as they like, are not polled.
//
// File systems may refuse all the same, with EOPNOTSUPP (or EINVAL, which O_DIRECT also
// has for other reasons). Such a refusal is believed once the same read or write has gone
// well without polling.
//
// Known for the job as a whole: where one of its devices can't be polled, from then on
// none is.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_POLLED_IO_H_
#define RINGCP_CORE_KERNEL_POLLED_IO_H_

#include <sys/types.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "core/base/file_error.h"
#include "core/base/mutex.h"

namespace ringcp {

// How many bytes of files on `device` may be read or written in one polled operation: a
// multiple of 4096, 0 where it can't be polled. `sysfs` is "/sys" but for tests.
uint32_t PollableLength(const std::string& sysfs, dev_t device);

class PolledIo {
 public:
  // What was refused, and how.
  struct Refusal {
    Operation operation = Operation::kRead;  // Or kWrite.
    int error_number = 0;                    // 0: nothing was.
  };
  using LengthFunction = std::function<uint32_t(dev_t device)>;

  // `length` tells what PollableLength() does.
  explicit PolledIo(LengthFunction length) : length_(std::move(length)) {}

  // PollableLength() of a device, which is looked up once.
  uint32_t LengthMax(dev_t device);

  // Whether `result` may say that polling is not to be had.
  static bool MayBeRefusal(int result) {
    return result == -EOPNOTSUPP || result == -EINVAL;
  }

  bool refused() const { return refused_.load(std::memory_order_relaxed); }
  // Polls no more. Whether this is the first that is heard of it.
  bool NoteRefused() { return !refused_.exchange(true, std::memory_order_relaxed); }

 private:
  const LengthFunction length_;
  std::atomic<bool> refused_ = false;
  Mutex mutex_;
  std::map<dev_t, uint32_t> lengths_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_POLLED_IO_H_
