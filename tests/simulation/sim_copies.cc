#include "tests/simulation/sim_copies.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tests/simulation/sim_file.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

int32_t CloneSimulated(SimProcess* process, const Op& op, const SimOpenFile& target) {
  const OpenFilePtr source = process->Get(op.pair.source);
  if (source == nullptr || target.is_path() || source->is_path()) return -EBADF;
  if (source->inode->mount != target.inode->mount) return -EXDEV;
  if (source->inode->is_directory() || target.inode->is_directory()) return -EISDIR;
  if (!source->inode->is_regular() || !target.inode->is_regular()) return -EINVAL;
  const bool appends = (target.flags & O_APPEND) != 0;
  if (!source->can_read() || !target.can_write() || appends) return -EBADF;
  if (!source->inode->mount->traits.can_clone) return -EOPNOTSUPP;
  if (source->inode == target.inode) return 0;
  return CloneContents(process->files(), *source->inode, target.inode.get());
}

// Like Linux 6.18: if the file system has no operation for it, Linux itself copies.
int32_t CopyRangeSimulated(SimProcess* process, const Op& op, const SimOpenFile& target) {
  constexpr uint64_t kOffsetMax = INT64_MAX;
  const OpenFilePtr source = process->Get(op.range.source);
  if (source == nullptr || target.is_path() || source->is_path()) return -EBADF;
  if (source->inode->is_directory() || target.inode->is_directory()) return -EISDIR;
  if (!source->inode->is_regular() || !target.inode->is_regular()) return -EINVAL;
  const bool appends = (target.flags & O_APPEND) != 0;
  if (!source->can_read() || !target.can_write() || appends) return -EBADF;
  if (source->inode->mount != target.inode->mount) return -EXDEV;
  if (op.range.offset > kOffsetMax) return -EINVAL;
  const SimMountTraits& traits = target.inode->mount->traits;
  const uint64_t size = source->inode->contents.size();
  uint64_t length = op.range.offset < size
                        ? std::min<uint64_t>(op.range.length, size - op.range.offset)
                        : 0;
  if (source->inode == target.inode && length > 0) return -EINVAL;  // They overlap.
  if (length == 0) return 0;
  if (traits.copy_range_error != 0) return -traits.copy_range_error;
  if (traits.copy_range_max != 0) length = std::min(length, traits.copy_range_max);
  std::string bytes(length, '\0');
  const int32_t result =
      ReadContents(process->files(), source->inode.get(), op.range.offset,
                   static_cast<uint32_t>(length), bytes.data());
  bytes.resize(static_cast<size_t>(result));
  return WriteContents(process->files(), target.inode.get(), op.range.offset, bytes);
}

}  // namespace ringcp
