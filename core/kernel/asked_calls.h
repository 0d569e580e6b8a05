// Opens and reads by system calls, but only what the kernel has in memory, so that the
// thread doesn't wait. The call itself asks for that (RESOLVE_CACHED of openat2(2),
// RWF_NOWAIT of preadv2(2)), so if the answer is yes, the work is already done.
//
// Why: whether a call made the thread wait is known only afterwards. Asking costs
// 2 to 6 % of such a call on ext4, XFS and Btrfs (Linux 6.18).
//
// Some file systems wait even if they are asked not to: FUSE asks its server to open a
// file although the name is cached. So AtOnceChooser also watches what ops carried out at
// once wait for.
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
  // Not a result of any op: the op would have had to wait, and was not carried out.
  static constexpr int32_t kWouldWait = std::numeric_limits<int32_t>::min();

  // Carries out `op`, or returns kWouldWait. If the system or the file system can't be
  // asked, carries `op` out even if that waits. REQUIRES: op.may_ask.
  int32_t Run(const Op& op);

 private:
  // After a read whose file system can't be asked (tmpfs, which has everything in memory;
  // FUSE), so many reads are carried out without asking, because asking first takes two
  // calls there.
  static constexpr int kReadsNotAsked = 256;

  int32_t Open(const Op& op);
  int32_t Read(const Op& op);

  bool can_ask_to_open_ = true;
  int reads_not_asked_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_ASKED_CALLS_H_
