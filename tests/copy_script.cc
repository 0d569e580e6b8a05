#include "tests/copy_script.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

constexpr char kSource[] = "S";
constexpr char kTarget[] = "T";

std::string FileText(FileRef file) {
  if (file == FileRef()) return "fd";
  return file.is_slot() ? absl::StrCat("s", file.slot())
                        : absl::StrCat("fd", file.descriptor());
}

struct statx RegularFile(uint64_t inode, uint64_t size) {
  struct statx stat = {};
  stat.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  stat.stx_ino = inode;
  stat.stx_mode = S_IFREG | 0644;
  stat.stx_nlink = 1;
  stat.stx_uid = 1;
  stat.stx_gid = 1;
  stat.stx_size = size;
  stat.stx_blocks = (size + 511) / 512;
  stat.stx_atime.tv_sec = 11;
  stat.stx_mtime.tv_sec = 22;
  return stat;
}

}  // namespace

CopyScript::CopyScript(const Setup& setup)
    : source_stat(RegularFile(1, setup.size)),
      target_stat(RegularFile(2, 7)),
      target_link_stat(target_stat),
      target_fd_stat(target_stat),
      setup_(setup),
      file_system_(/*device=*/0, setup.kind != nullptr ? *setup.kind
                                 : setup.local         ? LocalKind()
                                                       : OtherKind()),
      counters_(std::make_unique<EngineCounters>()),
      pool_(1, setup.extra_blocks, setup.block),
      copy_(&pool_, counters_.get()) {}

std::string CopyScript::Start() {
  next_.size = 0;
  FileCopyPolicy policy = setup_.policy;
  policy.kernel = &kernel_;
  FileSystem* source = setup_.source_file_system;
  if (source == nullptr && !setup_.is_named_source) source = &file_system_;
  FileSystem* target = setup_.target_file_system;
  if (target == nullptr) target = &file_system_;
  if (policy.file_systems == nullptr) policy.file_systems = &file_systems_;
  copy_.Start(policy,
              {.source = kSource,
               .follow_source = setup_.follow_source,
               .target = kTarget,
               .target_directory_created = setup_.target_directory_created,
               .target_default_acl = setup_.target_default_acl,
               .target_group = 1,
               .source_file_system = source,
               .target_file_system = target},
              0, setup_.calls_at_once, &next_);
  return Take();
}

std::string CopyScript::OpenSource() {
  Start();
  return Settle({7});
}

std::string CopyScript::LookAtSource() {
  OpenSource();
  if (in_flight_.at(0).size() == 1) return Settle({0});
  const uint64_t bytes = std::min<uint64_t>(source_stat.stx_size, setup_.block);
  return Settle({0, 0, static_cast<int32_t>(bytes)});
}

std::string CopyScript::OpenBoth() {
  LookAtSource();
  return Settle({8});
}

std::string CopyScript::Settle(int lane, std::vector<int32_t> results) {
  const auto it = in_flight_.find(lane);
  RINGCP_CHECK(it != in_flight_.end());
  const Chain chain = it->second;
  in_flight_.erase(it);
  if (results.size() == 2 && chain.size() == 3 && chain[1].kind == OpKind::kRefusePipe) {
    results.insert(results.begin() + 1, results[0] < 0 ? -ECANCELED : 0);
  }
  // Nor need a test say whether the target was looked at after O_DIRECT was turned on.
  if (results.size() == 1 && chain.size() == 2 && chain[0].kind == OpKind::kSetDirect &&
      chain[1].kind == OpKind::kStatx) {
    results.push_back(results[0] < 0 ? -ECANCELED : 0);
  }
  RINGCP_CHECK(static_cast<size_t>(chain.size()) == results.size());
  for (int i = 0; i < chain.size(); ++i) CarryOut(chain[i], results[i]);
  next_.size = 0;
  copy_.Settle(lane, results, &next_);
  return Take();
}

std::string CopyScript::Proceed() {
  next_.size = 0;
  copy_.Proceed(&next_);
  return Take();
}

std::string CopyScript::Abandon() {
  next_.size = 0;
  copy_.Abandon(&next_);
  return Take();
}

std::string CopyScript::Resume() {
  next_.size = 0;
  copy_.Resume(&next_);
  return Take();
}

std::string CopyScript::RetryTarget() {
  next_.size = 0;
  copy_.RetryTarget(&next_);
  return Take();
}

void CopyScript::CarryOut(const Op& op, int32_t result) {
  switch (op.kind) {
    case OpKind::kOpenAt:
      if (op.open.name == kSource) source_fd_ = result;
      return;
    case OpKind::kRead:
      if (result > 0 && bytes_read.has_value()) {
        std::memset(op.io.buffer, *bytes_read, result);
      }
      return;
    case OpKind::kGetXattr:
    case OpKind::kListXattrs: {
      if (result <= 0) return;
      const std::string& told = op.kind == OpKind::kGetXattr ? value : names;
      RINGCP_CHECK(told.size() == static_cast<size_t>(result));
      told.copy(static_cast<char*>(op.xattr.value), op.xattr.size);
      return;
    }
    case OpKind::kStatx:
      if (result == 0) *op.stat.result = StatFor(op);
      return;
    case OpKind::kCountCached:
      if (result == 0) *op.seek.position = cached ? op.seek.length : 0;
      return;
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
      if (result != 0) return;
      *op.seek.position = Seek(op.seek.offset, op.kind == OpKind::kSeekData);
      return;
    default:
      return;
  }
}

const struct statx& CopyScript::StatFor(const Op& op) const {
  if (op.stat.name == kSource) return source_stat;
  if (op.stat.name == kTarget) {
    return (op.stat.flags & AT_SYMLINK_NOFOLLOW) != 0 ? target_link_stat : target_stat;
  }
  return op.stat.directory == source_fd_ ? source_stat : target_fd_stat;
}

uint64_t CopyScript::Seek(uint64_t offset, bool for_data) const {
  for (const auto& [begin, end] : data) {
    if (offset >= end) continue;
    if (for_data) return std::max(offset, begin);
    return offset < begin ? offset : end;
  }
  return for_data ? setup_.size : offset;
}

std::string CopyScript::Take() {
  std::string text;
  for (int i = 0; i < next_.size; ++i) {
    const auto& [lane, chain] = next_.chains[i];
    RINGCP_CHECK(in_flight_.emplace(lane, chain).second);
    const bool alone = next_.size == 1 && lane == 0;
    absl::StrAppend(&text, i > 0 ? " | " : "", alone ? "" : absl::StrCat(lane, ": "),
                    Text(chain));
  }
  if (copy_.outcome() == FileCopy::Outcome::kRunning) return text;
  RINGCP_CHECK(next_.size == 0 && in_flight_.empty());
  return Outcome();
}

std::string CopyScript::Outcome() const {
  switch (copy_.outcome()) {
    case FileCopy::Outcome::kRunning:
      return "running";
    case FileCopy::Outcome::kMultiplyLinked:
      return "multiply linked";
    case FileCopy::Outcome::kAwaitTarget:
      return "awaits target";
    case FileCopy::Outcome::kAwaitHelper:
      return "awaits helper";
    case FileCopy::Outcome::kCopied:
      return "copied";
    case FileCopy::Outcome::kSkipped:
      return "skipped";
    case FileCopy::Outcome::kAsks:
      return "asks";
    case FileCopy::Outcome::kKeptNewer:
      return "kept newer";
    case FileCopy::Outcome::kSourceIsOther:
      return "source is other";
    case FileCopy::Outcome::kAbandoned:
      return "abandoned";
    case FileCopy::Outcome::kCancelled:
      return "cancelled";
    case FileCopy::Outcome::kTargetIsSpecial:
      return "target is special";
    case FileCopy::Outcome::kFailed:
      break;
  }
  const CopyFailure& failure = copy_.failure();
  constexpr const char* kRefusals[] = {"",
                                       "unknown type",
                                       "source replaced",
                                       "same file",
                                       "target is a directory",
                                       "target is no directory",
                                       "dangling",
                                       "target replaced",
                                       "target kept",
                                       "link elsewhere"};
  if (failure.operation == Operation::kRefuse) {
    return absl::StrCat("refused: ", kRefusals[static_cast<int>(failure.refusal)]);
  }
  return absl::StrCat("failed: ", std::string(OperationName(failure.operation)), " ",
                      failure.on_target ? kTarget : kSource, " ",
                      ErrnoName(failure.error_number));
}

std::string CopyScript::Text(const Chain& chain) const {
  std::string text;
  for (int i = 0; i < chain.size(); ++i) {
    const Tie tie = i > 0 ? chain[i - 1].tie : Tie::kNone;
    absl::StrAppend(&text,
                    tie == Tie::kSoft   ? " - "
                    : tie == Tie::kHard ? " = "
                                        : "",
                    chain[i].at_once ? "at once " : "", Text(chain[i]));
  }
  return text;
}

std::string CopyScript::Text(const Op& op) const {
  switch (op.kind) {
    case OpKind::kOpenAt: {
      std::string how;
      if ((op.open.flags & O_EXCL) != 0) how = absl::StrFormat(" new %o", op.open.mode);
      const bool is_new = (op.open.flags & O_EXCL) != 0;
      if ((op.open.flags & O_CREAT) != 0 && !is_new) {
        how = absl::StrFormat(" made %o", op.open.mode);
      }
      if ((op.open.flags & O_TRUNC) != 0) how += " truncated";
      if (!is_new && (op.open.flags & O_NONBLOCK) == 0) how += " waiting";
      const bool follows = (op.open.flags & (O_NOFOLLOW | O_EXCL)) == 0;
      return absl::StrCat("open ", op.open.name, how, follows ? " following" : "", ">",
                          FileText(op.file));
    }
    case OpKind::kStatx:
      if ((op.stat.flags & AT_EMPTY_PATH) != 0) {
        return absl::StrCat("fstat fd", op.stat.directory,
                            (op.stat.flags & AT_STATX_DONT_SYNC) != 0 ? " unasked" : "");
      }
      return absl::StrCat((op.stat.flags & AT_SYMLINK_NOFOLLOW) != 0 ? "lstat " : "stat ",
                          op.stat.name);
    case OpKind::kRead:
    case OpKind::kWrite:
      return absl::StrFormat("%s%s%s %s %d@%d", op.io.polled ? "polled " : "",
                             op.io.flags != 0 ? "uncached " : "",
                             op.kind == OpKind::kRead ? "read" : "write",
                             FileText(op.file), op.io.length, op.io.offset);
    case OpKind::kClose:
      return absl::StrCat("close ", FileText(op.file));
    case OpKind::kUnlinkAt:
      return absl::StrCat("unlink ", op.name.name);
    case OpKind::kInstallDescriptor:
      return absl::StrCat("install ", FileText(op.file));
    case OpKind::kGetXattr:
      return absl::StrCat("getxattr ", FileText(op.file), " ", op.xattr.name);
    case OpKind::kListXattrs:
      return absl::StrCat("listxattr ", FileText(op.file));
    case OpKind::kSetXattr:
      return absl::StrCat("setxattr ", FileText(op.file), " ", op.xattr.name);
    case OpKind::kSeekData:
      return absl::StrCat("seek data ", FileText(op.file), " ", op.seek.offset);
    case OpKind::kSeekHole:
      return absl::StrCat("seek hole ", FileText(op.file), " ", op.seek.offset);
    case OpKind::kClone:
      return absl::StrCat("clone fd", op.pair.source, ">", FileText(op.file));
    case OpKind::kCopyRange:
      return absl::StrCat("copy range fd", op.range.source, ">", FileText(op.file), " ",
                          op.range.length, "@", op.range.offset);
    case OpKind::kPreallocate:
      return absl::StrCat("preallocate ", FileText(op.file), " ", op.size.bytes);
    case OpKind::kWriteBack:
      return absl::StrCat("write back ", FileText(op.file));
    case OpKind::kRefusePipe:
      return absl::StrCat("no pipe ", FileText(op.file));
    case OpKind::kDropCached:
      return absl::StrCat("drop ", FileText(op.file));
    case OpKind::kSetDirect:
      return absl::StrCat("direct ", op.pair.on ? "on" : "off", " fd", op.pair.source,
                          op.file == FileRef() ? "" : " " + FileText(op.file));
    case OpKind::kCountCached:
      return absl::StrCat("count cached ", FileText(op.file), " ", op.seek.offset);
    case OpKind::kFtruncate:
      return absl::StrCat("set size ", FileText(op.file), " ", op.size.bytes);
    case OpKind::kSetTimes:
      return absl::StrFormat("futimens %s %d %d", FileText(op.file),
                             op.times.values[0].tv_sec, op.times.values[1].tv_sec);
    case OpKind::kSetOwner:
      return absl::StrCat("fchown ", FileText(op.file), " ",
                          static_cast<int>(op.owner.user), ":", op.owner.group);
    case OpKind::kSetMode:
      return absl::StrFormat("fchmod %s %o", FileText(op.file), op.mode.value);
    default:  // A file's copy has no such op.
      break;
  }
  return "?";
}

}  // namespace ringcp
