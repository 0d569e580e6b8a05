// One source of a command, as it will be copied.
//
// Thread-safety: a plain value.

#ifndef RINGCP_CORE_JOB_TOP_LEVEL_SOURCE_H_
#define RINGCP_CORE_JOB_TOP_LEVEL_SOURCE_H_

#include <cstdint>
#include <string>

#include "core/tree/walk.h"

namespace ringcp {

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
  // that has both names, or one of the two may read what the other one writes: to be
  // copied after that one, so that the two never meet and the later one has its way.
  // Files below directories are not looked at: where two of those are one file in the
  // target already, any of their sources may be the last.
  bool collides = false;
  // ... which is no directory either: not to be copied over that one's copy, if it was
  // made.
  bool must_not_overwrite = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TOP_LEVEL_SOURCE_H_
