#include "tests/simulation/random_ops.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <poll.h>
#include <stdio.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/posix_acl.h"

namespace ringcp {
namespace {

constexpr int kNotOpen = 900'000;
constexpr uint32_t kTransferMax = 9000;

}  // namespace

Op OpPlan::On(OpSide* side) const {
  const auto descriptor = [side](int place) {
    const auto index = static_cast<size_t>(place);
    return index < side->fds.size() && side->fds[index] >= 0 ? side->fds[index]
                                                             : kNotOpen;
  };
  Op made = op;
  if (op.file != FileRef()) {
    made.file = FileRef::Descriptor(descriptor(op.file.descriptor()));
  }
  switch (op.kind) {
    case OpKind::kOpenAt:
      made.open.directory = descriptor(op.open.directory);
      made.open.name = name.c_str();
      break;
    case OpKind::kStatx:
      made.stat.directory = descriptor(op.stat.directory);
      made.stat.name = name.c_str();
      made.stat.result = &side->stat;
      break;
    case OpKind::kUnlinkAt:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
      made.name.directory = descriptor(op.name.directory);
      made.name.name = name.c_str();
      break;
    case OpKind::kMakeSymlink:
      made.symlink.text = other_name.c_str();
      made.symlink.directory = descriptor(op.symlink.directory);
      made.symlink.name = name.c_str();
      break;
    case OpKind::kMakeLink:
    case OpKind::kRename:
      made.two_names.old_directory = descriptor(op.two_names.old_directory);
      made.two_names.old_name = name.c_str();
      made.two_names.directory = descriptor(op.two_names.directory);
      made.two_names.name = other_name.c_str();
      break;
    case OpKind::kWrite:
      std::copy(contents.begin(), contents.end(), side->buffer.begin());
      made.io.buffer = side->buffer.data();
      break;
    case OpKind::kRead:
    case OpKind::kReadLink:
    case OpKind::kReadDirectory:
      made.io.buffer = side->buffer.data();
      break;
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
    case OpKind::kSeek:
    case OpKind::kCountCached:
      made.seek.position = &side->position;
      break;
    case OpKind::kCopyRange:
      made.range.source = descriptor(op.range.source);
      break;
    case OpKind::kClone:
    case OpKind::kSetDirect:
      made.pair.source = descriptor(op.pair.source);
      break;
    case OpKind::kSetXattr:
      std::copy(contents.begin(), contents.end(), side->buffer.begin());
      [[fallthrough]];
    case OpKind::kGetXattr:
    case OpKind::kListXattrs:
    case OpKind::kRemoveXattr:
      made.xattr.name = name.c_str();
      made.xattr.value = side->buffer.data();
      break;
    default:
      break;
  }
  return made;
}

std::string ToString(const OpPlan& plan) {
  return absl::StrCat("op ", static_cast<int>(plan.op.kind), " on ",
                      plan.op.file.descriptor(), " '", plan.name, "' '", plan.other_name,
                      "'", plan.is_queued ? " queued" : "");
}

std::string RandomOps::Name() {
  static constexpr const char* kNames[] = {"a", "b", "c", "d", "e"};
  return kNames[Below(std::size(kNames))];
}

std::string RandomOps::Path() {
  if (OneIn(60)) return "";
  if (OneIn(60)) return std::string(255 + Below(2), 'n');
  if (OneIn(40)) return ".";
  std::string path = Name();
  while (OneIn(3)) absl::StrAppend(&path, OneIn(10) ? "//" : "/", Name());
  if (OneIn(20)) absl::StrAppend(&path, "/.");
  // This never leads above the directory: the name before ".." leads down at least one
  // level, because no link here contains ".." or leads to its own directory.
  if (OneIn(20) && !path.ends_with(".")) absl::StrAppend(&path, "/..");
  if (OneIn(15)) path += "/";
  return path;
}

mode_t RandomOps::Mode() {
  static constexpr mode_t kModes[] = {0644, 0755, 0600, 0777, 0, 0640, 0400, 0111};
  mode_t mode = kModes[Below(std::size(kModes))];
  if (OneIn(8)) mode |= S_ISUID;
  if (OneIn(8)) mode |= S_ISGID;
  if (OneIn(8)) mode |= S_ISVTX;
  return mode;
}

uint64_t RandomOps::Offset() {
  static constexpr uint64_t kOffsets[] = {0, 0, 1, 100, 4095, 4096, 8192, 10000, 40960};
  if (OneIn(100)) return uint64_t{1} << 63 | 5;
  return kOffsets[Below(std::size(kOffsets))];
}

int RandomOps::OpenFlags() {
  static constexpr int kAccess[] = {O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
  int flags = kAccess[Below(std::size(kAccess))] | O_NONBLOCK;
  if (OneIn(6)) {
    return O_PATH | (OneIn(2) ? O_NOFOLLOW : 0) | (OneIn(4) ? O_DIRECTORY : 0);
  }
  if (OneIn(2)) flags |= O_CREAT;
  if (OneIn(4)) flags |= O_EXCL;
  if (OneIn(4)) flags |= O_TRUNC;
  if (OneIn(4)) flags |= O_NOFOLLOW;
  if (OneIn(6)) flags |= O_DIRECTORY;
  if (OneIn(10)) flags |= O_APPEND;
  return flags;
}

std::string RandomOps::Acl() {
  posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  if (OneIn(30)) header.a_version = htole32(1);
  std::string acl(reinterpret_cast<const char*>(&header), sizeof(header));
  const auto add = [&](int tag, uint32_t id) {
    posix_acl_xattr_entry entry;
    entry.e_tag = htole16(static_cast<uint16_t>(tag));
    entry.e_perm = htole16(static_cast<uint16_t>(Below(8)));
    entry.e_id = htole32(id);
    acl.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  };
  constexpr auto kNobody = static_cast<uint32_t>(ACL_UNDEFINED_ID);
  if (OneIn(20)) return acl;
  add(ACL_USER_OBJ, kNobody);
  const bool has_user = OneIn(2);
  if (has_user) add(ACL_USER, 5);
  add(ACL_GROUP_OBJ, kNobody);
  const bool has_group = OneIn(3);
  if (has_group) add(ACL_GROUP, 7);
  if (has_user || has_group || OneIn(3)) add(ACL_MASK, kNobody);
  if (!OneIn(20)) add(ACL_OTHER, kNobody);
  if (OneIn(30)) acl += "x";
  return acl;
}

void RandomOps::PlanName(OpPlan* plan, int directory) {
  Op& op = plan->op;
  plan->name = Path();
  switch (Below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      op = OpenAt(directory, "", OpenFlags(), Mode(), FileRef());
      break;
    case 4:
      op = StatAt(directory, "", OneIn(2) ? AT_SYMLINK_NOFOLLOW : 0, nullptr);
      if (OneIn(4)) op.stat.flags |= AT_EMPTY_PATH;
      break;
    case 5:
      op = UnlinkAt(directory, "", OneIn(3) ? AT_REMOVEDIR : 0);
      break;
    case 6:
    case 7:
      op = MakeDirectory(directory, "", Mode());
      break;
    case 8: {
      static constexpr mode_t kTypes[] = {S_IFIFO, S_IFIFO, S_IFSOCK,
                                          S_IFREG, 0,       S_IFDIR};
      op = MakeNode(directory, "", kTypes[Below(std::size(kTypes))] | Mode(), 0);
      break;
    }
    case 9:
      plan->other_name = Name();
      if (OneIn(3)) absl::StrAppend(&plan->other_name, "/", Name());
      if (OneIn(6)) plan->other_name = std::string(100 + Below(60), 'l');
      op = MakeSymlink("", directory, "");
      break;
    default:
      plan->other_name = Path();
      op = OneIn(2)
               ? MakeLink(directory, "", directory, "", OneIn(3) ? AT_SYMLINK_FOLLOW : 0)
               : Rename(directory, "", directory, "", OneIn(3) ? RENAME_NOREPLACE : 0);
      break;
  }
}

void RandomOps::PlanXattr(OpPlan* plan, int fd) {
  static constexpr const char* kNames[] = {"user.a", "user.b", "trusted.c", "user.",
                                           "odd.d",  "plain",  ""};
  Op& op = plan->op;
  const FileRef file = FileRef::Descriptor(fd);
  const bool is_acl = options_.acls && OneIn(2);
  plan->name = kNames[Below(std::size(kNames))];
  plan->contents = std::string(Below(20), 'v');
  if (is_acl) {
    plan->name = OneIn(2) ? kAccessAclName : kDefaultAclName;
    plan->contents = Acl();
  }
  static constexpr uint32_t kSizes[] = {0, 4, 200, 2000};
  const uint32_t size = kSizes[Below(std::size(kSizes))];
  switch (Below(5)) {
    case 0:
      op = GetXattr(file, "", nullptr, size);
      break;
    case 1:
      op = ListXattrs(file, nullptr, size);
      break;
    case 2:
      op = RemoveXattr(file, "");
      break;
    default:
      op = SetXattr(file, "", nullptr, static_cast<uint32_t>(plan->contents.size()));
      break;
  }
}

void RandomOps::PlanFile(OpPlan* plan, int fd) {
  Op& op = plan->op;
  const FileRef file = FileRef::Descriptor(fd);
  const uint64_t offset = OneIn(4) ? kCurrentPosition : Offset();
  const auto length = static_cast<uint32_t>(1 + Below(kTransferMax));
  switch (Below(26)) {
    case 0:
    case 1:
    case 2:
      op = ReadAt(file, nullptr, OneIn(30) ? 0 : length, offset);
      break;
    case 3:
    case 4:
    case 5:
    case 6:
      plan->contents = std::string(OneIn(30) ? 0 : length, 'a' + Below(26));
      op = WriteAt(file, nullptr, static_cast<uint32_t>(plan->contents.size()), offset);
      break;
    case 7:
      op = ReadLink(fd, nullptr, static_cast<uint32_t>(Below(200)));
      break;
    case 8:
      op = Preallocate(file, OneIn(5) ? 0 : Offset());
      break;
    case 9:
    case 10:
      op = SetSize(file, Offset());
      break;
    case 11:
      op = SeekData(file, Offset(), nullptr);
      break;
    case 12:
      op = SeekHole(file, Offset(), nullptr);
      break;
    case 13:
      op = Seek(fd, OneIn(3) ? kCurrentPosition : Offset(), nullptr);
      break;
    case 14:
      op = OneIn(2) ? WriteBack(file) : RefusePipe(file);
      break;
    case 15:
      op = Poll(file, OneIn(2) ? POLLIN : POLLOUT, 0);
      break;
    case 16:
      op = Clone(FileRef::Descriptor(static_cast<int>(Below(fd + 1))), file);
      if (OneIn(2)) {
        op = CopyRange(FileRef::Descriptor(op.pair.source), file, Offset(), length);
      }
      break;
    case 17:
      op = SetTimes(file, {.tv_sec = static_cast<time_t>(Below(1000)), .tv_nsec = 5},
                    {.tv_sec = static_cast<time_t>(Below(1000)),
                     .tv_nsec = OneIn(10) ? 2'000'000'000 : 7});
      if (OneIn(5)) op.times.values[Below(2)].tv_nsec = UTIME_OMIT;
      if (OneIn(5)) op.times.values[Below(2)].tv_nsec = UTIME_NOW;
      break;
    case 18:
      op = SetOwner(file, OneIn(3) ? -1 : Below(3), OneIn(3) ? -1 : Below(3));
      break;
    case 19:
    case 20:
      op = SetMode(fd, Mode());
      break;
    case 21:
      op = StatDescriptor(fd, nullptr);
      break;
    case 22:
      op = Close(fd);
      break;
    case 23:
      op = ReadDirectory(fd, nullptr, 4096);
      break;
    default:
      if (options_.xattrs) {
        PlanXattr(plan, fd);
      } else {
        op = StatDescriptor(fd, nullptr);
      }
      break;
  }
}

OpPlan RandomOps::Next(size_t places) {
  OpPlan plan;
  // A place beyond the table stands for a descriptor that is not open.
  const int place = static_cast<int>(Below(places + (OneIn(20) ? 1 : 0)));
  if (OneIn(2)) {
    PlanName(&plan, OneIn(3) ? place : 0);
  } else {
    PlanFile(&plan, place);
  }
  // The top directory stays open.
  const bool closes_top = plan.op.kind == OpKind::kClose && place == 0;
  if (closes_top) plan.op = StatDescriptor(0, nullptr);
  // For a pipe a ring ignores the offset, but a call refuses it: nothing to compare.
  const bool is_transfer =
      plan.op.kind == OpKind::kRead || plan.op.kind == OpKind::kWrite;
  plan.is_queued = OneIn(3) && CanBeQueued(plan.op.kind) &&
                   !(is_transfer && plan.op.io.offset != kCurrentPosition);
  return plan;
}

}  // namespace ringcp
