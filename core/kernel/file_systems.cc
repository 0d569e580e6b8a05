#include "core/kernel/file_systems.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

namespace ringcp {
namespace {

// XFS's is in no header of the kernel's for programs; the number is part of its format.
constexpr unsigned kXfsMagic = 0x58465342;

// ext2, ext3 and ext4 have one number.
constexpr unsigned kKnownLocal[] = {
    EXT4_SUPER_MAGIC, kXfsMagic,   BTRFS_SUPER_MAGIC,
    F2FS_SUPER_MAGIC, TMPFS_MAGIC, RAMFS_MAGIC,
};

}  // namespace

FileSystemKind KindOfFileSystem(Kernel* kernel, int fd) {
  FileSystemStat stat;
  if (kernel->Do(StatFileSystem(fd, &stat)) != 0) return FileSystemKind::kOther;
  const uint64_t magic = stat.magic;
  if (magic == NFS_SUPER_MAGIC) return FileSystemKind::kNfs;
  if (magic == OVERLAYFS_SUPER_MAGIC) return FileSystemKind::kOverlay;
  const bool is_local = std::find(std::begin(kKnownLocal), std::end(kKnownLocal),
                                  magic) != std::end(kKnownLocal);
  return is_local ? FileSystemKind::kLocal : FileSystemKind::kOther;
}

FileSystemKind KindOfFileSystemAt(Kernel* kernel, int directory, const char* name) {
  const int fd = kernel->Do(OpenAt(directory, name, O_PATH));
  if (fd < 0) return FileSystemKind::kOther;
  const FileSystemKind kind = KindOfFileSystem(kernel, fd);
  kernel->Do(Close(fd));
  return kind;
}

std::string FoldedName(std::string_view name) {
  const bool is_ascii = std::all_of(name.begin(), name.end(), [](char byte) {
    return absl::ascii_isascii(static_cast<unsigned char>(byte));
  });
  return is_ascii ? absl::AsciiStrToLower(absl::string_view(name.data(), name.size()))
                  : "\x80";
}

}  // namespace ringcp
