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
  std::string target_name;  // Its name in the target directory, or its path below it.
  // How a user would write the target itself if it was named with a slash behind it;
  // otherwise empty.
  std::string target_shown;
  // How many parts of target_name are directories that are to be made or found, with the
  // attributes of those that the same parts of `source` lead to (--parents).
  int parents = 0;
  // One of them was missing. Then all of them get the attributes that are kept; otherwise
  // none does.
  bool makes_parents = false;
  // The source itself is not copied, which has been reported.
  bool only_parents = false;
  bool is_directory = false;
  EntryKind kind = EntryKind::kRegular;  // If it is no directory.
  bool follow = false;                   // If it is a symbolic link.
  uint64_t size_bytes = 0;               // If it is a regular file.
  // To be copied after an earlier source, so that the two never meet and the later one
  // wins. The two may get the same name, go into the same directory, or be copied to one
  // file that has both names; or one may read what the other writes. Files below
  // directories are not compared: if two of them are one file in the target already, any
  // of their sources may be the last.
  bool collides = false;
  // The earlier source got the same name, and neither is a directory: this one must not
  // be copied over the other one's copy, if that was made.
  bool must_not_overwrite = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TOP_LEVEL_SOURCE_H_
