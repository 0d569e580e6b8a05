#include "tests/simulation/sim_world.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"

namespace ringcp {
namespace {

// The time of day when a simulation begins.
constexpr int64_t kStartSeconds = 1'750'000'000;
constexpr int kSlowOneIn = 100;
constexpr int kSlowTimes = 100;

timespec TimeOfDay(SteadyTime now) {
  const int64_t nanoseconds = now.time_since_epoch().count();
  constexpr int64_t kSecond = 1'000'000'000;
  return {.tv_sec = kStartSeconds + nanoseconds / kSecond,
          .tv_nsec = nanoseconds % kSecond};
}

std::string FileName(const FileRef& file) {
  if (file == FileRef()) return "";
  return file.is_slot() ? absl::StrCat("slot ", file.slot())
                        : absl::StrCat("fd ", file.descriptor());
}

std::string PathName(int directory, const char* name) {
  if (directory == AT_FDCWD) return name;
  return absl::StrCat(directory, ":", name);
}

std::string Describe(const Op& op) {
  switch (op.kind) {
    case OpKind::kOpenAt:
      return absl::StrFormat("%s 0%o 0%o %s", PathName(op.open.directory, op.open.name),
                             op.open.flags, op.open.mode, FileName(op.file));
    case OpKind::kStatx:
      return absl::StrFormat("%s 0x%x", PathName(op.stat.directory, op.stat.name),
                             op.stat.flags);
    case OpKind::kUnlinkAt:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
      return absl::StrFormat("%s 0%o", PathName(op.name.directory, op.name.name),
                             op.name.mode);
    case OpKind::kMakeSymlink:
      return absl::StrCat(PathName(op.symlink.directory, op.symlink.name), " -> ",
                          op.symlink.text);
    case OpKind::kMakeLink:
    case OpKind::kRename:
      return absl::StrCat(PathName(op.two_names.old_directory, op.two_names.old_name),
                          " to ", PathName(op.two_names.directory, op.two_names.name));
    case OpKind::kRead:
    case OpKind::kWrite:
      return absl::StrCat(FileName(op.file), " at ", static_cast<int64_t>(op.io.offset),
                          " of ", op.io.length);
    case OpKind::kFtruncate:
    case OpKind::kPreallocate:
      return absl::StrCat(FileName(op.file), " to ", op.size.bytes);
    case OpKind::kSetMode:
      return absl::StrFormat("%s 0%o", FileName(op.file), op.mode.value);
    case OpKind::kClone:
    case OpKind::kSetDirect:
      return absl::StrCat("fd ", op.pair.source, " ", FileName(op.file));
    case OpKind::kCopyRange:
      return absl::StrCat("fd ", op.range.source, " ", FileName(op.file), " at ",
                          op.range.offset, " of ", op.range.length);
    case OpKind::kGetXattr:
    case OpKind::kSetXattr:
    case OpKind::kRemoveXattr:
      return absl::StrCat(FileName(op.file), " ", op.xattr.name);
    default:
      return FileName(op.file);
  }
}

}  // namespace

const char* NameOf(OpKind kind) {
  static constexpr const char* kNames[] = {
      "open",     "stat",     "unlink", "mkdir",    "mknod",     "symlink",   "link",
      "rename",   "read",     "write",  "readlink", "readdir",   "fallocate", "truncate",
      "seekdata", "seekhole", "seek",   "cached",   "clone",     "copyrange", "sync",
      "drop",     "poll",     "close",  "nopipe",   "install",   "direct",    "statfs",
      "times",    "owner",    "mode",   "getxattr", "listxattr", "setxattr",  "rmxattr",
      "label",    "relabel"};
  static_assert(std::size(kNames) == static_cast<size_t>(OpKind::kSetDefaultLabel) + 1);
  return kNames[static_cast<int>(kind)];
}

std::string ToString(const SimLogEntry& entry) {
  const std::string result = entry.result < 0 ? std::string(std::strerror(-entry.result))
                                              : absl::StrCat(entry.result);
  return absl::StrFormat("%11d k%d%c %-9s %s%s = %s%s",
                         entry.time.time_since_epoch().count(), entry.kernel,
                         entry.is_queued ? 'q' : ' ', NameOf(entry.kind), entry.what,
                         entry.inode == 0 ? "" : absl::StrCat(" #", entry.inode), result,
                         entry.has_fault ? " (fault)" : "");
}

SimWorld::SimWorld(const SimWorldOptions& options)
    : options_(options),
      random_(options.seed),
      files_(random_(), [this] { return TimeOfDay(now_); }),
      process_(&files_) {}

std::optional<SteadyTime> SimWorld::NextEvent() const {
  if (events_.empty()) return std::nullopt;
  return events_.begin()->first.first;
}

void SimWorld::AdvanceTo(SteadyTime time) {
  RINGCP_CHECK(time >= now_);
  while (!events_.empty() && events_.begin()->first.first <= time) {
    // An action may add further events.
    auto event = events_.extract(events_.begin());
    now_ = std::max(now_, event.key().first);
    event.mapped()();
  }
  now_ = std::max(now_, time);
}

void SimWorld::AdvanceBy(absl::Duration duration) {
  AdvanceTo(now_ + absl::ToChronoNanoseconds(duration));
}

void SimWorld::At(SteadyTime time, std::function<void()> action) {
  events_.emplace(std::make_pair(std::max(time, now_), random_()), std::move(action));
}

void SimWorld::OthersDoAt(SteadyTime time, std::function<void(SimFileSystem*)> action) {
  At(time, [this, action = std::move(action)] {
    const SimActor before = files_.actor();
    files_.set_actor(SimActor::kOther);
    action(&files_);
    files_.set_actor(before);
  });
}

absl::Duration SimWorld::RandomLatency() {
  const int64_t most = absl::ToInt64Nanoseconds(options_.latency_max);
  int64_t latency = 1 + static_cast<int64_t>(RandomBelow(std::max<int64_t>(most, 1)));
  if (RandomBelow(kSlowOneIn) == 0) latency *= kSlowTimes;
  return absl::Nanoseconds(latency);
}

absl::Duration SimWorld::RandomCallTime() {
  const int64_t most = absl::ToInt64Nanoseconds(options_.call_time_max);
  return absl::Nanoseconds(most == 0 ? 0 : 1 + static_cast<int64_t>(RandomBelow(most)));
}

SimFault SimWorld::Before(SimOpContext* context) {
  context->number = ops_++;
  if (others_) {
    const SimActor before = files_.actor();
    files_.set_actor(SimActor::kOther);
    others_(*context);
    files_.set_actor(before);
  }
  if (watch_) watch_(*context);
  files_.set_actor(SimActor::kEngine);
  return faults_ ? faults_(*context) : SimFault{};
}

void SimWorld::Log(const SimOpContext& context, int32_t result, bool has_fault) {
  log_.push_back({.time = now_,
                  .kernel = context.kernel,
                  .is_queued = context.is_queued,
                  .kind = context.op->kind,
                  .what = Describe(*context.op),
                  .inode = context.inode == nullptr ? 0 : context.inode->number,
                  .result = result,
                  .has_fault = has_fault});
}

std::string SimWorld::Story(size_t entries_max) const {
  std::string story;
  const size_t first = log_.size() > entries_max ? log_.size() - entries_max : 0;
  for (size_t i = first; i < log_.size(); ++i) {
    absl::StrAppend(&story, ToString(log_[i]), "\n");
  }
  for (const SimEffect& effect : files_.effects()) {
    absl::StrAppend(&story, ToString(effect), "\n");
  }
  return story;
}

}  // namespace ringcp
