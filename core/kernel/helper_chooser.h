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

#include "core/kernel/waited.h"

namespace ringcp {

class HelperChooser {
 public:
  // How many chains are handed over after one that waited. If all of them would wait, the
  // thread itself waits for only one in so many, to see whether they still do.
  static constexpr int kChainsHelped = 64;
  // A short wait counts only if there are two in so many chains.
  static constexpr int kChainsPerShortWait = 8;

  // Whether the next chain is to be handed over.
  bool Next() {
    if (to_help_ == 0) return false;
    --to_help_;
    return true;
  }

  // Notes whether a chain that was not handed over made the thread wait.
  void Note(Waited waited) {
    short_waits_ = waited == Waited::kShortly ? short_waits_ + kChainsPerShortWait
                                              : std::max(0, short_waits_ - 1);
    if (waited != Waited::kLong && short_waits_ <= kChainsPerShortWait) return;
    // Soon after this, one more wait of any kind counts by itself.
    short_waits_ = kChainsPerShortWait;
    to_help_ = kChainsHelped;
  }

 private:
  int to_help_ = 0;
  int short_waits_ = 0;  // Falls by one with each chain that doesn't wait.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
