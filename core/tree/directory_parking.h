// Closes the descriptors of a directory that waits for what is below it, and opens them
// again: stepwise beneath the nearest directory above that is open, or by one step up
// from a child; never through a link that was not followed before; and only if each
// directory on the way is still the one that it was.
//
// Thread-safety: while a directory is parked or reopened, none above it is by another
// thread.

#ifndef RINGCP_CORE_TREE_DIRECTORY_PARKING_H_
#define RINGCP_CORE_TREE_DIRECTORY_PARKING_H_

#include "core/kernel/kernel.h"
#include "core/tree/directory.h"

namespace ringcp {

// Descriptors that reopening takes for a moment, besides those that it opens.
inline constexpr int kFilesToReopen = 2;

// Why a directory could not be opened again.
struct ReopenFailure {
  bool on_target = false;
  int error_number = 0;  // 0: another directory is there now.
};

// Closes both descriptors, those that are open. False, and nothing is closed, if the
// target can't be looked at, to be known again.
bool ParkDirectory(Kernel* kernel, Directory* directory);

// Opens what ParkDirectory() closed. `child` is one of its children, whose descriptors
// may be open, or nullptr. On failure nothing is open and `failure` says why.
bool ReopenDirectory(Kernel* kernel, Directory* directory, const Directory* child,
                     ReopenFailure* failure);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_PARKING_H_
