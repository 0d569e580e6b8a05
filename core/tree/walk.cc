#include "core/tree/walk.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace ringcp {
namespace {

// Pieces without files that one Next() reads before it lets its caller look after what is
// in flight.
constexpr int kPiecesPerNext = 16;

// Given entries handed out at a time: few, so that every thread gets some.
constexpr size_t kGivenPerBatch = 16;

// How many groups are searched for one in which no other thread is at work. The lock is
// held during the search. A thread has at most one directory in hand, so the top groups
// are enough.
constexpr size_t kGroupsLookedAt = 16;

// So many waiting directories are enough for all threads. From there on a thread does not
// read on in a directory below the top group to find more. (Without this limit, a tree
// with 10,000 directories in one made 4096 wait, which take 1.4 MiB.)
constexpr size_t kPendingEnough = 256;

}  // namespace

Walk::Walk(Kernel* kernel, WalkVisitor* visitor, bool follow_links, int open_max)
    : own_kernel_(kernel),
      visitor_(visitor),
      follow_links_(follow_links),
      open_max_(open_max) {
  top_.entered = true;
  top_.given = std::make_unique<GivenEntries>();
}

Walk::~Walk() {
  Stop(own_kernel_);
  MutexLock lock(&mutex_);
  RINGCP_CHECK(readers_ == 0);
}

void Walk::AddRoot(Directory* parent, std::unique_ptr<Directory> root) {
  root->parent = parent;
  root->is_root = true;
  root->source.looked_at = true;
  root->source.through_link = root->source.follow;
  parent->given->Add(std::move(root));
}

Directory* Walk::AddGiven(Directory* parent, std::unique_ptr<Directory> directory) {
  Directory* const added = directory.get();
  RINGCP_CHECK(parent->source.fd == AT_FDCWD);
  added->parent = parent;
  added->source.fd = AT_FDCWD;
  added->source.looked_at = true;
  added->given = std::make_unique<GivenEntries>();
  parent->given->Add(std::move(directory));
  return added;
}

void Walk::PushRoots() {
  GivenEntries& given = *top_.given;
  for (; given.directories.size() > given.directories_taken;
       given.directories.pop_back()) {
    PushRoot(std::move(given.directories.back()));
  }
}

void Walk::PushRoot(std::unique_ptr<Directory> root) {
  top_.holds += Directory::kChildHold;
  Push(root.release());
}

void Walk::TakeGiven(Directory* directory, size_t end, WalkBatch* batch) {
  GivenEntries& given = *directory->given;
  end = std::min(end, given.taken + kGivenPerBatch);
  for (; given.taken < end; ++given.taken) {
    const NamedEntry& named = given.entries[given.taken];
    batch->entries_.push_back({.kind = named.kind,
                               .follow = named.follow,
                               .looked_at = true,
                               .source_name = named.source_name.c_str(),
                               .target_name = named.target_name.c_str()});
  }
  batch->directory_ = directory;
}

bool Walk::TakeTopEntries(size_t end, WalkBatch* batch) {
  TakeGiven(&top_, end, batch);
  top_.holds += static_cast<int64_t>(batch->entries_.size());
  return !batch->entries_.empty();
}

bool Walk::TakeTop(WalkBatch* batch) {
  GivenEntries& given = *top_.given;
  if (!keeps_order_) return TakeTopEntries(given.entries.size(), batch);
  if (!pending_.empty() || readers_ > 0) return false;
  if (TakeTopEntries(given.EndOfTurn(), batch)) return true;
  std::unique_ptr<Directory> root = given.TakeDirectory();
  if (root != nullptr) PushRoot(std::move(root));
  return false;
}

void Walk::Push(Directory* directory) {
  if (pending_.empty() || pending_.back().back()->parent != directory->parent) {
    pending_.emplace_back();
  }
  pending_.back().push_back(directory);
  ++pending_count_;
}

size_t Walk::ChooseGroup() const {
  const size_t top = pending_.size() - 1;
  const size_t looked_at = std::min(pending_.size(), kGroupsLookedAt);
  for (size_t below = 0; below < looked_at; ++below) {
    const std::vector<Directory*>& group = pending_[top - below];
    // Reading on in a directory would only add to the group above its own.
    const bool adds_needlessly =
        below > 0 && group.back()->entered && pending_count_ >= kPendingEnough;
    if (!adds_needlessly && group.back()->parent->children_in_hand == 0) {
      return top - below;
    }
  }
  return top;
}

Directory* Walk::TakeFrom(size_t group) {
  std::vector<Directory*>& directories = pending_[group];
  Directory* directory = directories.back();
  directories.pop_back();
  --pending_count_;
  if (directories.empty()) {
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(group));
  }
  return directory;
}

WalkEntry Walk::Take(WalkBatch* batch) {
  RINGCP_CHECK(!batch->entries().empty());
  const WalkEntry entry = batch->entries_[batch->taken_++];
  if (batch->is_shareable_ && batch->entries().empty()) {
    MutexLock lock(&mutex_);
    NoteShareable(batch, false);
  }
  ShareIfWanted(batch);
  return entry;
}

void Walk::NoteShareable(WalkBatch* batch, bool is_shareable) {
  if (batch->is_shareable_ == is_shareable) return;
  batch->is_shareable_ = is_shareable;
  shareable_batches_ += is_shareable ? 1 : -1;
  // Threads that wait for a share now wait in vain, so they have to ask again.
  if (shareable_batches_ == 0) waiting_kernels_.WakeAll();
}

void Walk::Share(WalkBatch* batch) {
  const size_t left = batch->entries().size();
  MutexLock lock(&mutex_);
  if (left == 0 || waiting_ == 0 || !shared_.empty() || stopped_) return;
  const auto middle = batch->entries_.end() - static_cast<std::ptrdiff_t>((left + 1) / 2);
  batch->buffer_is_shared_ = true;
  WalkBatch& given = shared_.emplace_back();
  has_shared_ = true;
  given.directory_ = batch->directory_;
  given.buffer_ = batch->buffer_;
  given.buffer_is_shared_ = true;
  given.entries_.assign(middle, batch->entries_.end());
  batch->entries_.erase(middle, batch->entries_.end());
  if (batch->entries().empty()) NoteShareable(batch, false);
  waiting_kernels_.WakeAll();
}

Walk::Result Walk::Next(Kernel* kernel, bool may_wait, WalkBatch* batch) {
  MutexLock lock(&mutex_);
  NoteWaiting(kernel, false);
  NoteShareable(batch, false);
  batch->entries_.clear();
  batch->taken_ = 0;
  const Result result = FindBatch(kernel, may_wait, batch);
  if (result == Result::kBatch) NoteShareable(batch, true);
  return result;
}

void Walk::NoteWaiting(Kernel* kernel, bool waits) {
  if (waits) {
    waiting_kernels_.Add(kernel);
  } else if (waiting_ > 0) {
    waiting_kernels_.Remove(kernel);
  }
  waiting_ = waiting_kernels_.size();
}

Walk::Result Walk::FindBatch(Kernel* kernel, bool may_wait, WalkBatch* batch) {
  std::vector<std::unique_ptr<Directory>> children;
  int pieces = 0;
  if (!keeps_order_) PushRoots();
  for (;;) {
    if (stopped_) return Result::kFinished;
    if (!shared_.empty()) {
      *batch = std::move(shared_.back());
      shared_.pop_back();
      has_shared_ = !shared_.empty();
      return Result::kBatch;
    }
    if (TakeTop(batch)) return Result::kBatch;
    if (pending_.empty()) {
      if (readers_ == 0 && shareable_batches_ == 0) return Result::kFinished;
      if (may_wait) NoteWaiting(kernel, true);
      return Result::kNothingYet;
    }
    if (pieces++ == kPiecesPerNext) return Result::kMore;
    const size_t group = ChooseGroup();
    Directory* directory = pending_[group].back();
    // The directory that has to be reopened if it is parked. If `directory` is still to
    // be entered, it is opened besides.
    Directory* const closed = directory->entered ? directory : directory->parent;
    const int to_open =
        (directory->entered ? 0 : 1) + (closed->is_parked.load(kRelaxed) ? 1 : 0);
    if (to_open > 0 && open_ + to_open > open_max_) {
      MakeRoom(kernel, *directory, to_open);
      if (!may_wait && open_ + to_open > open_max_) return Result::kNothingYet;
    }
    TakeFrom(group);
    directory->in_hand = true;
    ++readers_;
    ++directory->parent->children_in_hand;
    const bool usable =
        !closed->is_parked.load(kRelaxed) || Unpark(kernel, closed, /*child=*/nullptr);
    if (usable && !directory->entered) ++open_;
    const bool one_child = pending_count_ >= kPendingMax;
    mutex_.Unlock();

    bool more =
        usable && (directory->entered
                       ? ReadPiece(kernel, directory, one_child, batch, &children)
                       : ReadFirstPiece(kernel, directory, one_child, batch, &children));
    const int entries = static_cast<int>(batch->entries_.size());
    // The entries and children get their holds before another thread can see the
    // directory. Until now the reader's own hold has kept it.
    if (entries > 0) batch->directory_->holds += entries;
    directory->holds += static_cast<int64_t>(children.size()) * Directory::kChildHold;

    mutex_.Lock();
    if (stopped_) {
      Drop(directory, batch, &children);
      more = false;
    }
    --readers_;
    --directory->parent->children_in_hand;
    directory->in_hand = false;
    directory->is_unread = more;
    if (more) Push(directory);
    // The first child is to be on top.
    std::reverse(children.begin(), children.end());
    for (std::unique_ptr<Directory>& child : children) {
      Push(child.release());
    }
    children.clear();
    waiting_kernels_.WakeAll();
    if (!more) {
      mutex_.Unlock();
      Release(kernel, directory);
      mutex_.Lock();
    }
    if (!batch->entries_.empty()) return Result::kBatch;
  }
}

void Walk::Drop(Directory* directory, WalkBatch* batch,
                std::vector<std::unique_ptr<Directory>>* children) {
  if (!batch->entries_.empty()) {
    batch->directory_->holds -= static_cast<int64_t>(batch->entries_.size());
    batch->entries_.clear();
  }
  directory->holds -= static_cast<int64_t>(children->size()) * Directory::kChildHold;
  children->clear();
}

void Walk::AddDirectory(Directory* directory, const std::string& name, bool follow) {
  RINGCP_CHECK(!directory->is_top());
  std::unique_ptr<Directory> child =
      NewChild(directory, name.c_str(), follow, /*looked_at=*/true);
  directory->holds += Directory::kChildHold;
  MutexLock lock(&mutex_);
  Push(child.release());
  waiting_kernels_.WakeAll();
}

void Walk::Leave(Kernel* kernel, Directory* directory) {
  // A loop instead of recursion, because the last entry of a deep tree releases all of
  // its ancestors.
  for (;;) {
    Directory* const parent = directory->parent;
    if (directory->entered) {
      // A relaxed load is enough to see was_parked: the thread that first parked this
      // directory had something below it in hand, and released that before the last hold
      // was given back here.
      if (directory->was_parked.load(kRelaxed) || parent->is_parked.load(kRelaxed)) {
        UnparkToLeave(kernel, directory);
      }
      visitor_->Leave(kernel, directory);
      if (!directory->is_parked.load(kRelaxed)) --open_;
    }
    delete directory;
    const int64_t holds =
        parent->holds.fetch_sub(Directory::kChildHold, std::memory_order_acq_rel);
    if (holds != Directory::kChildHold || parent->is_top()) return;
    directory = parent;
  }
}

size_t Walk::PiecesToTake() {
  MutexLock lock(&mutex_);
  if (stopped_) return 0;
  const GivenEntries& given = *top_.given;
  return pending_count_ + shared_.size() + given.directories.size() -
         given.directories_taken +
         (given.entries.size() - given.taken + kGivenPerBatch - 1) / kGivenPerBatch;
}

bool Walk::AskForShare(Kernel* kernel) {
  MutexLock lock(&mutex_);
  NoteWaiting(kernel, false);
  if (stopped_) return false;
  if (!shared_.empty()) return true;
  NoteWaiting(kernel, true);
  return false;
}

void Walk::Stop(Kernel* kernel, const std::function<void(Directory*)>& give_back) {
  std::vector<Directory*> untaken;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    NoteWaiting(kernel, false);
    for (const WalkBatch& batch : shared_) {
      untaken.insert(untaken.end(), batch.entries().size(), batch.directory());
    }
    shared_.clear();
    has_shared_ = false;
    PushRoots();
    while (!pending_.empty()) {
      untaken.push_back(TakeFrom(pending_.size() - 1));
      untaken.back()->is_unread = false;
    }
    waiting_kernels_.WakeAll();
  }
  for (Directory* directory : untaken) give_back(directory);
}

}  // namespace ringcp
