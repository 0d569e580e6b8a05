// Closes the descriptors of a directory that waits for what is below it, and opens them
// again: step by step beneath the nearest open directory above it, or by one step up from
// a child. Reopening follows no symbolic link that was not followed before, and fails
// unless each directory on the way is still the same.
//
// Thread-safety: while a thread parks or reopens a directory, no other thread does that
// to one above it.

#ifndef RINGCP_CORE_TREE_DIRECTORY_PARKING_H_
#define RINGCP_CORE_TREE_DIRECTORY_PARKING_H_

#include "core/kernel/kernel.h"
#include "core/tree/directory.h"

namespace ringcp {

// Descriptors that reopening needs for a moment, besides those that it leaves open.
inline constexpr int kFilesToReopen = 2;

// Why a directory could not be opened again.
struct ReopenFailure {
  bool on_target = false;
  int error_number = 0;  // 0: another directory is there now.
};

// Closes the source's and the target's descriptor, if they are open. Returns false, with
// nothing closed, if a stat of the target fails: then the target could not be recognized
// later.
bool ParkDirectory(Kernel* kernel, Directory* directory);

// Opens what ParkDirectory() closed. `child` is a child of the directory, whose
// descriptors may be open, or nullptr. On failure nothing is open, and `failure` says
// why.
bool ReopenDirectory(Kernel* kernel, Directory* directory, const Directory* child,
                     ReopenFailure* failure);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_PARKING_H_
