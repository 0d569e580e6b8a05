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

FileSystemKind KindOf(const FileSystemStat& stat) {
  if (stat.magic == NFS_SUPER_MAGIC) return FileSystemKind::kNfs;
  if (stat.magic == OVERLAYFS_SUPER_MAGIC) return FileSystemKind::kOverlay;
  const bool is_local = std::find(std::begin(kKnownLocal), std::end(kKnownLocal),
                                  stat.magic) != std::end(kKnownLocal);
  return is_local ? FileSystemKind::kLocal : FileSystemKind::kOther;
}

}  // namespace

FileSystemKind KindOfFileSystem(Kernel* kernel, int fd) {
  FileSystemStat stat;
  const int32_t result = kernel->Do(StatFileSystem(fd, &stat));
  return result == 0 ? KindOf(stat) : FileSystemKind::kOther;
}

FileSystemKind KindOfFileSystemAt(Kernel* kernel, int directory, const char* name) {
  FileSystemStat stat;
  const int32_t result =
      StatFileSystemAt(kernel, directory, name, /*follow=*/true, &stat);
  return result == 0 ? KindOf(stat) : FileSystemKind::kOther;
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
