// A directory on a walk: where it is in the tree, what holds it, and its two halves, the
// source (source_directory.h) and the target (target_directory.h), if it is copied.
//
// The target is an incomplete type here: who walks can't look into it, and a tree that is
// only read has none.
//
// A directory that waits for what is below it may be parked (walk.h): its descriptors are
// closed until they are needed again.
//
// Thread-safety: `holds` is atomic; what tells whether it is in hand, read or parked is
// guarded by the walk's lock, and so are the descriptors of one that is parked; the other
// members are written by the thread that enters the directory, before anybody else sees
// it as entered.
//
// Ownership: made by Walk, deleted by Walk when the last hold is given back; a parent
// outlives its children, because each of them holds it.

#ifndef RINGCP_CORE_TREE_DIRECTORY_H_
#define RINGCP_CORE_TREE_DIRECTORY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/tree/source_directory.h"

namespace ringcp {

struct TargetDirectory;

struct Directory {
  Directory();
  ~Directory();

  Directory* parent = nullptr;
  SourceDirectory source;
  // Made by whoever copies, at the latest when the directory is entered; nullptr where
  // nobody does.
  std::unique_ptr<TargetDirectory> target;
  // Named on the command line (a child of the top).
  bool is_root = false;

  // What has not settled yet: reading the directory and entries being copied, which each
  // count one and may need the descriptors, and children, which count kChildHold.
  static constexpr int64_t kChildHold = int64_t{1} << 32;
  std::atomic<int64_t> holds = 1;
  // Children that threads are entering or reading at the moment.
  int children_in_hand = 0;
  bool in_hand = false;    // A thread is entering or reading it.
  bool is_unread = false;  // Entered; it waits to be read on.

  // Its descriptors are closed for now. Written with the walk's lock held.
  std::atomic<bool> is_parked = false;
  std::atomic<bool> was_parked = false;  // Is, or once was.
  // It can't be opened again, which has been reported.
  bool is_lost = false;

  bool entered = false;

  bool is_top() const { return parent == nullptr; }
};

// `directory` and `name` with one slash between them; `name` if `directory` is empty.
std::string JoinPath(std::string_view directory, std::string_view name);

// The paths of `name` in `directory`, as a user would write them. REQUIRES: for the
// target's, that the directory and all above it have one.
std::string SourcePath(const Directory& directory, std::string_view name);
std::string TargetPath(const Directory& directory, std::string_view name);
// The paths of the directory itself.
std::string SourcePath(const Directory& directory);
std::string TargetPath(const Directory& directory);

// The path of the directory's target relative to the top's; empty for the top. May be
// longer than PATH_MAX.
std::string TargetPathBelowTop(const Directory& directory);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_H_
