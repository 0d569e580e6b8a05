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

#include "core/kernel/waited.h"

namespace ringcp {

class HelperChooser {
 public:
  // How many chains are handed over after one that waited. If all of them would wait, the
  // thread itself waits for only one in so many, to see whether they still do.
  static constexpr int kChainsHelped = 64;

  // Whether the next chain is to be handed over.
  bool Next() {
    if (to_help_ == 0) return false;
    --to_help_;
    return true;
  }

  // Notes whether a chain that was not handed over made the thread wait.
  void Note(Waited waited) {
    if (filter_.Counts(waited)) to_help_ = kChainsHelped;
  }

 private:
  int to_help_ = 0;
  WaitFilter filter_{/*stays_alert=*/true};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_CHOOSER_H_
