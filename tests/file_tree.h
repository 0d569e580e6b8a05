// What is in a directory, as text that two directories can be compared by.
//
// Thread-safety: pure but for the file system.

#ifndef RINGCP_TESTS_FILE_TREE_H_
#define RINGCP_TESTS_FILE_TREE_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace ringcp {

// What ls(1) writes for the type in `mode`: '-', 'd', 'l', 'p', ...
char KindLetter(mode_t mode);

struct FileTreeOptions {
  // Whether exact access times matter; reading changes them.
  bool access_times = false;
  // Modification times within the last day are written as "now", because they differ
  // between two copies.
  bool recent_as_now = true;
  // Whether the sizes of contents are enough.
  bool contents = true;
};

// One line per file below `root` (and "." for itself), sorted by name: name, kind, mode,
// owner, times, which earlier name it is a hard link of, and its contents' digest or the
// link's target.
std::vector<std::string> ListFileTree(const std::string& root,
                                      const FileTreeOptions& options = {});

// Both lists in one text, of lines that only one has: "" if they are equal.
std::string DifferenceOfTrees(const std::vector<std::string>& expected,
                              const std::vector<std::string>& actual);

}  // namespace ringcp

#endif  // RINGCP_TESTS_FILE_TREE_H_
