#include "core/kernel/call_side.h"

#include <fcntl.h>
#include <poll.h>

namespace ringcp {

Side SideOf(const Op& op) {
  switch (op.kind) {
    case OpKind::kRead:
    case OpKind::kReadLink:
    case OpKind::kReadDirectory:
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
    case OpKind::kCountCached:
    case OpKind::kRefusePipe:
      return Side::kSource;
    case OpKind::kUnlinkAt:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
    case OpKind::kMakeSymlink:
    case OpKind::kMakeLink:
    case OpKind::kRename:
    case OpKind::kWrite:
    case OpKind::kPreallocate:
    case OpKind::kFtruncate:
    case OpKind::kClone:
    case OpKind::kCopyRange:
    case OpKind::kWriteBack:
    case OpKind::kSetTimes:
    case OpKind::kSetOwner:
    case OpKind::kSetMode:
    case OpKind::kSetXattr:
    case OpKind::kRemoveXattr:
    case OpKind::kLabelNext:
    case OpKind::kSetDefaultLabel:
      return Side::kTarget;
    case OpKind::kOpenAt: {
      const bool writes = (op.open.flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
      return writes ? Side::kTarget : OnSide::now();
    }
    case OpKind::kPoll:
      return (op.poll.events & POLLOUT) != 0 ? Side::kTarget : Side::kSource;
    case OpKind::kStatx:
    case OpKind::kSeek:
    case OpKind::kDropCached:
    case OpKind::kClose:
    case OpKind::kInstallDescriptor:
    case OpKind::kSetDirect:
    case OpKind::kFileSystem:
    case OpKind::kGetXattr:
    case OpKind::kListXattrs:
      break;
  }
  return OnSide::now();
}

uint32_t TargetMask(absl::Span<const Op> chain) {
  uint32_t mask = 0;
  for (size_t i = 0; i < chain.size(); ++i) {
    if (SideOf(chain[i]) == Side::kTarget) mask |= 1u << i;
  }
  return mask;
}

}  // namespace ringcp
