// What is known of file systems by their kind.
//
// Thread-safety: pure apart from asking the kernel.

#ifndef RINGCP_CORE_FILE_SYSTEMS_H_
#define RINGCP_CORE_FILE_SYSTEMS_H_

namespace ringcp {

// Whether the open file `fd` (O_PATH is enough) is on one of the local file systems that
// are known by name: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs and ramfs. Of those we know
// from their sources in Linux that
//  - closing a file tells no error (they have no flush operation, or one that says
//    nothing), so that a target may be closed as a slot of a ring, which flushes nothing;
//  - a file's size is true: a read that gets less than it asked for has met its end.
// NFS, CIFS, FUSE and others tell errors of writing when a file is closed, and may say
// any size. A file system that is not known is taken for one of those: the price is a
// system call or two for each file, the alternative were files lost in silence.
bool IsKnownLocal(int fd);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SYSTEMS_H_
