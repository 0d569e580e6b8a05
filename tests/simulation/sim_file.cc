#include "tests/simulation/sim_file.h"

#include <limits.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "core/base/posix_acl.h"
#include "tests/simulation/sim_acl.h"

namespace ringcp {
namespace {

constexpr mode_t kModeBits = 07777;
constexpr uint64_t kDirectoryEntryBytes = 20;  // As tmpfs counts them.
constexpr size_t kShortLinkBytes = 128;        // tmpfs keeps shorter links in the inode.
constexpr uint64_t kBlocksPerPage = SparseBytes::kPageBytes / 512;

uint64_t SizeOf(const SimInode& inode) {
  if (inode.is_regular()) return inode.contents.size();
  if (inode.is_link()) return inode.text.size();
  // Counts "." and "..", too.
  return inode.is_directory() ? kDirectoryEntryBytes * (2 + inode.entries.size()) : 0;
}

uint64_t BlocksOf(const SimInode& inode) {
  if (inode.is_link() && inode.text.size() + 1 > kShortLinkBytes) return kBlocksPerPage;
  return inode.contents.pages() * kBlocksPerPage;
}

statx_timestamp Timestamp(const timespec& time) {
  statx_timestamp stamp = {};
  stamp.tv_sec = time.tv_sec;
  stamp.tv_nsec = static_cast<uint32_t>(time.tv_nsec);
  return stamp;
}

bool IsBefore(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

constexpr char kCapability[] = "security.capability";

// Like the default of mounts (relatime).
void NoteRead(SimFileSystem* files, SimInode* inode) {
  if (!IsBefore(inode->modification, inode->access) ||
      !IsBefore(inode->change, inode->access)) {
    inode->access = files->now();
  }
}

void NoteWritten(SimFileSystem* files, SimInode* inode, SimEffect::Kind kind) {
  inode->modification = inode->change = files->now();
  inode->xattrs.erase(kCapability);
  files->Note(kind, *inode);
}

void NoteAttributes(SimFileSystem* files, SimInode* inode) {
  inode->change = files->now();
  files->Note(SimEffect::Kind::kAttributes, *inode);
}

bool IsAcl(std::string_view name) {
  return name == kAccessAclName || name == kDefaultAclName;
}

// Returns 0 if the file may have an attribute of that name. `missing` is the error for
// attributes that this kind of file can't have.
int32_t CheckXattr(const SimInode& inode, std::string_view name, int32_t missing) {
  if (name.empty() || name.size() > XATTR_NAME_MAX) return -ERANGE;
  if (IsAcl(name)) {
    return inode.mount->traits.has_xattrs && !inode.is_link() ? 0 : -EOPNOTSUPP;
  }
  if (name.starts_with("user.") && !inode.is_regular() && !inode.is_directory()) {
    return missing;
  }
  if (!inode.mount->traits.has_xattrs) return -EOPNOTSUPP;
  for (const std::string_view prefix : {"user.", "trusted.", "security."}) {
    if (name == prefix) return -EINVAL;
    if (name.starts_with(prefix)) return 0;
  }
  return -EOPNOTSUPP;
}

}  // namespace

// --- Contents ---

int32_t ReadContents(SimFileSystem* files, SimInode* inode, uint64_t offset,
                     uint32_t length, char* buffer) {
  NoteRead(files, inode);
  if (length == 0) return 0;
  const uint32_t most = inode->mount->traits.read_max;
  if (most != 0) length = std::min(length, most);
  return static_cast<int32_t>(inode->contents.Read(offset, length, buffer));
}

int32_t WriteContents(SimFileSystem* files, SimInode* inode, uint64_t offset,
                      std::string_view bytes) {
  if (bytes.empty()) return 0;
  SimMount* const mount = inode->mount;
  const uint32_t most = mount->traits.write_max;
  if (most != 0) bytes = bytes.substr(0, most);
  if (offset >= mount->traits.file_size_max) return -EFBIG;
  bytes = bytes.substr(0, mount->traits.file_size_max - offset);
  const uint64_t pages = inode->contents.pages();
  const uint32_t stored = inode->contents.Write(offset, bytes, mount->pages_free());
  mount->pages += inode->contents.pages() - pages;
  if (stored == 0 && !mount->traits.tells_errors_at_close) return -ENOSPC;
  NoteWritten(files, inode, SimEffect::Kind::kWritten);
  if (!mount->traits.tells_errors_at_close || stored == bytes.size()) {
    return static_cast<int32_t>(stored);
  }
  // What was only in the cache is lost.
  inode->contents.SetSize(std::max(inode->contents.size(), offset + bytes.size()));
  inode->error_at_close = ENOSPC;
  return static_cast<int32_t>(bytes.size());
}

int32_t SetContentsSize(SimFileSystem* files, SimInode* inode, uint64_t size) {
  if (size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return -EINVAL;
  if (size > inode->mount->traits.file_size_max) return -EFBIG;
  const uint64_t pages = inode->contents.pages();
  inode->contents.SetSize(size);
  inode->mount->pages -= pages - inode->contents.pages();
  NoteWritten(files, inode, SimEffect::Kind::kTruncated);
  return 0;
}

int32_t SetRoomAside(SimFileSystem* files, SimInode* inode, uint64_t size) {
  SimMount* const mount = inode->mount;
  const uint64_t pages = inode->contents.pages();
  if (!inode->contents.Preallocate(size, mount->pages_free())) return -ENOSPC;
  mount->pages += inode->contents.pages() - pages;
  NoteWritten(files, inode, SimEffect::Kind::kTruncated);
  return 0;
}

int32_t CloneContents(SimFileSystem* files, const SimInode& source, SimInode* target) {
  const uint64_t pages = target->contents.pages();
  if (source.contents.pages() > pages + target->mount->pages_free()) return -ENOSPC;
  target->contents = source.contents;
  target->mount->pages += target->contents.pages() - pages;
  NoteWritten(files, target, SimEffect::Kind::kWritten);
  return 0;
}

int32_t FindData(const SimInode& inode, uint64_t offset, uint64_t* position) {
  if (offset >= inode.contents.size()) return -ENXIO;
  if (!inode.mount->traits.knows_holes) {
    *position = offset;
    return 0;
  }
  const std::optional<uint64_t> data = inode.contents.NextData(offset);
  if (!data.has_value()) return -ENXIO;
  *position = *data;
  return 0;
}

int32_t FindHole(const SimInode& inode, uint64_t offset, uint64_t* position) {
  if (offset >= inode.contents.size()) return -ENXIO;
  *position = inode.mount->traits.knows_holes ? inode.contents.NextHole(offset)
                                              : inode.contents.size();
  return 0;
}

// --- Attributes ---

void TellStat(const SimInode& inode, uint64_t number, struct statx* stat) {
  const SimMountTraits& traits = inode.mount->traits;
  *stat = {};
  stat->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  stat->stx_blksize = SparseBytes::kPageBytes;
  stat->stx_nlink = inode.links;
  stat->stx_uid = inode.user;
  stat->stx_gid = inode.group;
  mode_t mode = inode.mode;
  if (traits.fixed_mode.has_value() && !inode.is_link()) {
    mode = inode.type() | *traits.fixed_mode;
  }
  stat->stx_mode = static_cast<uint16_t>(mode);
  stat->stx_ino = number;
  stat->stx_size = SizeOf(inode);
  if (traits.size_told_max.has_value() && inode.is_regular()) {
    stat->stx_size = std::min<uint64_t>(stat->stx_size, *traits.size_told_max);
  }
  stat->stx_blocks = traits.tells_no_blocks ? 0 : BlocksOf(inode);
  stat->stx_atime = Timestamp(inode.access);
  stat->stx_mtime = Timestamp(inode.modification);
  stat->stx_ctime = Timestamp(inode.change);
  stat->stx_btime = Timestamp(inode.birth);
  stat->stx_rdev_major = major(inode.device);
  stat->stx_rdev_minor = minor(inode.device);
  stat->stx_dev_major = 0;
  stat->stx_dev_minor = inode.mount->device_minor + 1;
}

int32_t SetModeOf(SimFileSystem* files, SimInode* inode, mode_t mode) {
  if (inode->is_link()) return -EOPNOTSUPP;
  if (inode->mount->traits.refuses_mode) return -EPERM;
  inode->mode = inode->type() | (mode & kModeBits);
  const auto acl = inode->xattrs.find(kAccessAclName);
  if (acl != inode->xattrs.end()) acl->second = AclAfterChmod(acl->second, mode);
  NoteAttributes(files, inode);
  return 0;
}

int32_t SetOwnerOf(SimFileSystem* files, SimInode* inode, uid_t user, gid_t group) {
  if (inode->mount->traits.refuses_owner) return -EPERM;
  if (user != static_cast<uid_t>(-1)) inode->user = user;
  if (group != static_cast<gid_t>(-1)) inode->group = group;
  if (!inode->is_directory()) {
    inode->mode &= ~S_ISUID;
    if ((inode->mode & S_IXGRP) != 0) inode->mode &= ~S_ISGID;
    inode->xattrs.erase(kCapability);
  }
  NoteAttributes(files, inode);
  return 0;
}

int32_t SetTimesOf(SimFileSystem* files, SimInode* inode,
                   const std::array<timespec, 2>& times) {
  constexpr int64_t kNanosecondsMax = 999'999'999;
  for (const timespec& time : times) {
    if (time.tv_nsec == UTIME_NOW || time.tv_nsec == UTIME_OMIT) continue;
    if (time.tv_nsec < 0 || time.tv_nsec > kNanosecondsMax) return -EINVAL;
  }
  const auto set = [files](const timespec& time, timespec* value) {
    if (time.tv_nsec == UTIME_NOW) *value = files->now();
    if (time.tv_nsec != UTIME_NOW && time.tv_nsec != UTIME_OMIT) *value = time;
  };
  if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  set(times[0], &inode->access);
  set(times[1], &inode->modification);
  NoteAttributes(files, inode);
  return 0;
}

int32_t GetXattrOf(const SimInode& inode, std::string_view name, std::string* value) {
  const int32_t checked = CheckXattr(inode, name, -ENODATA);
  if (checked != 0) return checked;
  const auto xattr = inode.xattrs.find(std::string(name));
  if (xattr == inode.xattrs.end()) return -ENODATA;
  *value = xattr->second;
  return static_cast<int32_t>(value->size());
}

int32_t ListXattrsOf(const SimInode& inode, std::string* names) {
  if (!inode.mount->traits.has_xattrs) return 0;
  names->clear();
  for (const bool acls : {true, false}) {  // Linux lists ACLs first.
    for (const auto& [name, value] : inode.xattrs) {
      if (IsAcl(name) == acls) names->append(name).push_back('\0');
    }
  }
  return static_cast<int32_t>(names->size());
}

int32_t SetXattrOf(SimFileSystem* files, SimInode* inode, std::string_view name,
                   std::string_view value) {
  if (value.size() > XATTR_SIZE_MAX) return -E2BIG;
  // Linux checks the form of a list before it looks at the file.
  const int32_t formed = IsAcl(name) && !value.empty() ? CheckAclForm(value) : 0;
  if (formed != 0) return formed;
  const int32_t checked = CheckXattr(*inode, name, -EPERM);
  if (checked != 0) return checked;
  if (!IsAcl(name)) {
    inode->xattrs[std::string(name)] = std::string(value);
    NoteAttributes(files, inode);
    return 0;
  }
  if (value.empty() || IsEmptyAcl(value)) return RemoveXattrOf(files, inode, name);
  if (name == kDefaultAclName && !inode->is_directory()) return -EACCES;
  const int32_t valid = CheckAcl(value);
  if (valid != 0) return valid;
  if (name == kDefaultAclName) {
    inode->xattrs[std::string(name)] = std::string(value);
  } else {
    const std::string kept = AclAsSet(value, &inode->mode);
    if (kept.empty()) {
      inode->xattrs.erase(std::string(name));
    } else {
      inode->xattrs[std::string(name)] = kept;
    }
  }
  NoteAttributes(files, inode);
  return 0;
}

int32_t RemoveXattrOf(SimFileSystem* files, SimInode* inode, std::string_view name) {
  const int32_t checked = CheckXattr(*inode, name, -EPERM);
  if (checked != 0) return checked;
  if (inode->xattrs.erase(std::string(name)) == 0 && !IsAcl(name)) return -ENODATA;
  NoteAttributes(files, inode);
  return 0;
}

}  // namespace ringcp
