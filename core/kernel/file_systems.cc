#include "core/kernel/file_systems.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

namespace ringcp {
namespace {

// XFS's number is in none of the kernel headers for programs, but it is part of XFS's
// on-disk format.
constexpr unsigned kXfsMagic = 0x58465342;
// That of the driver ntfs3, also in none of the headers.
constexpr unsigned kNtfs3Magic = 0x7366746e;

// Of NTFS, and so of SMB.
constexpr int64_t kNtfsTimeUnit = 100;

// File systems that are known from their sources in Linux: they have no flush operation,
// or one that reports no errors.
constexpr FileSystemKind kLocal = {.tells_errors_at_close = false,
                                   .tells_true_sizes = true,
                                   .gives_files_to_their_maker = true,
                                   .has_true_inodes = true,
                                   .copies_up = false,
                                   .may_open_truncating_only = false,
                                   .may_keep_what_is_open = false,
                                   .may_write_by_calls_only = false,
                                   .copies_on_server = false,
                                   .time_unit = 0,
                                   .clones_one_at_a_time = false};

constexpr FileSystemKind kBtrfs = [] {
  FileSystemKind kind = kLocal;
  kind.clones_one_at_a_time = true;  // See core/job/worker_count.h.
  return kind;
}();

// The server assigns the inode numbers. From NFS 4.2 on, a server may copy between its
// files (COPY).
constexpr FileSystemKind kNfs = {.tells_errors_at_close = true,
                                 .tells_true_sizes = false,
                                 .gives_files_to_their_maker = false,
                                 .has_true_inodes = true,
                                 .copies_up = false,
                                 .may_open_truncating_only = false,
                                 .may_keep_what_is_open = false,
                                 .may_write_by_calls_only = false,
                                 .copies_on_server = true,
                                 .time_unit = 0,
                                 .clones_one_at_a_time = false};

// Its layers may be any file systems.
constexpr FileSystemKind kOverlay = {.tells_errors_at_close = true,
                                     .tells_true_sizes = false,
                                     .gives_files_to_their_maker = false,
                                     .has_true_inodes = true,
                                     .copies_up = true,
                                     .may_open_truncating_only = false,
                                     .may_keep_what_is_open = false,
                                     .may_write_by_calls_only = true,
                                     .copies_on_server = false,
                                     .time_unit = 0,
                                     .clones_one_at_a_time = false};

// FUSE, CIFS (SMB 1) and all others that have no row.
//
// Why none of the others copies on a server, although each may be asked to: on a local
// file system Linux itself copies, through the page cache, and what it would clone the
// copy has tried to clone already; overlayfs hands the question on to such a layer. FUSE
// and Ceph hand it to a server only if that was made or mounted for it, and otherwise
// Linux copies by itself, too: one piece after the other, where the copy has several
// blocks on their way at a time. All others know no such operation.
constexpr FileSystemKind kAnyOther;

// From SMB 2 on a server copies between its files (FSCTL_SRV_COPYCHUNK).
constexpr FileSystemKind kSmb = [] {
  FileSystemKind kind = kAnyOther;
  kind.copies_on_server = true;
  kind.time_unit = kNtfsTimeUnit;
  return kind;
}();

constexpr FileSystemKind WithTimeUnit(int64_t time_unit) {
  FileSystemKind kind = kAnyOther;
  kind.time_unit = time_unit;
  return kind;
}
constexpr FileSystemKind kFat = WithTimeUnit(2'000'000'000);
constexpr FileSystemKind kExfat = WithTimeUnit(10'000'000);
constexpr FileSystemKind kNtfs = WithTimeUnit(kNtfsTimeUnit);

struct Row {
  uint64_t magic;
  const FileSystemKind* kind;
};

// ext2, ext3 and ext4 share one number.
constexpr Row kRows[] = {
    {EXT4_SUPER_MAGIC, &kLocal},  {kXfsMagic, &kLocal},
    {BTRFS_SUPER_MAGIC, &kBtrfs}, {F2FS_SUPER_MAGIC, &kLocal},
    {TMPFS_MAGIC, &kLocal},       {RAMFS_MAGIC, &kLocal},
    {NFS_SUPER_MAGIC, &kNfs},     {OVERLAYFS_SUPER_MAGIC, &kOverlay},
    {SMB2_SUPER_MAGIC, &kSmb},    {CIFS_SUPER_MAGIC, &kNtfs},
    {MSDOS_SUPER_MAGIC, &kFat},   {EXFAT_SUPER_MAGIC, &kExfat},
    {kNtfs3Magic, &kNtfs},
};

}  // namespace

const FileSystemKind& KindWithMagic(uint64_t magic) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [&](const Row& r) { return r.magic == magic; });
  return row != std::end(kRows) ? *row->kind : kAnyOther;
}

int32_t StatFileSystemAt(Kernel* kernel, int directory, const char* name, bool follow,
                         FileSystemStat* stat) {
  const int fd = kernel->Open(directory, name, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (fd < 0) return fd;
  const int32_t result = kernel->Do(StatFileSystem(fd, stat));
  kernel->Close(fd);
  return result;
}

std::string FoldedName(std::string_view name) {
  const bool is_ascii = std::all_of(name.begin(), name.end(), [](char byte) {
    return absl::ascii_isascii(static_cast<unsigned char>(byte));
  });
  return is_ascii ? absl::AsciiStrToLower(absl::string_view(name.data(), name.size()))
                  : "\x80";
}

}  // namespace ringcp
