// What a request's sources and target mean by GNU cp's rules: which directory the sources
// are copied into, and which name each of them gets there.
//
// Thread-safety: pure apart from looking at the file system.

#ifndef RINGCP_CORE_JOB_TOP_LEVEL_H_
#define RINGCP_CORE_JOB_TOP_LEVEL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/job/top_level_source.h"
#include "core/kernel/kernel.h"
#include "core/tree/walk.h"

namespace ringcp {

struct TopLevel {
  int target_fd = -1;          // The directory copied into; the caller closes it.
  std::string target_display;  // That directory as a user would write it; "" for ".".
  std::vector<TopLevelSource> sources;
  // The copy itself is a backup of its source, so no further one is to be made.
  bool is_backup = false;
};

// The path of the copy of `source` below a directory that it is copied into: its name
// there, or, with `parents`, its whole name. "." if its contents go right into that
// directory.
std::string NameInTarget(std::string_view source, bool parents);

// Whether symbolic links below the sources are followed, and those named as sources.
bool FollowsLinks(const CopyOptions& options);
bool FollowsNamedLinks(const CopyOptions& options);

// Looks at all sources and the target. Reports each source that can't be copied, and
// leaves it out, but for the directories above it (--parents). Returns an error if
// nothing can be copied; its message is a whole line, as GNU cp prints it. The error is
// INVALID_ARGUMENT if the options are wrong for the target.
absl::StatusOr<TopLevel> ResolveTopLevel(Kernel* kernel, const CopyRequest& request,
                                         Reporter* reporter);

// Adds the sources, and the directories above them that are copied with them, to a walk
// whose top() is the target and reads from the working directory.
void AddToWalk(const std::vector<TopLevelSource>& sources, Walk* walk);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TOP_LEVEL_H_
