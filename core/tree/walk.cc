#include "core/tree/walk.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace ringcp {
namespace {

// What getdents64(2) fills in; glibc declares the same record as dirent64.
using DirectoryRecord = struct dirent64;

// Directories without files that one Next() goes through before it lets its caller look
// after what is in flight.
constexpr int kPiecesPerNext = 16;

// Whether `directory` is held by children, and by nothing that needs its descriptors now:
// no entry, and no reading but one that waits.
bool OnlyChildrenHold(const Directory& directory) {
  const int64_t holds = directory.holds.load(std::memory_order_acquire);
  return holds >= Directory::kChildHold &&
         holds % Directory::kChildHold == (directory.is_unread ? 1 : 0);
}

// Top-level entries given out at a time, so that every thread gets some.
constexpr size_t kTopEntriesPerBatch = 16;

// Groups that are looked at for one in which nobody is at work. A thread has at most one
// directory in hand, so the top ones are enough; the lock is held meanwhile.
constexpr size_t kGroupsLookedAt = 16;

// So many directories are enough for all threads: no more are looked for in one that has
// been begun while there are others to go to. (With a million files in 10,000 directories
// of one, 4096 waited, 1.4 MiB.)
constexpr size_t kPendingEnough = 256;

bool IsDotOrDotDot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// By inode, and where two names lead to one, by where they are in the buffer.
bool ComesBefore(const WalkEntry& a, const WalkEntry& b) {
  return std::tie(a.inode, a.source_name) < std::tie(b.inode, b.source_name);
}

// For what the lock guards, and is only compared without it.
constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

unsigned char TypeOf(mode_t mode) { return static_cast<unsigned char>(IFTODT(mode)); }

EntryKind KindOf(unsigned char type) {
  return type == DT_REG   ? EntryKind::kRegular
         : type == DT_LNK ? EntryKind::kSymlink
                          : EntryKind::kSpecial;
}

}  // namespace

Walk::Walk(Kernel* kernel, WalkVisitor* visitor, bool follow_links, int open_max)
    : own_kernel_(kernel),
      visitor_(visitor),
      follow_links_(follow_links),
      open_max_(open_max) {
  top_.entered = true;
}

Walk::~Walk() {
  Stop(own_kernel_);
  std::vector<Directory*> left;
  {
    MutexLock lock(&mutex_);
    RINGCP_CHECK(readers_ == 0);
    PushRoots();
    while (!pending_.empty()) left.push_back(TakeFrom(pending_.size() - 1));
  }
  for (Directory* directory : left) Release(own_kernel_, directory);
}

void Walk::AddRoot(std::unique_ptr<Directory> root) {
  root->parent = &top_;
  root->is_root = true;
  root->looked_at = true;
  root->through_link = root->follow;
  top_.holds += Directory::kChildHold;
  MutexLock lock(&mutex_);
  roots_.push_back(root.release());
}

void Walk::PushRoots() {
  for (; !roots_.empty(); roots_.pop_back()) Push(roots_.back());
}

void Walk::AddEntry(EntryKind kind, bool follow, std::string source_name,
                    std::string target_name) {
  NamedEntry named;
  named.entry.kind = kind;
  named.entry.follow = follow;
  named.entry.looked_at = true;
  named.source_name = std::move(source_name);
  named.target_name = std::move(target_name);
  top_entries_.push_back(std::move(named));
}

bool Walk::TakeTopEntries(WalkBatch* batch) {
  const size_t count =
      std::min(kTopEntriesPerBatch, top_entries_.size() - top_entries_taken_);
  for (size_t i = 0; i < count; ++i) {
    const NamedEntry& named = top_entries_[top_entries_taken_++];
    WalkEntry entry = named.entry;
    entry.source_name = named.source_name.c_str();
    entry.target_name = named.target_name.c_str();
    batch->entries_.push_back(entry);
  }
  batch->directory_ = &top_;
  top_.holds += static_cast<int64_t>(count);
  return count > 0;
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
    // To read on in one would only add to the group above it.
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
  // Who waits for a share waits in vain now.
  if (shareable_batches_ == 0) waiting_kernels_.WakeAll();
}

void Walk::Share(WalkBatch* batch) {
  const size_t left = batch->entries().size();
  MutexLock lock(&mutex_);
  if (left == 0 || waiting_ == 0 || !shared_.empty() || stopped_) return;
  const auto middle = batch->entries_.end() - static_cast<std::ptrdiff_t>((left + 1) / 2);
  batch->buffer_is_shared_ = true;
  WalkBatch& given = shared_.emplace_back();
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
  PushRoots();
  for (;;) {
    if (stopped_) return Result::kFinished;
    if (!shared_.empty()) {
      *batch = std::move(shared_.back());
      shared_.pop_back();
      return Result::kBatch;
    }
    if (TakeTopEntries(batch)) return Result::kBatch;
    if (pending_.empty()) {
      if (readers_ == 0 && shareable_batches_ == 0) return Result::kFinished;
      if (may_wait) NoteWaiting(kernel, true);
      return Result::kNothingYet;
    }
    if (pieces++ == kPiecesPerNext) return Result::kMore;
    const size_t group = ChooseGroup();
    Directory* directory = pending_[group].back();
    // Which one has to be open that is not, besides one that is entered.
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

    const bool more =
        usable && (directory->entered
                       ? ReadPiece(kernel, directory, one_child, batch, &children)
                       : ReadFirstPiece(kernel, directory, one_child, batch, &children));
    std::sort(batch->entries_.begin(), batch->entries_.end(), ComesBefore);
    const int entries = static_cast<int>(batch->entries_.size());
    // Before anybody else can see it, the entries and children hold it; reading itself
    // has held it so far.
    if (entries > 0) batch->directory_->holds += entries;
    directory->holds += static_cast<int64_t>(children.size()) * Directory::kChildHold;

    mutex_.Lock();
    --readers_;
    --directory->parent->children_in_hand;
    directory->in_hand = false;
    directory->is_unread = more;
    if (more) Push(directory);
    // The first one is to be on top.
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
    if (entries > 0) return Result::kBatch;
  }
}

bool Walk::ReadFirstPiece(Kernel* kernel, Directory* directory, bool one_child,
                          WalkBatch* batch,
                          std::vector<std::unique_ptr<Directory>>* children) {
  directory->entered = true;
  WalkVisitor::Entered entered = visitor_->Enter(kernel, directory);
  if (entered == WalkVisitor::Entered::kIsNoDirectory) {
    entered = LookAgain(kernel, directory, batch);
    if (entered == WalkVisitor::Entered::kIsNoDirectory) {
      directory->entered = false;
      --open_;
    }
  }
  if (entered != WalkVisitor::Entered::kToBeRead) return false;
  bool more = true;
  bool empty = true;
  while (more && empty) {
    more = ReadPiece(kernel, directory, one_child, batch, children);
    empty = batch->entries_.empty() && children->empty();
  }
  if (visitor_->MakeReady(kernel, directory, empty)) return more;
  batch->entries_.clear();
  children->clear();
  return false;
}

WalkVisitor::Entered Walk::LookAgain(Kernel* kernel, Directory* directory,
                                     WalkBatch* batch) {
  RINGCP_CHECK(!directory->looked_at && !directory->parent->is_top());
  Directory* const parent = directory->parent;
  const std::string& name = directory->source_name;
  struct statx stat;
  if (const int32_t result = kernel->Stat(parent->source_fd, name.c_str(),
                                          follow_links_ ? 0 : AT_SYMLINK_NOFOLLOW, &stat);
      result != 0) {
    visitor_->OnEntryError(*parent, name.c_str(), -result);
    return WalkVisitor::Entered::kIsNoDirectory;
  }
  if (S_ISDIR(stat.stx_mode)) {
    directory->looked_at = true;
    directory->follow = follow_links_;
    directory->through_link = directory->through_link || follow_links_;
    return visitor_->Enter(kernel, directory);
  }
  WalkEntry entry;
  entry.kind = KindOf(TypeOf(stat.stx_mode));
  entry.follow = follow_links_;
  entry.looked_at = true;
  entry.inode = stat.stx_ino;
  // The directory, and its name with it, is gone before the batch is.
  char* const kept = PrepareBuffer(batch);
  RINGCP_CHECK(name.size() < WalkBatch::kBufferBytes);
  memcpy(kept, name.c_str(), name.size() + 1);
  entry.source_name = entry.target_name = kept;
  batch->directory_ = parent;
  batch->entries_.push_back(entry);
  return WalkVisitor::Entered::kIsNoDirectory;
}

char* Walk::PrepareBuffer(WalkBatch* batch) {
  if (batch->buffer_ == nullptr || batch->buffer_is_shared_) {
    batch->buffer_ = std::make_shared<WalkBatch::Buffer>();
    batch->buffer_is_shared_ = false;
  }
  return batch->buffer_->bytes.data();
}

bool Walk::ReadPiece(Kernel* kernel, Directory* directory, bool one_child,
                     WalkBatch* batch,
                     std::vector<std::unique_ptr<Directory>>* children) {
  batch->directory_ = directory;
  char* const buffer = PrepareBuffer(batch);
  const int32_t size = kernel->Do(
      ReadDirectory(directory->source_fd, buffer,
                    one_child ? WalkBatch::kRereadBytes : WalkBatch::kBufferBytes));
  // A directory that was removed meanwhile: what was in it is gone as well.
  if (size == -ENOENT) return false;
  if (size < 0) {
    visitor_->OnReadError(*directory, -size);
    return false;
  }
  for (int32_t at = 0; at < size;) {
    const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer + at);
    at += record->d_reclen;
    if (IsDotOrDotDot(record->d_name)) continue;
    AddFound(kernel, directory, *record, batch, children);
    if (one_child && !children->empty() && at < size) {
      // Too many directories wait already: what follows is read again later.
      uint64_t position = 0;
      if (kernel->Do(Seek(directory->source_fd, record->d_off, &position)) == 0) {
        return true;
      }
      one_child = false;  // This directory can't be rewound: then rather use memory.
    }
  }
  return size > 0;
}

void Walk::AddFound(Kernel* kernel, Directory* directory, const DirectoryRecord& record,
                    WalkBatch* batch, std::vector<std::unique_ptr<Directory>>* children) {
  const char* const name = record.d_name;
  unsigned char type = record.d_type;
  bool follow = false;
  bool looked_at = false;
  if (type == DT_UNKNOWN || (type == DT_LNK && follow_links_)) {
    struct statx stat;
    const int flags = follow_links_ ? 0 : AT_SYMLINK_NOFOLLOW;
    if (const int32_t result = kernel->Stat(directory->source_fd, name, flags, &stat);
        result != 0) {
      visitor_->OnEntryError(*directory, name, -result);
      return;
    }
    follow = follow_links_;
    looked_at = true;
    type = TypeOf(stat.stx_mode);
  }
  if (type == DT_DIR) {
    children->push_back(NewChild(directory, name, follow, looked_at));
    return;
  }
  WalkEntry entry;
  entry.kind = KindOf(type);
  entry.follow = follow;
  entry.looked_at = looked_at;
  entry.inode = record.d_ino;
  entry.source_name = entry.target_name = name;
  batch->entries_.push_back(entry);
}

std::unique_ptr<Directory> Walk::NewChild(Directory* parent, const char* name,
                                          bool follow, bool looked_at) {
  auto child = std::make_unique<Directory>();
  child->parent = parent;
  child->source_name = child->target_name = name;
  child->follow = follow;
  child->looked_at = looked_at;
  child->through_link = follow || parent->through_link;
  child->root_device = parent->root_device;
  return child;
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

void Walk::Release(Kernel* kernel, Directory* directory) {
  // Without recursion: the last entry of a deep tree releases all of its ancestors.
  int64_t hold = 1;
  while (directory->holds.fetch_sub(hold, std::memory_order_acq_rel) == hold) {
    if (directory->is_top()) return;
    Directory* parent = directory->parent;
    if (directory->entered) {
      // That this one was is seen: who parked it first had something below it in hand.
      if (directory->was_parked.load(kRelaxed) || parent->is_parked.load(kRelaxed)) {
        UnparkToLeave(kernel, directory);
      }
      visitor_->Leave(kernel, directory);
      if (!directory->is_parked.load(kRelaxed)) --open_;
    }
    delete directory;
    directory = parent;
    hold = Directory::kChildHold;
  }
}

void Walk::MakeRoom(Kernel* kernel, const Directory& directory, int room) {
  // From the top down: what is far above is needed last. The parent stays.
  std::vector<Directory*> candidates;
  for (Directory* at = directory.parent; !at->is_top(); at = at->parent) {
    if (at != directory.parent || directory.entered) candidates.push_back(at);
  }
  std::reverse(candidates.begin(), candidates.end());
  // What is below a directory may wait as well, for a file that is still being copied,
  // while others come back up from there.
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
  // Nobody begins to use it meanwhile: who has it or a child of it in hand can, and to
  // get there takes the lock.
  if (directory->is_parked.load(kRelaxed) || directory->in_hand ||
      directory->children_in_hand > 0 || !OnlyChildrenHold(*directory)) {
    return;
  }
  if (directory->is_unread) {
    const Op tell = Seek(directory->source_fd, kCurrentPosition, &directory->position);
    if (kernel->Do(tell) != 0) return;
  }
  if (!visitor_->Park(kernel, directory)) return;
  ForgetReopened(directory);
  directory->is_parked.store(true, kRelaxed);
  directory->was_parked.store(true, kRelaxed);
  --open_;
}

void Walk::ForgetReopened(const Directory* directory) {
  // Most often the last one.
  const auto it = std::find(reopened_.rbegin(), reopened_.rend(), directory);
  if (it != reopened_.rend()) reopened_.erase(std::next(it).base());
}

bool Walk::Unpark(Kernel* kernel, Directory* directory, const Directory* child) {
  if (directory->is_lost || !visitor_->Reopen(kernel, directory, child)) return false;
  uint64_t position = 0;
  const int32_t result =
      directory->is_unread
          ? kernel->Do(Seek(directory->source_fd, directory->position, &position))
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

void Walk::Stop(Kernel* kernel) {
  std::vector<WalkBatch> untaken;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    NoteWaiting(kernel, false);
    untaken.swap(shared_);
    waiting_kernels_.WakeAll();
  }
  for (const WalkBatch& batch : untaken) {
    for (size_t i = 0; i < batch.entries().size(); ++i) {
      Release(kernel, batch.directory());
    }
  }
}

}  // namespace ringcp
