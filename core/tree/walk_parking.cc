// Parking: when too many directories are open, the walk closes those that only wait for
// what is below them, and opens them again when they are needed.

#include <algorithm>

#include "core/base/check.h"
#include "core/tree/walk.h"

namespace ringcp {
namespace {

// Whether only children hold `directory`, and perhaps a reading that waits on the stack.
// Then nothing needs its descriptors now.
bool OnlyChildrenHold(const Directory& directory) {
  const int64_t holds = directory.holds.load(std::memory_order_acquire);
  return holds >= Directory::kChildHold &&
         holds % Directory::kChildHold == (directory.is_unread ? 1 : 0);
}

}  // namespace

void Walk::MakeRoom(Kernel* kernel, const Directory& directory, int room) {
  // From the top of the tree down, because what is far above is needed last. The parent
  // of a directory that is still to be entered stays open.
  std::vector<Directory*> candidates;
  for (Directory* at = directory.parent; !at->is_top(); at = at->parent) {
    if (at != directory.parent || directory.entered) candidates.push_back(at);
  }
  std::reverse(candidates.begin(), candidates.end());
  // Reopened directories need not be above this one. They, too, may only wait, for
  // example for a file below them that is still being copied.
  for (Directory* const reopened : reopened_) {
    const bool is_needed =
        reopened == (directory.entered ? &directory : directory.parent);
    if (!is_needed) candidates.push_back(reopened);
  }
  for (Directory* const candidate : candidates) {
    if (open_ + room <= open_max_) return;
    ParkIfPossible(kernel, candidate);
  }
}

void Walk::ParkIfPossible(Kernel* kernel, Directory* directory) {
  // No thread can begin to use the directory meanwhile: only a thread that has it or a
  // child of it in hand does so, and taking one in hand needs the lock.
  if (directory->is_parked.load(kRelaxed) || directory->in_hand ||
      directory->children_in_hand > 0 || !OnlyChildrenHold(*directory)) {
    return;
  }
  if (directory->is_unread && directory->given == nullptr) {
    const Op tell =
        Seek(directory->source.fd, kCurrentPosition, &directory->source.position);
    if (kernel->Do(tell) != 0) return;
  }
  if (!visitor_->Park(kernel, directory)) return;
  ForgetReopened(directory);
  directory->is_parked.store(true, kRelaxed);
  directory->was_parked.store(true, kRelaxed);
  --open_;
}

void Walk::ForgetReopened(const Directory* directory) {
  // Searched from the back, because the directory is usually the last one.
  const auto it = std::find(reopened_.rbegin(), reopened_.rend(), directory);
  if (it != reopened_.rend()) reopened_.erase(std::next(it).base());
}

bool Walk::Unpark(Kernel* kernel, Directory* directory, const Directory* child) {
  if (directory->is_lost || !visitor_->Reopen(kernel, directory, child)) return false;
  uint64_t position = 0;
  const int32_t result =
      directory->is_unread && directory->given == nullptr
          ? kernel->Do(Seek(directory->source.fd, directory->source.position, &position))
          : 0;
  if (result != 0) {
    visitor_->OnReadError(*directory, -result);
    visitor_->Park(kernel, directory);
    directory->is_lost = true;
    return false;
  }
  directory->is_parked.store(false, kRelaxed);
  reopened_.push_back(directory);
  ++open_;
  return true;
}

void Walk::UnparkToLeave(Kernel* kernel, Directory* directory) {
  MutexLock lock(&mutex_);
  if (directory->is_parked.load(kRelaxed) && visitor_->LeavesByDescriptor(*directory)) {
    Unpark(kernel, directory, /*child=*/nullptr);
  }
  ForgetReopened(directory);
  Directory* const parent = directory->parent;
  if (parent->is_parked.load(kRelaxed) && open_ <= open_max_) {
    Unpark(kernel, parent, directory);
  }
}

}  // namespace ringcp
