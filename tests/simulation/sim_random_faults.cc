#include "tests/simulation/sim_random_faults.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

constexpr uint64_t kCopiedMax = 20'000;

// The errors that an op of this kind may have on a file system that worked before.
// -ENOENT, -EEXIST and the like are not among them: they state a fact, and others
// (sim_random_others.h) bring that about. Nor is -EOPNOTSUPP for extended attributes,
// which states that a file has none: a mount's traits bring that about
// (SimMountTraits::has_xattrs).
std::vector<int> ErrorsOf(const Op& op) {
  switch (op.kind) {
    case OpKind::kOpenAt:
      if ((op.open.flags & O_CREAT) != 0) return {EIO, ENOSPC, EDQUOT, EMFILE, EACCES};
      return {EIO, EACCES, EMFILE, ENOMEM, ESTALE};
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
    case OpKind::kMakeSymlink:
      return {EIO, ENOSPC, EDQUOT, EACCES, EROFS};
    case OpKind::kMakeLink:
      return {EIO, EMLINK, EPERM, ENOSPC};
    case OpKind::kRename:
    case OpKind::kUnlinkAt:
      return {EIO, EACCES, EBUSY};
    case OpKind::kStatx:
      return {EIO, EACCES, ESTALE};
    case OpKind::kRead:
    case OpKind::kReadDirectory:
    case OpKind::kReadLink:
      return {EIO, ENOMEM, ESTALE};
    case OpKind::kWrite:
      return {EIO, ENOSPC, EDQUOT, EFBIG};
    case OpKind::kPreallocate:
      return {EOPNOTSUPP, ENOSPC, EIO};
    case OpKind::kFtruncate:
      return {EIO, EPERM};
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
      return {EINVAL, EIO};
    case OpKind::kSeek:
      return {EIO};
    case OpKind::kCountCached:
      return {ENOSYS, EOPNOTSUPP, EPERM};
    case OpKind::kClone:
      return {EOPNOTSUPP, EXDEV, EINVAL, EIO, ENOSPC};
    case OpKind::kCopyRange:
      return {EXDEV, EINVAL,  EOPNOTSUPP, ENOSYS, EBADF,
              EPERM, ETXTBSY, ENOENT,     EIO,    ENOSPC};
    case OpKind::kWriteBack:
    case OpKind::kClose:
      return {EIO, ENOSPC, EDQUOT};
    case OpKind::kInstallDescriptor:
      return {EMFILE, ENOMEM};
    case OpKind::kSetDirect:
      return {EINVAL};
    case OpKind::kFileSystem:
      return {EIO, EACCES};
    case OpKind::kSetTimes:
    case OpKind::kSetOwner:
    case OpKind::kSetMode:
      return {EPERM, EIO, EROFS};
    case OpKind::kGetXattr:
    case OpKind::kListXattrs:
      return {EIO, ENOMEM};
    case OpKind::kSetXattr:
    case OpKind::kRemoveXattr:
      return {EIO, EPERM, ENOSPC};
    case OpKind::kLabelNext:
    case OpKind::kSetDefaultLabel:
      return {EACCES, EPERM, EINVAL, ENODATA, ENOMEM};
    case OpKind::kDropCached:
    case OpKind::kRefusePipe:
    case OpKind::kPoll:
      return {};
  }
  return {};
}

}  // namespace

SimRandomFaults::SimRandomFaults(uint64_t seed, const SimRandomFaultOptions& options)
    : random_(seed), options_(options) {}

SimFault SimRandomFaults::Choose(const SimOpContext& context) {
  using Kind = SimFault::Kind;
  const Op& op = *context.op;
  const bool transfers =
      (op.kind == OpKind::kRead || op.kind == OpKind::kWrite) && op.io.length > 1;
  const bool copies = op.kind == OpKind::kCopyRange;
  std::vector<Kind> kinds;
  const std::vector<int> errors = ErrorsOf(op);
  const auto add = [&](Kind kind, bool is_possible) {
    if (is_possible && options_.kinds.contains(kind)) kinds.push_back(kind);
  };
  const bool may_not_run = context.is_queued && !context.is_behind_failure;
  add(Kind::kFails, !errors.empty());
  add(Kind::kTransfersLess, transfers || copies);
  add(Kind::kDoesNotRun, may_not_run);
  add(Kind::kTailDoesNotRun, may_not_run);
  add(Kind::kStoresPartAndFails, copies || (transfers && op.kind == OpKind::kWrite));
  add(Kind::kFailsAtClose, transfers && op.kind == OpKind::kWrite);
  if (kinds.empty()) return {};
  SimFault fault = {.kind = kinds[Below(kinds.size())]};
  if (!errors.empty()) fault.error_number = errors[Below(errors.size())];
  if (fault.kind == Kind::kStoresPartAndFails) fault.error_number = EIO;
  if (fault.kind == Kind::kFailsAtClose) fault.error_number = ENOSPC;
  // Nothing at all, or a part of what small files have.
  if (copies) fault.bytes = Below(3) == 0 ? 0 : static_cast<uint32_t>(Below(kCopiedMax));
  if (transfers) fault.bytes = static_cast<uint32_t>(1 + Below(op.io.length - 1));
  return fault;
}

SimFault SimRandomFaults::Decide(const SimOpContext& context) {
  const OpKind kind = context.op->kind;
  const uint64_t inode = context.inode == nullptr ? 0 : context.inode->number;
  const auto lasting = lasting_.find({inode, kind});
  if (lasting != lasting_.end()) {
    injected_.push_back({context.number, kind, inode, lasting->second, true});
    return lasting->second;
  }
  if (options_.one_in == 0 || chosen_ >= options_.most) return {};
  if (!options_.only.empty() && !options_.only.contains(kind)) return {};
  if (Below(options_.one_in) != 0) return {};
  const SimFault fault = Choose(context);
  if (fault.kind == SimFault::Kind::kNone) return fault;
  ++chosen_;
  const bool lasts = fault.kind == SimFault::Kind::kFails && inode != 0 &&
                     options_.lasting_one_in > 0 && Below(options_.lasting_one_in) == 0;
  if (lasts) lasting_[{inode, kind}] = fault;
  injected_.push_back({context.number, kind, inode, fault, lasts});
  return fault;
}

std::string SimRandomFaults::Story() const {
  static constexpr const char* kKinds[] = {"nothing",           "fails",
                                           "transfers less",    "does not run",
                                           "tail does not run", "stores part and fails",
                                           "fails at close"};
  std::string story;
  for (const Injected& fault : injected_) {
    absl::StrAppend(&story, "op ", fault.op, " (", NameOf(fault.kind), " of #",
                    fault.inode, ") ", kKinds[static_cast<int>(fault.fault.kind)], " ",
                    std::strerror(fault.fault.error_number),
                    fault.lasts ? ", lasting\n" : "\n");
  }
  return story;
}

}  // namespace ringcp
