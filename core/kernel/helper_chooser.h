// Chooses whether a chain of ops that io_uring has no opcode for is carried out on the
// ring's thread or by a helper thread, depending on whether such chains have made the
// ring's thread wait.
//
// Why: an op that needs only memory takes about a microsecond, and handing it over takes
// ten times that. An op that a server or a disk has to answer takes a hundred
// microseconds or more. On the ring's thread it would hold up all files that the thread
// has in flight.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
#define RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_

#include <algorithm>
#include <chrono>

namespace ringcp {

class HelperChooser {
 public:
  // A chain that takes less time did not wait for a device or a server.
  static constexpr std::chrono::microseconds kSlowMin{50};
  // How many chains are handed over after one that waited. If all of them would wait, the
  // thread itself waits for only one in so many, to see whether they still do.
  static constexpr int kChainsHelped = 64;
  // A wait that was not for a device (but for a lock, a full queue, or perhaps a server)
  // counts only if there are two in so many chains.
  static constexpr int kChainsPerOtherWait = 8;

  // A wait that took longer was for a server, if not for a device: locks are not held
  // that long.
  static constexpr std::chrono::milliseconds kLongMin{1};

  // Whether the next chain is to be handed over.
  bool Next() {
    if (to_help_ == 0) return false;
    --to_help_;
    return true;
  }

  // Notes whether a chain that was not handed over made the thread wait (`waited`), and
  // whether that was for a device, or for long (`for_device`).
  void NoteWait(bool waited, bool for_device) {
    other_waits_ = waited && !for_device ? other_waits_ + kChainsPerOtherWait
                                         : std::max(0, other_waits_ - 1);
    if (!for_device && other_waits_ <= kChainsPerOtherWait) return;
    // Soon after this, one more wait of any kind counts by itself.
    other_waits_ = kChainsPerOtherWait;
    to_help_ = kChainsHelped;
  }

 private:
  int to_help_ = 0;
  int other_waits_ = 0;  // Falls by one with each chain that doesn't wait.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
