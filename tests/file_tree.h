// Describes what is in a directory as text, by which two directories can be compared.
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
  // Whether access times are listed exactly. Reading a file changes its access time.
  bool access_times = false;
  // Whether modification times within the last day are written as "now". Two copies that
  // are made one after the other differ in them.
  bool recent_as_now = true;
  // Whether contents are listed, and not only their sizes.
  bool contents = true;
};

// One line for `root` itself (".") and for each file below it, sorted by name. A line has
// the name, kind, mode, owner and times, the earlier name that this is a hard link to,
// the contents or their digest, or a symbolic link's target, and the extended attributes.
std::vector<std::string> ListFileTree(const std::string& root,
                                      const FileTreeOptions& options = {});

// The lines that only one of the lists has, as one text; "" if the lists are equal.
std::string DifferenceOfTrees(const std::vector<std::string>& expected,
                              const std::vector<std::string>& actual);

}  // namespace ringcp

#endif  // RINGCP_TESTS_FILE_TREE_H_
