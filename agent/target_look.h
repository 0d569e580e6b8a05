// Looks at the file system for where a job will write: follows the target's path step by
// step, links included, as the kernel would for the job.
//
// What it can't see: a directory that is mounted at several places (bind mounts) has one
// identity in all of them, but what lies above it differs; and links below the target
// lead wherever they lead. There two jobs are kept apart only while both write to one
// file.
//
// Thread-safety: pure apart from looking at the file system. That may take as long as a
// file system takes to answer, so it is not done under a lock.

#ifndef RINGCP_AGENT_TARGET_LOOK_H_
#define RINGCP_AGENT_TARGET_LOOK_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/target_footprint.h"
#include "core/base/copy_options.h"

namespace ringcp {

// The footprint that a job for `request` would have if it ran now. It holds for as long
// as nobody but jobs that it doesn't overlap with changes what leads to the target.
// REQUIRES: request.target is absolute.
TargetFootprint LookAtTarget(const CopyRequest& request);

// Whether `path`, an absolute one, leads to what each process has of its own, as
// /proc/self/fd/0 does, and /dev/stdin and all links to that (a name "self" or
// "thread-self" of procfs is met on the way), or, with `is_opened`, /dev/tty. False where
// it leads nowhere, or can't be looked at. A link that is its last name is followed only
// with `follows_last`. UNAVAILABLE for want of descriptors or memory.
absl::StatusOr<bool> LeadsToOwnOfProcess(const std::string& path, bool follows_last,
                                         bool is_opened);

// The first of the paths that a job for `request` would read or write, as named, that
// leads to what each process has of its own; "" if none does. What lies below a source
// that is a directory is not looked at. UNAVAILABLE for want of descriptors or memory.
// REQUIRES: request.target and the sources are absolute.
absl::StatusOr<std::string> PathToOwnOfProcess(const CopyRequest& request);

}  // namespace ringcp

#endif  // RINGCP_AGENT_TARGET_LOOK_H_
