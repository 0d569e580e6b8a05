// Chooses whether a chain of ops that io_uring has no opcode for is carried out on the
// ring's thread or by a helper thread, by whether such chains have made the thread wait.
//
// Why: from memory such an op takes about a microsecond, and handing it over ten times
// that. Where a server or a disk has to answer it takes a hundred and more, each of which
// would stop the thread, and all files that it has in flight.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
#define RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_

#include <algorithm>
#include <chrono>

namespace ringcp {

class HelperChooser {
 public:
  // What takes less did not wait for a device or a server.
  static constexpr std::chrono::microseconds kSlowMin{50};
  // Chains that are handed over after one that waited: where all of them would, one in so
  // many is waited for alone, to see whether they still do.
  static constexpr int kChainsHelped = 64;
  // Waits that were not for a device (a lock, a full queue, a server: who knows) count
  // when there are two in so many chains.
  static constexpr int kChainsPerOtherWait = 8;

  // Whether the next chain is to be handed over.
  bool Next() {
    if (to_help_ == 0) return false;
    --to_help_;
    return true;
  }

  // Notes what the thread waited for in a chain that was not: anything at all, and a
  // device.
  void NoteWait(bool waited, bool for_device) {
    other_waits_ = waited && !for_device ? other_waits_ + kChainsPerOtherWait
                                         : std::max(0, other_waits_ - 1);
    if (!for_device && other_waits_ <= kChainsPerOtherWait) return;
    // The next one that waits counts by itself.
    other_waits_ = kChainsPerOtherWait;
    to_help_ = kChainsHelped;
  }

 private:
  int to_help_ = 0;
  int other_waits_ = 0;  // Falls by one with each chain that did not wait.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
