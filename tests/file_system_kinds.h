// Kinds of file systems that tests make up file systems of.

#ifndef RINGCP_TESTS_FILE_SYSTEM_KINDS_H_
#define RINGCP_TESTS_FILE_SYSTEM_KINDS_H_

#include <linux/magic.h>

#include "core/kernel/file_systems.h"

namespace ringcp {

inline const FileSystemKind& LocalKind() { return KindWithMagic(EXT4_SUPER_MAGIC); }
inline const FileSystemKind& NfsKind() { return KindWithMagic(NFS_SUPER_MAGIC); }
inline const FileSystemKind& OverlayKind() {
  return KindWithMagic(OVERLAYFS_SUPER_MAGIC);
}
// One that has no row.
inline const FileSystemKind& OtherKind() { return KindWithMagic(FUSE_SUPER_MAGIC); }

}  // namespace ringcp

#endif  // RINGCP_TESTS_FILE_SYSTEM_KINDS_H_
