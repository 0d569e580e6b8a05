// Opens and reads by system calls only what needs no waiting for, because the kernel has
// it in memory: it is asked in the call itself (RESOLVE_CACHED of openat2(2), RWF_NOWAIT
// of preadv2(2)), so nothing is done twice where the answer is yes.
//
// Why: whether a call made a thread wait is known only afterwards. Asking costs 2 to 6 %
// of such a call on ext4, XFS and Btrfs, about 50 ns (Linux 6.18).
//
// Some file systems wait all the same: FUSE asks its server to open a file whose name is
// known. So what calls at once wait for is watched as well (AtOnceChooser).
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_ASKED_CALLS_H_
#define RINGCP_CORE_KERNEL_ASKED_CALLS_H_

#include <cstdint>
#include <limits>

#include "core/kernel/op.h"

namespace ringcp {

class AskedCalls {
 public:
  // No op's result: it would have to wait, and has not been carried out.
  static constexpr int32_t kWouldWait = std::numeric_limits<int32_t>::min();

  // Carries out `op`, or returns kWouldWait. Where the system or the file system can't be
  // asked, it is carried out. REQUIRES: op.may_ask.
  int32_t Run(const Op& op);

 private:
  // Reads that are carried out without asking after one whose file system can't be asked
  // (tmpfs, which has all in memory; FUSE): the two calls are one then.
  static constexpr int kReadsNotAsked = 256;

  int32_t Open(const Op& op);
  int32_t Read(const Op& op);

  bool can_ask_to_open_ = true;
  int reads_not_asked_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_ASKED_CALLS_H_
