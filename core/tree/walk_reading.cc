// Enters the directories of a walk and reads them, piece by piece.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/tree/walk.h"

namespace ringcp {
namespace {

// What getdents64(2) fills in; glibc declares the same record as dirent64.
using DirectoryRecord = struct dirent64;

bool IsDotOrDotDot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// By inode number; names of one inode by their place in the buffer.
bool ComesBefore(const WalkEntry& a, const WalkEntry& b) {
  return std::tie(a.inode, a.source_name) < std::tie(b.inode, b.source_name);
}

unsigned char TypeOf(mode_t mode) { return static_cast<unsigned char>(IFTODT(mode)); }

EntryKind KindOf(unsigned char type) {
  return type == DT_REG   ? EntryKind::kRegular
         : type == DT_LNK ? EntryKind::kSymlink
                          : EntryKind::kSpecial;
}

}  // namespace

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
  while (more && empty && !stopped_.load(kRelaxed)) {
    more = ReadPiece(kernel, directory, one_child, batch, children);
    empty = batch->entries_.empty() && children->empty();
  }
  // Once the walk was stopped, nothing more is made ready: that may take long.
  if (!stopped_.load(kRelaxed) && visitor_->MakeReady(kernel, directory, empty)) {
    return more;
  }
  batch->entries_.clear();
  children->clear();
  return false;
}

WalkVisitor::Entered Walk::LookAgain(Kernel* kernel, Directory* directory,
                                     WalkBatch* batch) {
  RINGCP_CHECK(!directory->source.looked_at && !directory->parent->is_top());
  Directory* const parent = directory->parent;
  const std::string& name = directory->source.name;
  struct statx stat;
  if (const int32_t result = kernel->Stat(parent->source.fd, name.c_str(),
                                          follow_links_ ? 0 : AT_SYMLINK_NOFOLLOW, &stat);
      result != 0) {
    visitor_->OnEntryError(*parent, name.c_str(), -result);
    return WalkVisitor::Entered::kIsNoDirectory;
  }
  if (S_ISDIR(stat.stx_mode)) {
    directory->source.looked_at = true;
    directory->source.follow = follow_links_;
    directory->source.through_link = directory->source.through_link || follow_links_;
    return visitor_->Enter(kernel, directory);
  }
  WalkEntry entry;
  entry.kind = KindOf(TypeOf(stat.stx_mode));
  entry.follow = follow_links_;
  entry.looked_at = true;
  entry.inode = stat.stx_ino;
  // `directory` and its name will be deleted while the batch still needs the name, so the
  // batch's buffer keeps a copy.
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
  if (directory->given != nullptr) {
    GivenEntries& given = *directory->given;
    if (keeps_order_) {
      TakeGiven(directory, given.EndOfTurn(), batch);
      std::unique_ptr<Directory> child =
          batch->entries_.empty() ? given.TakeDirectory() : nullptr;
      if (child != nullptr) children->push_back(std::move(child));
      return !given.all_taken();
    }
    *children = std::exchange(given.directories, {});
    TakeGiven(directory, given.entries.size(), batch);
    return given.taken < given.entries.size();
  }
  const bool more = ReadRecords(kernel, directory, one_child, batch, children);
  std::sort(batch->entries_.begin(), batch->entries_.end(), ComesBefore);
  return more;
}

bool Walk::ReadRecords(Kernel* kernel, Directory* directory, bool one_child,
                       WalkBatch* batch,
                       std::vector<std::unique_ptr<Directory>>* children) {
  batch->directory_ = directory;
  char* const buffer = PrepareBuffer(batch);
  const int32_t size = kernel->Do(
      ReadDirectory(directory->source.fd, buffer,
                    one_child ? WalkBatch::kRereadBytes : WalkBatch::kBufferBytes));
  // The directory was removed meanwhile, so what was in it is gone as well.
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
      // Too many directories wait already, so what follows is read again later.
      uint64_t position = 0;
      if (kernel->Do(Seek(directory->source.fd, record->d_off, &position)) == 0) {
        return true;
      }
      one_child = false;  // This directory can't be rewound, so use memory instead.
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
    if (const int32_t result = kernel->Stat(directory->source.fd, name, flags, &stat);
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
  child->source.name = name;
  child->source.follow = follow;
  child->source.looked_at = looked_at;
  child->source.through_link = follow || parent->source.through_link;
  child->source.root_device = parent->source.root_device;
  return child;
}

}  // namespace ringcp
