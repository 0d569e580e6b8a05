// A directory on a walk: its place in the tree, what holds it, and its two halves, the
// source (source_directory.h) and, if it is copied, the target (target_directory.h).
//
// The target is an incomplete type here, so that a walk can't look into it.
//
// A directory that waits for what is below it may be parked (walk.h): its descriptors are
// closed until they are needed again.
//
// Thread-safety: `holds` is atomic. The walk's lock guards what tells whether the
// directory is in hand, read or parked, and the descriptors of a parked one. The other
// members are written by the thread that enters the directory, before any other thread
// sees it as entered.
//
// Ownership: made by Walk, which deletes it when the last hold is given back. A parent
// outlives its children, because each of them holds it.

#ifndef RINGCP_CORE_TREE_DIRECTORY_H_
#define RINGCP_CORE_TREE_DIRECTORY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tree/source_directory.h"
#include "core/tree/walk_entry.h"

namespace ringcp {

struct Directory;
struct TargetDirectory;

// What is in a directory that is not read, because all of it was named on the command
// line.
struct GivenEntries {
  std::vector<NamedEntry> entries;
  size_t taken = 0;  // Of `entries`.
  std::vector<std::unique_ptr<Directory>> directories;
  std::vector<size_t> entries_before;  // Of `entries`, for each of `directories`.
  size_t directories_taken = 0;
  // How many of the sources that are to be copied are given in it or below it.
  int sources = 0;

  // Adds to `directories`.
  void Add(std::unique_ptr<Directory> directory);

  // In the order in which all was added (Walk::KeepOrder()):
  // Where the entries end that come before the next directory.
  size_t EndOfTurn() const;
  // Takes the next directory out. nullptr if there is none, or entries come before it.
  std::unique_ptr<Directory> TakeDirectory();
  bool all_taken() const {
    return taken == entries.size() && directories_taken == directories.size();
  }
};

struct Directory {
  Directory();
  ~Directory();

  Directory* parent = nullptr;
  SourceDirectory source;
  // Roots have one from the beginning; other directories get theirs when a copy enters
  // them.
  std::unique_ptr<TargetDirectory> target;
  // If it is not read: what is in it. Such a directory's source is never opened, because
  // the names of sources are paths from the working directory (AT_FDCWD), wherever they
  // are given. So a directory above a source need not be readable, as in GNU cp.
  std::unique_ptr<GivenEntries> given;
  // Named on the command line.
  bool is_root = false;

  // What still needs the directory. Its reading and each entry that is being copied count
  // one, and may need the descriptors; each child counts kChildHold.
  static constexpr int64_t kChildHold = int64_t{1} << 32;
  std::atomic<int64_t> holds = 1;
  // Children that threads are entering or reading at the moment.
  int children_in_hand = 0;
  bool in_hand = false;    // A thread is entering or reading it.
  bool is_unread = false;  // Entered; more of it waits to be read.

  // Its descriptors are closed for now. Written with the walk's lock held.
  std::atomic<bool> is_parked = false;
  std::atomic<bool> was_parked = false;  // Is parked, or once was.
  // It can't be opened again, which has been reported.
  bool is_lost = false;

  bool entered = false;

  bool is_top() const { return parent == nullptr; }
  // Whether the entries of the directory were named on the command line, so that their
  // names are whole paths, as typed.
  bool names_sources() const { return is_top() || given != nullptr; }
};

// Whether all that is in the directory's target was copied there from what was read of
// the source, each thing under its own name. Sources that were named may share a name.
// REQUIRES: the directory has a target.
bool HoldsOnlyCopies(const Directory& directory);

// `directory` and `name` with one slash between them; `name` if `directory` is empty.
std::string JoinPath(std::string_view directory, std::string_view name);

// The paths of `name` in `directory`, as a user would write them.
// REQUIRES: for TargetPath(), the directory and all above it have a target.
std::string SourcePath(const Directory& directory, std::string_view name);
std::string TargetPath(const Directory& directory, std::string_view name);
// The paths of the directory itself.
std::string SourcePath(const Directory& directory);
std::string TargetPath(const Directory& directory);

// The path of the directory's target relative to the top's target; empty for the top. May
// be longer than PATH_MAX.
std::string TargetPathBelowTop(const Directory& directory);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_H_
