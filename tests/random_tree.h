// Makes trees of directories and files for tests.
//
// Thread-safety: pure but for the file system.

#ifndef RINGCP_TESTS_RANDOM_TREE_H_
#define RINGCP_TESTS_RANDOM_TREE_H_

#include <cstdint>
#include <set>
#include <string>

namespace ringcp {

struct RandomTreeOptions {
  uint32_t seed = 1;
  int directories = 50;
  int files = 500;
  int symlinks = 20;
  int hard_links = 20;
  int fifos = 5;
  int64_t file_size_max = 1000;
};

// Makes a tree in the directory `root`, which must exist. Names have any length and any
// bytes, modes are random (but the owner may read everything), times lie in the past.
// Returns the paths of everything in it, relative to `root`.
std::set<std::string> MakeRandomTree(const std::string& root,
                                     const RandomTreeOptions& options);

// Makes `depth` nested directories, each called `name`, in the directory `root`, and a
// file "bottom" in the innermost. The whole path may be longer than PATH_MAX.
void MakeDeepTree(const std::string& root, const std::string& name, int depth);
// How deep directories called `name` are nested in `root`, and whether the innermost
// holds the file "bottom".
int DepthOfTree(const std::string& root, const std::string& name, bool* has_bottom);
// Removes what MakeDeepTree() made.
void RemoveDeepTree(const std::string& root, const std::string& name);

}  // namespace ringcp

#endif  // RINGCP_TESTS_RANDOM_TREE_H_
