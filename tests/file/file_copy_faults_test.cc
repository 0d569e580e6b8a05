// Makes every op of a copy fail once, in every way, on real files, and stops copies at
// every step. Afterwards the target must be complete, absent, or what it was before,
// nothing may leak, and a failure must say what failed.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/engine_counters.h"
#include "core/file/block_pump.h"
#include "core/file/contents_pace.h"
#include "core/file/file_copy.h"
#include "core/file/target_claims.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"
#include "tests/blocks.h"
#include "tests/fake_kernel.h"
#include "tests/file_system_kinds.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr uint32_t kBlock = 4096;
constexpr size_t kSizes[] = {0,          1,          kBlock - 1,    kBlock,
                             kBlock + 1, 5 * kBlock, 5 * kBlock + 7};
constexpr int kErrors[] = {EIO, ENOSPC, EINTR, EAGAIN, ENOMEM, EACCES};
constexpr Preserve kAttributes = {.mode = true, .ownership = true, .timestamps = true};

// The result of a copy's op number `op`, as for FaultFunction.
struct Fault {
  int64_t op = 0;
  int32_t result = 0;
};

// On its clock each look takes long.
class SlowClock : public SyscallKernel {
 public:
  SlowClock() : SyscallKernel(/*slots=*/0) {}
  SteadyTime Now() const override { return now_ += std::chrono::seconds(1); }

 private:
  mutable SteadyTime now_;
};

// A way to copy.
struct Variant {
  const char* name;
  Preserve preserve = {};
  bool use_slots = true;
  bool local = true;        // Both file systems are of a known kind.
  bool queues_all = false;  // Whether everything that can be queued is.
  bool has_acl = false;     // The target's directory has a default ACL.
  CallsAtOnce calls_at_once = CallsAtOnce::kNone;
  bool exists = false;     // The target exists.
  bool is_linked = false;  // ... and has another name.
  bool force = false;      // ... and can't be opened, but can be removed.
  bool remove_destination = false;
  // The largest size that the source's file system reports.
  std::optional<uint64_t> size_told_max = std::nullopt;
  bool has_holes = false;   // The source has holes.
  bool knows_holes = true;  // ... and its file system tells where.
  bool is_cloned = false;   // It is cloned where the file system can.
  PageCache page_cache = PageCache::kKeep;
  bool is_polled = false;     // Whether I/O with O_DIRECT is.
  bool is_shared = false;     // Offered to other workers, none of which comes.
  bool is_on_server = false;  // Both files are on a server that can copy.
  int extra_blocks = 7;
  bool is_slow = false;  // Contents come slowly.

  // Whether a target that exists when the copy begins stays, with its inode.
  bool is_overwritten() const { return exists && !force && !remove_destination; }
};

constexpr CallsAtOnce kOpen = CallsAtOnce::kOpen;
constexpr CallsAtOnce kAll = CallsAtOnce::kAll;

constexpr Variant kVariants[] = {
    {.name = "plain"},
    {.name = "open at once", .calls_at_once = kOpen},
    {.name = "one lane", .extra_blocks = 0},
    {.name = "descriptors", .use_slots = false},
    {.name = "not local", .local = false},
    {.name = "all queued", .queues_all = true},
    {.name = "attributes", .preserve = kAttributes},
    {.name = "attributes, all queued", .preserve = kAttributes, .queues_all = true},
    {.name = "attributes, open at once", .preserve = kAttributes, .calls_at_once = kOpen},
    {.name = "attributes, descriptors", .preserve = kAttributes, .use_slots = false},
    {.name = "attributes, not local", .preserve = kAttributes, .local = false},
    {.name = "attributes, default ACL", .preserve = kAttributes, .has_acl = true},
    {.name = "overwrite", .exists = true},
    {.name = "overwrite, not local", .local = false, .exists = true},
    {.name = "overwrite, all queued", .queues_all = true, .exists = true},
    {.name = "overwrite, open at once", .calls_at_once = kOpen, .exists = true},
    {.name = "overwrite with attributes", .preserve = kAttributes, .exists = true},
    {.name = "overwrite with attributes, not local",
     .preserve = kAttributes,
     .local = false,
     .exists = true},
    {.name = "force", .exists = true, .force = true},
    {.name = "force, not local", .local = false, .exists = true, .force = true},
    {.name = "remove destination", .exists = true, .remove_destination = true},
    {.name = "no size", .local = false, .size_told_max = 0},
    {.name = "no size, all queued",
     .local = false,
     .queues_all = true,
     .size_told_max = 0},
    {.name = "no size, open at once",
     .local = false,
     .calls_at_once = kOpen,
     .size_told_max = 0},
    {.name = "size too small", .local = false, .size_told_max = 100},
    {.name = "size of a block too small", .local = false, .size_told_max = kBlock},
    {.name = "size of more blocks too small",
     .local = false,
     .size_told_max = 2 * kBlock + 100},
    {.name = "size too small, overwrite",
     .local = false,
     .exists = true,
     .size_told_max = 2 * kBlock},
    {.name = "holes", .has_holes = true},
    {.name = "holes, open at once", .calls_at_once = kOpen, .has_holes = true},
    {.name = "holes, overwrite", .exists = true, .has_holes = true},
    {.name = "unknown holes", .has_holes = true, .knows_holes = false},
    {.name = "unknown holes, one lane",
     .exists = true,
     .has_holes = true,
     .knows_holes = false,
     .extra_blocks = 0},
    {.name = "unknown holes, at once",
     .calls_at_once = kAll,
     .has_holes = true,
     .knows_holes = false},
    {.name = "clone", .preserve = kAttributes, .is_cloned = true},
    {.name = "clone, overwrite", .exists = true, .is_cloned = true},
    {.name = "at once", .calls_at_once = kAll},
    {.name = "at once, not local", .local = false, .calls_at_once = kAll},
    {.name = "at once, attributes", .preserve = kAttributes, .calls_at_once = kAll},
    {.name = "at once, overwrite", .calls_at_once = kAll, .exists = true},
    {.name = "at once, overwrite, not local",
     .local = false,
     .calls_at_once = kAll,
     .exists = true},
    {.name = "at once, force", .calls_at_once = kAll, .exists = true, .force = true},
    {.name = "at once, no size",
     .local = false,
     .calls_at_once = kAll,
     .size_told_max = 0},
    {.name = "at once, size too small",
     .local = false,
     .calls_at_once = kAll,
     .size_told_max = kBlock + 1},
    {.name = "at once, holes", .calls_at_once = kAll, .has_holes = true},
    {.name = "at once, no cache", .calls_at_once = kAll, .page_cache = PageCache::kDrop},
    {.name = "at once, shared", .calls_at_once = kAll, .is_shared = true},
    {.name = "at once, clone",
     .preserve = kAttributes,
     .calls_at_once = kAll,
     .is_cloned = true},
    {.name = "at once, clone, overwrite",
     .calls_at_once = kAll,
     .exists = true,
     .is_cloned = true},
    {.name = "no cache", .page_cache = PageCache::kDrop},
    {.name = "no cache, not local", .local = false, .page_cache = PageCache::kDrop},
    {.name = "direct", .preserve = kAttributes, .page_cache = PageCache::kBypass},
    {.name = "direct, overwrite", .exists = true, .page_cache = PageCache::kBypass},
    {.name = "overwrite, linked", .exists = true, .is_linked = true},
    {.name = "overwrite, linked, at once",
     .calls_at_once = kAll,
     .exists = true,
     .is_linked = true},
    {.name = "direct, overwrite, linked",
     .exists = true,
     .is_linked = true,
     .page_cache = PageCache::kBypass},
    {.name = "direct, polled", .page_cache = PageCache::kBypass, .is_polled = true},
    {.name = "direct, polled, overwrite",
     .exists = true,
     .page_cache = PageCache::kBypass,
     .is_polled = true},
    {.name = "on a server", .preserve = kAttributes, .is_on_server = true},
    {.name = "on a server, overwrite, holes",
     .exists = true,
     .has_holes = true,
     .is_on_server = true},
    {.name = "large blocks", .extra_blocks = 8, .is_slow = true},
    {.name = "large blocks, not local",
     .local = false,
     .extra_blocks = 9,
     .is_slow = true},
    {.name = "large blocks, open at once",
     .calls_at_once = kAll,
     .extra_blocks = 8,
     .is_slow = true},
    {.name = "large blocks, holes",
     .has_holes = true,
     .extra_blocks = 8,
     .is_slow = true},
    {.name = "large blocks, direct",
     .page_cache = PageCache::kBypass,
     .extra_blocks = 8,
     .is_slow = true},
    {.name = "large blocks, shared",
     .is_shared = true,
     .extra_blocks = 8,
     .is_slow = true},
    {.name = "shared", .is_shared = true},
    {.name = "shared, not local", .local = false, .is_shared = true},
    {.name = "shared, holes", .has_holes = true, .is_shared = true},
};

// One size more for O_DIRECT, which extends a target of many blocks beforehand, and for
// blocks that become larger.
std::vector<size_t> SizesOf(const Variant& variant) {
  std::vector<size_t> sizes(std::begin(kSizes), std::end(kSizes));
  if (variant.page_cache == PageCache::kBypass) sizes.push_back(11 * kBlock + 7);
  if (variant.is_slow) sizes.push_back((2 * ContentsPace::kBlocksMin + 14) * kBlock + 7);
  return sizes;
}

int OpenDescriptors() {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

// Whether `op` opens the existing target that can't be opened.
bool IsRefused(const Variant& variant, const Op& op) {
  return variant.force && op.kind == OpKind::kOpenAt &&
         (op.open.flags & (O_ACCMODE | O_CREAT)) == O_WRONLY;
}

// The index of the last read in `history`; -1 if there is none.
int64_t LastRead(const std::vector<OpRecord>& history) {
  const auto last =
      std::find_if(history.rbegin(), history.rend(),
                   [](const auto& record) { return record.op.kind == OpKind::kRead; });
  return history.rend() - last - 1;
}

struct Outcome {
  FileCopy::Outcome outcome = FileCopy::Outcome::kRunning;
  CopyFailure failure;
  int removal_error = 0;
  std::string target;  // Its contents, or "(none)".
  std::vector<OpRecord> history;
  int steps = 0;  // How many results were waited for.
};

class FileCopyFaultsTest : public testing::Test {
 protected:
  FileCopyFaultsTest() : seed_(TestSeed()) {}

  // Makes the old target, and a source of `size` random bytes, so that a block in the
  // wrong place is noticed.
  void Prepare(const Variant& variant, size_t size) {
    if (!source_is_prepared_ || contents_.size() != size ||
        has_holes_ != variant.has_holes) {
      contents_.resize(size);
      std::mt19937 random(static_cast<uint32_t>(size));
      for (char& byte : contents_) byte = static_cast<char>(random());
      WriteSource(variant.has_holes);
    }
    unlink(target_.c_str());
    unlink(other_name_.c_str());
    unlink(moved_.c_str());
    if (variant.exists) scratch_.WriteFile("target", old_);
    if (variant.is_linked) {
      ASSERT_EQ(link(target_.c_str(), other_name_.c_str()), 0);
    }
  }

  // Copies with `faults`. Stops the copy at `stop_at_step` unless that is negative.
  Outcome Copy(const Variant& variant, const std::vector<Fault>& faults, int stop_at_step,
               uint32_t seed) {
    const int descriptors = OpenDescriptors();
    Outcome outcome;
    {
      FakeKernel ring(
          {.chains_max = 3, .size_told_max = variant.size_told_max, .seed = seed});
      ring.SetFaults([&](int64_t number, const Op& op) -> std::optional<int32_t> {
        if (before_op_) before_op_(number, op);
        if (IsRefused(variant, op)) return -EACCES;
        // NFS before 4.2 does this: it reports all as data.
        if (!variant.knows_holes && op.kind == OpKind::kSeekHole) return -EINVAL;
        for (const Fault& fault : faults) {
          if (fault.op == number) return Hit(op, fault.result);
        }
        return std::nullopt;
      });
      BlockPool pool(1, variant.extra_blocks, kBlock);
      // On the heap: on the stack, gcc 12's AddressSanitizer does not keep its alignment.
      const auto counters = std::make_unique<EngineCounters>();
      FileCopy copy(&pool, counters.get());
      Run(variant, &copy, &ring, stop_at_step, &outcome);
      EXPECT_EQ(ring.slots_open(), 0);
      EXPECT_EQ(ring.chains_in_flight(), 0);
      EXPECT_TRUE(HasAllBlocks(&pool, variant.extra_blocks));
      outcome.history = ring.history();
    }
    EXPECT_EQ(OpenDescriptors(), descriptors);
    outcome.target = ReadFileOrNone(target_);
    return outcome;
  }

  void CheckAlways(const Variant& variant, const Outcome& outcome) {
    const bool same = outcome.target == contents_;
    // A target that existed is emptied and not removed.
    const bool none = outcome.target == (variant.is_overwritten() ? "" : "(none)");
    const bool untouched = variant.exists && outcome.target == old_;
    // If getting rid of the target failed as well, a part of it may stay.
    const bool excused = outcome.removal_error != 0;
    switch (outcome.outcome) {
      case FileCopy::Outcome::kCopied:
        EXPECT_TRUE(same) << "copied, but not the same: " << outcome.target.size();
        break;
      case FileCopy::Outcome::kFailed:
        EXPECT_TRUE(same || none || untouched || excused) << outcome.target.size();
        EXPECT_NE(outcome.failure.operation, Operation::kRefuse);
        EXPECT_GT(outcome.failure.error_number, 0);
        break;
      case FileCopy::Outcome::kCancelled:
        EXPECT_TRUE(none || untouched || excused) << outcome.target.size();
        break;
      default:
        ADD_FAILURE() << "ended as " << static_cast<int>(outcome.outcome);
    }
  }

  void CheckAttributes(const Variant& variant) {
    if (!variant.preserve.mode) return;
    struct stat stat = {};
    ASSERT_EQ(::stat(target_.c_str(), &stat), 0);
    EXPECT_EQ(stat.st_mode & 07777, 0750u);
    EXPECT_EQ(stat.st_mtim.tv_sec, 22);
    EXPECT_EQ(stat.st_mtim.tv_nsec, 3);
  }

  void Append(size_t bytes) {
    const std::string more(bytes, 'm');
    const int fd = open(source_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    EXPECT_EQ(write(fd, more.data(), more.size()), static_cast<ssize_t>(more.size()));
    close(fd);
    contents_ += more;
    source_is_prepared_ = false;
  }

  bool has_o_direct() const {
    const int fd = open(scratch_.path().c_str(), O_TMPFILE | O_RDWR | O_DIRECT, 0600);
    if (fd < 0) return false;
    close(fd);
    return true;
  }

  const uint32_t seed_;
  ScratchDirectory scratch_;
  const std::string source_ = scratch_.Path("source");
  const std::string target_ = scratch_.Path("target");
  const std::string other_name_ = scratch_.Path("other name");
  const std::string moved_ = scratch_.Path("moved");
  const std::string old_ = std::string(3 * kBlock, 'o');
  std::string contents_;
  std::function<void(int64_t, const Op&)> before_op_;  // May be empty.
  bool source_is_prepared_ = false;
  bool has_holes_ = false;

 private:
  // Writes contents_. With holes, every second block and the last one are left out.
  void WriteSource(bool has_holes) {
    unlink(source_.c_str());
    const int fd = open(source_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0750);
    for (size_t at = 0; at < contents_.size(); at += kBlock) {
      const size_t length = std::min<size_t>(kBlock, contents_.size() - at);
      const bool is_last = at + length == contents_.size();
      if (has_holes && (at / kBlock % 2 == 0 || is_last)) {
        std::fill_n(contents_.begin() + static_cast<ptrdiff_t>(at), length, '\0');
        continue;
      }
      EXPECT_EQ(pwrite(fd, contents_.data() + at, length, static_cast<off_t>(at)),
                static_cast<ssize_t>(length));
    }
    EXPECT_EQ(ftruncate(fd, static_cast<off_t>(contents_.size())), 0);
    const timespec times[] = {{.tv_sec = 11, .tv_nsec = 0}, {.tv_sec = 22, .tv_nsec = 3}};
    futimens(fd, times);
    close(fd);
    source_is_prepared_ = true;
    has_holes_ = has_holes;
  }

  int32_t Hit(const Op& op, int32_t result) {
    // A read returns nothing only at the end of the file, so the file must end there.
    if (op.kind == OpKind::kRead && result == 0) {
      EXPECT_EQ(truncate(source_.c_str(), static_cast<off_t>(op.io.offset)), 0);
      source_is_prepared_ = false;
    }
    return result;
  }

  void Run(const Variant& variant, FileCopy* copy, FakeKernel* kernel, int stop_at_step,
           Outcome* outcome) {
    FileCopyPolicy policy;
    SlowClock slow_clock;
    policy.kernel = variant.is_slow ? &slow_clock : SystemKernel();
    policy.preserve = variant.preserve;
    policy.force = variant.force;
    policy.remove_destination = variant.remove_destination;
    policy.user = geteuid();
    policy.use_slots = variant.use_slots;
    policy.queues_all = policy.queues_truncate = variant.queues_all;
    TargetClaims claims;
    TargetClaims::Desk desk(&claims, SystemKernel());
    policy.claims = &desk;
    struct stat directory = {};
    ASSERT_EQ(stat(scratch_.path().c_str(), &directory), 0);
    FileSystemTable file_systems([](dev_t) { return kBlock; });
    policy.file_systems = &file_systems;
    FileSystem file_system(directory.st_dev, variant.is_on_server ? NfsKind()
                                             : variant.local      ? LocalKind()
                                                                  : OtherKind());
    FileCopyNames names = {.source = source_.c_str(),
                           .target = target_.c_str(),
                           .target_default_acl = std::nullopt,
                           .target_group = getegid(),
                           .source_file_system = &file_system,
                           .target_file_system = &file_system};
    if (variant.has_acl) names.target_default_acl = 0700;
    if (variant.is_cloned || variant.is_on_server) policy.reflink = Reflink::kAuto;
    policy.page_cache = variant.page_cache;
    policy.polls = variant.is_polled;
    SharedFiles shared_files(/*workers=*/1, /*bytes_min=*/kBlock);
    if (variant.is_shared) policy.shared_files = &shared_files;
    NextChains next;
    std::deque<std::pair<ChainId, Chain>> backlog;
    std::vector<ChainResults> settled;
    const auto queue = [&] {
      for (int i = 0; i < next.size; ++i) {
        backlog.emplace_back(ChainId{static_cast<uint32_t>(next.chains[i].lane)},
                             next.chains[i].chain);
      }
      next.size = 0;
      // Ops that are carried out at once come first, as in a worker.
      std::stable_partition(backlog.begin(), backlog.end(), [](const auto& waiting) {
        return IsImmediate(waiting.second[0]);
      });
      while (!backlog.empty() && !IsImmediate(backlog.front().second[0]) &&
             kernel->Queue(backlog.front().first, backlog.front().second.ops())) {
        backlog.pop_front();
      }
    };
    copy->Start(policy, names, 0, variant.calls_at_once, &next);
    queue();
    while (!copy->done()) {
      if (outcome->steps == stop_at_step) copy->Stop();
      ASSERT_LT(++outcome->steps, 10'000) << "does not end";
      if (!backlog.empty() && IsImmediate(backlog.front().second[0])) {
        const auto [id, chain] = backlog.front();
        backlog.pop_front();
        const ChainResults done = kernel->RunAtOnce(id, chain.ops());
        copy->Settle(static_cast<int>(id.value), done.results(), &next);
        queue();
        continue;
      }
      ASSERT_GT(kernel->chains_in_flight(), 0) << "waits for nothing";
      settled.clear();
      kernel->Wait(absl::ZeroDuration(), &settled);
      for (const ChainResults& chain : settled) {
        copy->Settle(static_cast<int>(chain.id.value), chain.results(), &next);
        queue();
      }
    }
    outcome->outcome = copy->outcome();
    outcome->removal_error = copy->removal_error();
    if (copy->outcome() == FileCopy::Outcome::kFailed) outcome->failure = copy->failure();
  }
};

// Whether the copy must succeed even if `op` ends with `result`.
bool IsHarmless(const Variant& variant, uint64_t size, const Op& op, int32_t result) {
  switch (op.kind) {
    case OpKind::kWriteBack:
      return variant.is_on_server;  // Then the server is not asked.
    case OpKind::kCopyRange:        // Then blocks are copied.
      return true;
    case OpKind::kWrite:
      // Everything is copied anew by calls.
      if (result == -EIO && !variant.local) return true;
      if (size > kBlock && result != -ENOSPC && !variant.local) return true;
      [[fallthrough]];
    case OpKind::kOpenAt:
    case OpKind::kRead:
      return result >= 0 || result == -EINTR || result == -EAGAIN;
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
      return true;  // Then everything is copied.
    case OpKind::kCountCached:
    case OpKind::kClone:
    case OpKind::kDropCached:
    case OpKind::kRefusePipe:  // Then the first block is read again.
      return true;
    case OpKind::kSetDirect:
      return result >= 0 || op.pair.on;  // The copy does without.
    case OpKind::kStatx:
      // This stat only prepares for a close that may fail.
      return result >= 0 || (op.stat.flags & AT_STATX_DONT_SYNC) != 0;
    default:
      return result >= 0;
  }
}

// Whether the copy of `size` bytes must fail if op number `number` ends with `result`.
bool IsFatal(const Variant& variant, uint64_t size, const std::vector<OpRecord>& history,
             int64_t number, int32_t result) {
  const Op& op = history[number].op;
  if (op.kind != OpKind::kRead && op.kind != OpKind::kWrite) return false;
  // The file may be copied anew by calls.
  if (op.kind == OpKind::kWrite && !variant.local && result != -ENOSPC) return false;
  // The first block of a large file is read together with its stat, but not used.
  const bool is_first_read = std::none_of(
      history.begin(), history.begin() + number,
      [](const OpRecord& record) { return record.op.kind == OpKind::kRead; });
  const bool is_unused = op.kind == OpKind::kRead && is_first_read &&
                         variant.calls_at_once == CallsAtOnce::kNone &&
                         !variant.is_cloned && !variant.is_on_server &&
                         std::min(size, variant.size_told_max.value_or(size)) > kBlock;
  return !is_unused && !IsHarmless(variant, size, op, result);
}

TEST_F(FileCopyFaultsTest, WithoutFaultsEveryVariantCopies) {
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes"));
      Prepare(variant, size);
      const Outcome outcome = Copy(variant, {}, -1, seed_);
      EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
      CheckAlways(variant, outcome);
      CheckAttributes(variant);
    }
  }
}

// Whether a write in `history` is of several blocks.
bool HasLargeBlocks(const std::vector<OpRecord>& history) {
  return std::any_of(history.begin(), history.end(), [](const OpRecord& record) {
    return record.op.kind == OpKind::kWrite && record.op.io.length > kBlock;
  });
}

TEST_F(FileCopyFaultsTest, BlocksBecomeLargerWhereContentsComeSlowly) {
  for (const int extra_blocks : {0, 3, 4, 8, 9}) {
    SCOPED_TRACE(extra_blocks);
    const Variant variant = {.name = "", .extra_blocks = extra_blocks, .is_slow = true};
    Prepare(variant, 100 * kBlock + 7);
    const Outcome outcome = Copy(variant, {}, /*stop_at_step=*/-1, seed_);
    CheckAlways(variant, outcome);
    EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
    EXPECT_EQ(HasLargeBlocks(outcome.history),
              extra_blocks >= 2 * BlockPump::kLargeBlock);
  }
  const Variant fast = {.name = "", .extra_blocks = 8};
  Prepare(fast, 100 * kBlock + 7);
  EXPECT_FALSE(HasLargeBlocks(Copy(fast, {}, /*stop_at_step=*/-1, seed_).history));
}

TEST_F(FileCopyFaultsTest, EveryOpMayFailOnceInEveryWay) {
  std::vector<int32_t> results = {1, kBlock / 2};
  for (const int error : kErrors) results.push_back(-error);
  int faults_hit = 0;
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      for (const int32_t result : results) {
        for (int64_t op = 0;; ++op) {
          Prepare(variant, size);
          const Outcome outcome = Copy(variant, {{op, result}}, -1, seed_);
          if (op >= static_cast<int64_t>(outcome.history.size())) break;
          ++faults_hit;
          const Op& faulted = outcome.history[op].op;
          if (IsRefused(variant, faulted)) continue;
          SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, op ", op,
                                    " of kind ", static_cast<int>(faulted.kind), " gave ",
                                    result));
          CheckAlways(variant, outcome);
          EXPECT_EQ(outcome.removal_error, 0);
          if (IsHarmless(variant, size, faulted, result)) {
            EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
          }
          if (IsFatal(variant, size, outcome.history, op, result)) {
            EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kFailed);
          }
          if (outcome.outcome == FileCopy::Outcome::kFailed) {
            EXPECT_EQ(outcome.failure.error_number, -result);
          } else {
            EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
            if (faulted.kind != OpKind::kListXattrs) CheckAttributes(variant);
          }
          if (HasFailure()) return;  // One failure is enough to read.
        }
      }
    }
  }
  EXPECT_GT(faults_hit, 3000);
}

TEST_F(FileCopyFaultsTest, PollingMayBeRefusedAnywhere) {
  int refused = 0;
  for (const Variant& variant : kVariants) {
    if (!variant.is_polled) continue;
    for (const size_t size : SizesOf(variant)) {
      for (const int error : {EOPNOTSUPP, EINVAL}) {
        for (int64_t op = 0;; ++op) {
          Prepare(variant, size);
          const Outcome outcome = Copy(variant, {{op, -error}}, -1, seed_);
          if (op >= static_cast<int64_t>(outcome.history.size())) break;
          if (!IsPolled(outcome.history[op].op)) continue;
          ++refused;
          SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, op ", op, " gave ",
                                    -error));
          EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
          CheckAlways(variant, outcome);
          if (HasFailure()) return;
        }
      }
    }
  }
  if (has_o_direct()) {
    EXPECT_GT(refused, 20);
  }
}

TEST_F(FileCopyFaultsTest, WhateverAServerAnswersTheTargetIsWhole) {
  int asked = 0;
  for (const Variant& variant : kVariants) {
    if (!variant.is_on_server) continue;
    for (const size_t size : SizesOf(variant)) {
      for (const int result :
           {0, 1, 5000, -EXDEV, -EINVAL, -EOPNOTSUPP, -ENOSYS, -EBADF, -EPERM, -ETXTBSY,
            -ENOENT, -EIO, -ESTALE, -ENOMEM, -ECANCELED, -EFBIG, -EOVERFLOW}) {
        for (int64_t op = 0;; ++op) {
          Prepare(variant, size);
          // After a short copy the rest is refused.
          std::vector<Fault> faults = {{op, result}};
          if (result > 0 && result < static_cast<int64_t>(size)) {
            faults.push_back({op + 1, -EINVAL});
          }
          const Outcome outcome = Copy(variant, faults, -1, seed_);
          if (op >= static_cast<int64_t>(outcome.history.size())) break;
          if (outcome.history[op].op.kind != OpKind::kCopyRange) continue;
          ++asked;
          SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, op ", op, " gave ",
                                    result));
          EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
          CheckAlways(variant, outcome);
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(asked, 50);
}

TEST_F(FileCopyFaultsTest, ASourceMayEndAtAnyRead) {
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      for (int64_t op = 0;; ++op) {
        Prepare(variant, size);
        const Outcome outcome = Copy(variant, {{op, 0}}, -1, seed_);
        if (op >= static_cast<int64_t>(outcome.history.size())) break;
        const Op& faulted = outcome.history[op].op;
        if (faulted.kind != OpKind::kRead) continue;
        SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, ends at ",
                                  faulted.io.offset));
        EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
        // The target ends there even if later blocks were read before the source was cut.
        EXPECT_TRUE(outcome.target == contents_.substr(0, faulted.io.offset))
            << outcome.target.size();
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(FileCopyFaultsTest, ASourceMayGrowBeforeAnyOp) {
  int grown = 0;
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      for (const size_t more : {size_t{1}, size_t{2} * kBlock + 5}) {
        for (int64_t op = 0;; ++op) {
          Prepare(variant, size);
          const std::string before = contents_;
          before_op_ = [&](int64_t number, const Op&) {
            if (number == op) Append(more);
          };
          const Outcome outcome = Copy(variant, {}, -1, seed_);
          before_op_ = nullptr;
          if (op >= static_cast<int64_t>(outcome.history.size())) break;
          SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes and ", more,
                                    " before op ", op));
          EXPECT_EQ(outcome.outcome, FileCopy::Outcome::kCopied);
          const bool is_seen = op <= LastRead(outcome.history);
          if (is_seen) ++grown;
          // What is appended after the copy's last read can't be noticed.
          EXPECT_TRUE(outcome.target == contents_ ||
                      (!is_seen && outcome.target == before))
              << outcome.target.size();
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(grown, 3000);
}

// Anybody may have moved it there since this copy made or opened its own target.
TEST_F(FileCopyFaultsTest, SomebodyElsesFileUnderTheNameIsLeftAlone) {
  const std::string others = "somebody else's";
  int replaced = 0;
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      for (int64_t op = 0;; ++op) {
        Prepare(variant, size);
        bool is_replaced = false;
        before_op_ = [&](int64_t number, const Op& last) {
          const bool is_last = last.kind == OpKind::kWrite || last.kind == OpKind::kClose;
          if (number != op || !is_last || last.file == FileRef()) return;
          rename(target_.c_str(), moved_.c_str());
          scratch_.WriteFile("target", others);
          is_replaced = true;
        };
        const Outcome outcome = Copy(variant, {{op, -EIO}}, -1, seed_);
        before_op_ = nullptr;
        if (op >= static_cast<int64_t>(outcome.history.size())) break;
        if (!is_replaced) continue;
        ++replaced;
        SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, op ", op));
        EXPECT_EQ(outcome.target, others);
        EXPECT_EQ(outcome.removal_error, 0);
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(replaced, 500);
}

TEST_F(FileCopyFaultsTest, ACopyMayBeStoppedAtAnyStep) {
  for (const Variant& variant : kVariants) {
    for (const size_t size : SizesOf(variant)) {
      for (int step = 0;; ++step) {
        SCOPED_TRACE(absl::StrCat(variant.name, ", ", size, " bytes, step ", step));
        Prepare(variant, size);
        const Outcome outcome = Copy(variant, {}, step, seed_ + step);
        if (step >= outcome.steps) break;
        CheckAlways(variant, outcome);
        EXPECT_NE(outcome.outcome, FileCopy::Outcome::kFailed);
        EXPECT_EQ(outcome.removal_error, 0);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(FileCopyFaultsTest, SeveralFaultsMayMeet) {
  std::mt19937 random(seed_);
  for (int run = 0; run < 5000; ++run) {
    const Variant& variant = kVariants[random() % std::size(kVariants)];
    const size_t size = kSizes[random() % std::size(kSizes)];
    std::vector<Fault> faults;
    for (auto left = 1 + random() % 6; left > 0; --left) {
      const int error = kErrors[random() % std::size(kErrors)];
      // Half of the faults are harmless, so that copies get far.
      const int32_t result = random() % 4 == 0
                                 ? static_cast<int32_t>(1 + random() % kBlock)
                             : random() % 3 == 0 ? -error
                                                 : -EINTR;
      faults.push_back({static_cast<int64_t>(random() % 30), result});
    }
    const int stop_at_step = random() % 3 == 0 ? static_cast<int>(random() % 12) : -1;
    SCOPED_TRACE(absl::StrCat("run ", run, ", ", variant.name, ", ", size, " bytes"));
    Prepare(variant, size);
    const Outcome outcome = Copy(variant, faults, stop_at_step, random());
    CheckAlways(variant, outcome);
    if (outcome.outcome == FileCopy::Outcome::kCancelled) {
      EXPECT_GE(stop_at_step, 0);
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace ringcp
