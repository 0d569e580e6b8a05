// Finds out where a job will write: follows the target's path in the file system step by
// step, links included, as the kernel would for the job.
//
// It can't see everything. A directory that is mounted at several places (bind mounts)
// has the same identity in all of them, but different directories above it; and links
// below the target may lead anywhere. Two jobs that meet this way are kept apart only
// while both write to the same file.
//
// Thread-safety: pure, but it reads the file system. That may take as long as the file
// system takes to answer, so callers hold no lock.

#ifndef RINGCP_AGENT_TARGET_LOOK_H_
#define RINGCP_AGENT_TARGET_LOOK_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/target_footprint.h"
#include "core/base/copy_options.h"

namespace ringcp {

// The footprint that a job for `request` would have if it ran now. It stays valid as long
// as only jobs that don't overlap with it change what leads to the target.
// REQUIRES: request.target is absolute.
TargetFootprint LookAtTarget(const CopyRequest& request);

// Whether `path`, an absolute path, leads to something that is different in each process:
// /proc/self/fd/0, for example, or /dev/stdin, or any link to them (the way leads through
// a name "self" or "thread-self" of procfs); with `is_opened` also /dev/tty. False if the
// path leads nowhere or can't be looked at. If its last name is a link, that is followed
// only with `follows_last`. UNAVAILABLE if descriptors or memory are lacking.
absl::StatusOr<bool> LeadsToOwnOfProcess(const std::string& path, bool follows_last,
                                         bool is_opened);

// The first path that a job for `request` would read or write that leads to something
// that is different in each process, as the request names it; "" if there is none. What
// lies below a source directory is not looked at. UNAVAILABLE if descriptors or memory
// are lacking.
// REQUIRES: request.target and the sources are absolute.
absl::StatusOr<std::string> PathToOwnOfProcess(const CopyRequest& request);

}  // namespace ringcp

#endif  // RINGCP_AGENT_TARGET_LOOK_H_
