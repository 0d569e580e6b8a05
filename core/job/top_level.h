// What a request's sources and target come to, by GNU cp's rules: which directory is
// copied into, and under which name each source arrives there.
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
#include "core/kernel/kernel.h"
#include "core/tree/walk.h"

namespace ringcp {

// One source, as it will be copied.
struct TopLevelSource {
  std::string source;       // The path as typed.
  std::string target_name;  // Its name in the target directory.
  // How the user would write the target itself if it was named with a slash behind it;
  // else empty.
  std::string target_shown;
  bool is_directory = false;
  EntryKind kind = EntryKind::kRegular;  // If it is no directory.
  bool follow = false;                   // If it is a symbolic link.
  uint64_t size_bytes = 0;               // If it is a regular file.
  // May come to the same name as an earlier source, into the same directory, or to a file
  // that has both names: to be copied after that one, so that the two never meet and the
  // later one has its way. Files below directories are not looked at: where two of those
  // are one file in the target already, any of their sources may be the last.
  bool collides = false;
  // ... which is no directory either: not to be copied over that one's copy, if it was
  // made.
  bool must_not_overwrite = false;
};

struct TopLevel {
  int target_fd = -1;          // The directory copied into; the caller closes it.
  std::string target_display;  // That directory as a user would write it; "" for ".".
  std::vector<TopLevelSource> sources;
};

// The name of `source` in a directory that it is copied into; "." where what is in it
// goes right into that directory.
std::string NameInDirectory(std::string_view source);

// Whether links below the sources, and links named as sources, are followed.
bool FollowsLinks(const CopyOptions& options);
bool FollowsNamedLinks(const CopyOptions& options);

// Looks at all sources and the target. A source that can't be copied is reported and left
// out. A status says why nothing can be: its message is a whole line as GNU cp prints it.
absl::StatusOr<TopLevel> ResolveTopLevel(Kernel* kernel, const CopyRequest& request,
                                         Reporter* reporter);

// Adds the sources to a walk whose top() is the target.
void AddToWalk(const std::vector<TopLevelSource>& sources, Walk* walk);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TOP_LEVEL_H_
