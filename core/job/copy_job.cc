#include "core/job/copy_job.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/mutex.h"
#include "core/file/file_acls.h"
#include "core/file/reporter.h"
#include "core/file/shared_file.h"
#include "core/file/target_claims.h"
#include "core/job/file_budget.h"
#include "core/job/made_names.h"
#include "core/job/tally.h"
#include "core/job/top_level.h"
#include "core/job/worker.h"
#include "core/job/worker_count.h"
#include "core/kernel/batch_scheduling.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/clone_table.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/polled_io.h"
#include "core/kernel/process.h"
#include "core/kernel/start_thread.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/uncached_io.h"
#include "core/kernel/uring_kernel.h"
#include "core/tree/directory_copy.h"
#include "core/tree/link_table.h"
#include "core/tree/walk.h"

namespace ringcp {
namespace {

// Files, and their bytes in all, up to which setting up a ring costs more than it saves.
constexpr size_t kFewFiles = 4;
constexpr uint64_t kFewBytes = 1024 * 1024;
// How long a job has run before its sources are added up for its progress.
constexpr absl::Duration kTallyDelay = absl::Seconds(1);

UringParameters RingParameters(const CopyOptions& options, int copies_in_flight) {
  UringParameters params;
  params.slots = copies_in_flight;
  params.sqpoll = options.sqpoll;
  params.iopoll = options.iopoll;
  return params;
}

// The options besides --engine that ask for io_uring: "" or " with --sqpoll".
std::string UringOptions(const CopyOptions& options) {
  std::vector<std::string> names;
  if (options.sqpoll) names.push_back("--sqpoll");
  if (options.iopoll) names.push_back("--iopoll");
  return names.empty() ? "" : absl::StrCat(" with ", absl::StrJoin(names, " and "));
}

std::string UringReason() {
  return absl::StrCat("Linux ", KernelRelease(), " permits io_uring");
}

// What blocks leave of the address space (RLIMIT_AS) to everything else, which can't do
// with less and ends the program instead. Threads besides the first one take a page for
// the smallest thing where there is no room for a heap of their own (64 MiB in glibc).
constexpr uint64_t kSpareBytes = uint64_t{4} << 20;

// The blocks that `limits` ask for. Where there is no memory for so many, `limits` become
// less; nullptr if there is none for a single copy. The worker with `index` 0, which no
// other one can replace, may leave nothing to spare then.
std::unique_ptr<BlockPool> MakePool(int index, Worker::Limits* limits) {
  for (;;) {
    const bool is_least = limits->copies_in_flight == 1 && limits->extra_blocks == 0;
    std::unique_ptr<BlockPool> pool =
        BlockPool::Create(limits->copies_in_flight, limits->extra_blocks,
                          limits->block_bytes, is_least && index == 0 ? 0 : kSpareBytes);
    if (pool != nullptr || is_least) return pool;
    limits->copies_in_flight = std::max(1, limits->copies_in_flight / 2);
    limits->copies_in_flight_warm =
        std::min(limits->copies_in_flight_warm, limits->copies_in_flight);
    limits->extra_blocks /= 2;
  }
}

}  // namespace

class CopyJob::Body {
 public:
  Body(CopyRequest request, JobObserver* observer, JobResources resources)
      : request_(std::move(request)),
        files_max_(resources.files_max != 0 ? resources.files_max : DefaultFilesMax()),
        claims_(resources.claims != nullptr ? resources.claims : &own_claims_),
        reporter_(observer),
        policy_(MakePolicy(request_)),
        directories_(policy_, request_.options.one_file_system, ProcessGroup(),
                     &reporter_) {}

  JobResult Run();
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  Progress GetProgress();
  EngineReport GetReport() const;

 private:
  static FileCopyPolicy MakePolicy(const CopyRequest& request) {
    const CopyOptions& options = request.options;
    return {.preserve = options.preserve,
            .default_mode = options.default_mode,
            .force = options.force,
            .no_clobber = options.no_clobber,
            .writes_through_dangling_links = options.writes_through_dangling_links,
            .reflink = options.reflink,
            .follows_named_links = FollowsNamedLinks(options),
            .follows_links = FollowsLinks(options),
            .page_cache = options.page_cache,
            .umask = options.umask,
            .user = ProcessUser(),
            .offer_all_links = options.preserve.links && FollowsLinks(options),
            .offer_named_links = options.preserve.links && FollowsNamedLinks(options),
            .may_meet_names_again = request.sources.size() > 1,
            .notes_capabilities = options.preserve.mode && options.preserve.links};
  }

  // Copies top->sources.
  absl::Status CopySources(TopLevel* top);
  // Whether the copy of an earlier source is where `source` would come to; says so.
  bool WouldOverwriteCopy(const TopLevelSource& source, const TopLevel& top);
  // Copies `sources`, which all come to different names.
  absl::Status CopyGroup(const std::vector<TopLevelSource>& sources, const TopLevel& top);
  // Decides on the engine; *kernel is the calling thread's, if it is io_uring.
  absl::Status ChooseEngine(const std::vector<TopLevelSource>& sources,
                            const FileBudget& files, int copies_in_flight,
                            std::unique_ptr<Kernel>* kernel);
  // One worker's part, on the calling thread; false if there is not enough for one more:
  // then the others do it all.
  bool Work(const SharedWork& shared, std::unique_ptr<Kernel> kernel,
            Worker::Limits limits, int index);
  // How many rings a worker needs that has any.
  int rings_wanted() const {
    if (request_.options.engine == EngineChoice::kThreads) return 0;
    return request_.options.iopoll ? 2 : 1;
  }
  void FinishReport();
  void StopTally();
  void AddCounters(Progress* progress) const;

  const CopyRequest request_;
  const int files_max_;
  SyscallKernel kernel_{/*slots=*/0};  // Of the thread that calls Run().
  TargetClaims* const claims_;
  Reporter reporter_;
  const FileCopyPolicy policy_;
  DirectoryCopy directories_;
  LinkTable links_;
  TargetClaims own_claims_;  // Used where nobody shares others.
  MadeNames made_names_;
  bool notes_made_names_ = false;  // Some source must not overwrite another one's copy.
  CloneTable clones_;
  UncachedIo uncached_io_;
  PolledIo polled_io_{[](dev_t device) { return PollableLength("/sys", device); }};
  std::atomic<bool> cancelled_ = false;
  // By worker; before they start and after they end by any thread.
  std::array<EngineCounters, Tuning::kWorkersMax> counters_;
  bool use_uring_ = false;
  std::atomic<int64_t> sources_refused_ = 0;

  mutable Mutex mutex_;
  EngineReport report_ ABSL_GUARDED_BY(mutex_);       // Without what is in counters_.
  absl::Status ring_status_ ABSL_GUARDED_BY(mutex_);  // Of the first ring that failed.
  // When Run() began, once it has.
  std::optional<ProgressMeter> meter_ ABSL_GUARDED_BY(mutex_);
  SteadyTime start_ ABSL_GUARDED_BY(mutex_);
  std::optional<Progress> final_progress_ ABSL_GUARDED_BY(mutex_);
  // Set while the sources may be tallied.
  std::unique_ptr<Tally> tally_ ABSL_GUARDED_BY(mutex_);
  std::thread tally_thread_ ABSL_GUARDED_BY(mutex_);
};

JobResult CopyJob::Body::Run() {
  {
    MutexLock lock(&mutex_);
    RINGCP_CHECK(!meter_.has_value());
    start_ = kernel_.Now();
    meter_.emplace(start_);
  }
  JobResult result;
  absl::StatusOr<TopLevel> top = ResolveTopLevel(&kernel_, request_, &reporter_);
  result.status = top.status();
  // What was reported so far are sources that can't be copied.
  sources_refused_ = reporter_.errors();
  if (top.ok()) {
    if (const int directories =
            PlanFiles(files_max_, /*workers=*/1, rings_wanted()).tally_directories;
        directories > 0) {
      MutexLock lock(&mutex_);
      tally_ = std::make_unique<Tally>(
          &kernel_, top->sources,
          Tally::Settings{.follow_links = FollowsLinks(request_.options),
                          .one_file_system = request_.options.one_file_system,
                          .preserve_links = request_.options.preserve.links,
                          .directories_max = directories});
    }
    result.status = CopySources(&*top);
    kernel_.Close(top->target_fd);
  }
  StopTally();
  FinishReport();
  if (cancelled_) {
    result.outcome = JobResult::Outcome::kCancelled;
  } else if (!result.status.ok() || reporter_.errors() > 0) {
    result.outcome = JobResult::Outcome::kFailed;
  }
  return result;
}

absl::Status CopyJob::Body::ChooseEngine(const std::vector<TopLevelSource>& sources,
                                         const FileBudget& files, int copies_in_flight,
                                         std::unique_ptr<Kernel>* kernel) {
  std::string reason;
  bool try_uring = true;
  const bool must_be_uring = request_.options.needs_uring();
  if (request_.options.engine == EngineChoice::kThreads) {
    try_uring = false;
    reason = "it was asked for";
  } else if (!must_be_uring && files.rings == 0) {
    try_uring = false;
    reason = absl::StrCat("no more than ", files_max_,
                          " files may be open, which leaves none for a ring (ulimit -n)");
  } else if (!must_be_uring) {
    uint64_t bytes = 0;
    bool tree = sources.size() > kFewFiles;
    for (const TopLevelSource& source : sources) {
      bytes += source.size_bytes;
      tree = tree || source.is_directory;
    }
    if (!tree && bytes <= kFewBytes) {
      try_uring = false;
      reason = "for a few small files a ring costs more to set up than it saves";
    }
  }
  if (try_uring) {
    absl::StatusOr<std::unique_ptr<UringKernel>> created =
        UringKernel::Create(RingParameters(request_.options, copies_in_flight));
    if (created.ok()) {
      *kernel = *std::move(created);
      const bool is_named = request_.options.engine == EngineChoice::kUring;
      reason = is_named        ? "it was asked for"
               : must_be_uring ? "an option that was given needs it"
                               : UringReason();
    } else if (must_be_uring) {
      return absl::UnavailableError(
          absl::StrCat("cannot use io_uring", UringOptions(request_.options), ": ",
                       std::string(created.status().message())));
    } else {
      reason = std::string(created.status().message());
    }
  }
  use_uring_ = *kernel != nullptr;
  MutexLock lock(&mutex_);
  report_.engine = use_uring_ ? "uring" : "threads";
  report_.reason = reason;
  return absl::OkStatus();
}

absl::Status CopyJob::Body::CopySources(TopLevel* top) {
  const auto must_not_overwrite = [](const TopLevelSource& source) {
    return source.must_not_overwrite;
  };
  notes_made_names_ =
      std::any_of(top->sources.begin(), top->sources.end(), must_not_overwrite);
  absl::Status status;
  // Sources that come to one name are copied one after the other.
  std::vector<TopLevelSource> group;
  for (TopLevelSource& source : top->sources) {
    if (source.collides) {
      status.Update(CopyGroup(group, *top));
      group.clear();
      if (!cancelled_ && WouldOverwriteCopy(source, *top)) continue;
    }
    group.push_back(std::move(source));
  }
  status.Update(CopyGroup(group, *top));
  return status;
}

bool CopyJob::Body::WouldOverwriteCopy(const TopLevelSource& source,
                                       const TopLevel& top) {
  if (!source.must_not_overwrite || !made_names_.Contains(source.target_name)) {
    return false;
  }
  const std::string target = JoinPath(top.target_display, source.target_name);
  struct statx made;
  struct statx pointee;
  const bool through_link =
      (source.kind == EntryKind::kRegular || source.kind == EntryKind::kStream) &&
      kernel_.Stat(top.target_fd, source.target_name.c_str(), AT_SYMLINK_NOFOLLOW,
                   &made) == 0 &&
      S_ISLNK(made.stx_mode) &&
      kernel_.Stat(top.target_fd, source.target_name.c_str(), 0, &pointee) == 0;
  ++sources_refused_;
  reporter_.Report(MakeRefusal(
      target, through_link
                  ? absl::StrCat("will not copy ", Quote(source.source),
                                 " through just-created symlink ", Quote(target))
                  : absl::StrCat("will not overwrite just-created ", Quote(target),
                                 " with ", Quote(source.source))));
  return true;
}

absl::Status CopyJob::Body::CopyGroup(const std::vector<TopLevelSource>& sources,
                                      const TopLevel& top) {
  if (sources.empty() || cancelled_) return absl::OkStatus();
  const FileBudget files = PlanFiles(
      files_max_, WorkerCount(&kernel_, sources, top.target_fd, request_.options),
      rings_wanted());
  const int workers = files.workers;
  const Worker::Limits limits =
      Worker::LimitsFor(request_.options.tuning, workers, files.files_max);
  std::unique_ptr<Kernel> kernel;
  if (absl::Status status =
          ChooseEngine(sources, files, limits.copies_in_flight, &kernel);
      !status.ok()) {
    return status;
  }
  {
    MutexLock lock(&mutex_);
    report_.workers = std::max(report_.workers, workers);
  }

  Walk walk(&kernel_, &directories_, FollowsLinks(request_.options),
            files.DirectoriesMax(limits.copies_in_flight));
  walk.top()->source_fd = AT_FDCWD;
  walk.top()->target_fd = top.target_fd;
  walk.top()->target_name = top.target_display;
  struct statx stat;
  const bool known = kernel_.Stat(top.target_fd, &stat) == 0;
  if (known) walk.top()->target_group = GroupOfNewEntries(stat, ProcessGroup());
  if (known) walk.top()->target_device = DeviceOf(stat);
  walk.top()->target_file_system = KindOfFileSystem(&kernel_, top.target_fd);
  // Jobs whose targets may be one do not run at the same time.
  walk.top()->target_key = reinterpret_cast<uintptr_t>(this);
  if (policy_.preserve.mode || policy_.preserve.ownership) {
    walk.top()->target_default_acl = GrantsOfDefaultAcl(&kernel_, top.target_fd);
  }
  AddToWalk(sources, &walk);
  SharedFiles shared_files(workers);
  const SharedWork shared = {.policy = policy_,
                             .walk = &walk,
                             .links = &links_,
                             .shared_files = &shared_files,
                             .claims = claims_,
                             .reporter = &reporter_,
                             .made_names = notes_made_names_ ? &made_names_ : nullptr,
                             .cancelled = &cancelled_};
  std::atomic<bool> worked = false;
  std::vector<std::thread> threads(workers - 1);
  for (int i = 1; i < workers; ++i) {
    const bool started = StartThread(
        [&, i] {
          if (Work(shared, nullptr, limits, i)) worked = true;
        },
        &threads[i - 1]);
    if (!started) shared_files.OneWorkerLess();
  }
  if (Work(shared, std::move(kernel), limits, 0)) worked = true;
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
  for (const WaitingEntry& entry : links_.TakeAllWaiting()) {
    walk.Release(&kernel_, entry.directory);
  }
  if (!worked) {
    return absl::ResourceExhaustedError(
        "cannot allocate memory for a single block (--block-size=SIZE)");
  }
  MutexLock lock(&mutex_);
  if (!ring_status_.ok()) {
    return absl::UnavailableError(
        absl::StrCat("io_uring failed, and what was not copied by then is missing: ",
                     std::string(ring_status_.message())));
  }
  return absl::OkStatus();
}

bool CopyJob::Body::Work(const SharedWork& shared, std::unique_ptr<Kernel> kernel,
                         Worker::Limits limits, int index) {
  const BatchScheduling batch_scheduling;
  if (kernel == nullptr && use_uring_) {
    absl::StatusOr<std::unique_ptr<UringKernel>> created =
        UringKernel::Create(RingParameters(request_.options, limits.copies_in_flight));
    // The limits that the first ring was within are used up: then with fewer workers.
    if (!created.ok()) {
      shared.shared_files->OneWorkerLess();
      return false;
    }
    kernel = *std::move(created);
  }
  if (kernel == nullptr) {
    kernel = std::make_unique<SyscallKernel>(limits.copies_in_flight);
  }
  SharedWork work = shared;
  // Who asks for io_uring gets it for all files.
  if (request_.options.needs_uring()) work.warm_calls = CallsAtOnce::kNone;
  if (request_.options.engine == EngineChoice::kThreads) {
    work.warm_calls = CallsAtOnce::kOpen;
  }
  work.policy.shared_files = shared.shared_files;
  work.policy.clones = &clones_;
  work.policy.uncached_io = &uncached_io_;
  if (request_.options.iopoll) work.policy.polled_io = &polled_io_;
  work.policy.direct_reads = use_uring_;
  work.policy.use_slots = kernel->can_install_descriptor();
  work.policy.queues_all = request_.options.engine == EngineChoice::kUring;
  work.policy.queues_truncate = kernel->can_queue_truncate();
  std::unique_ptr<BlockPool> pool = MakePool(index, &limits);
  if (pool == nullptr) {
    shared.shared_files->OneWorkerLess();
    return false;
  }
  auto worker =
      std::make_unique<Worker>(work, kernel.get(), limits, pool.get(), &counters_[index]);
  const absl::Status status = worker->Run();
  if (!status.ok()) {
    // The kernel may still write to what they hold: they are never given back.
    [[maybe_unused]] const Worker* const kept_worker = worker.release();
    [[maybe_unused]] const BlockPool* const kept_pool = pool.release();
    MutexLock lock(&mutex_);
    ring_status_.Update(status);
  }
  return true;
}

void CopyJob::Body::StopTally() {
  // Taken away first, so that nobody starts its thread any more.
  std::unique_ptr<Tally> tally;
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    tally.swap(tally_);
    thread.swap(tally_thread_);
  }
  if (tally != nullptr) tally->Stop(&kernel_);
  if (thread.joinable()) thread.join();
}

void CopyJob::Body::AddCounters(Progress* progress) const {
  for (const EngineCounters& counters : counters_) {
    progress->bytes_done += counters.bytes_done.value();
    progress->bytes_total += counters.bytes_found.value();
    progress->files_done += counters.files_done.value();
    progress->files_total += counters.files_found.value();
    progress->files_skipped += counters.files_skipped.value();
    progress->files_failed += counters.files_failed.value();
  }
  progress->directories_done += directories_.directories_done();
  progress->files_failed += directories_.failed() + sources_refused_;
}

Progress CopyJob::Body::GetProgress() {
  MutexLock lock(&mutex_);
  if (final_progress_.has_value()) return *final_progress_;
  Progress progress;
  if (!meter_.has_value()) return progress;
  AddCounters(&progress);
  const SteadyTime now = kernel_.Now();
  if (tally_ != nullptr) {
    if (!tally_thread_.joinable() &&
        now - start_ >= absl::ToChronoNanoseconds(kTallyDelay)) {
      // Without one, totals are known when all has been found.
      StartThread(
          [tally = tally_.get()] {
            SyscallKernel kernel(/*slots=*/0);
            tally->Run(&kernel);
          },
          &tally_thread_);
    }
    progress.scan_complete = tally_->complete();
    progress.bytes_total = std::max(progress.bytes_total, tally_->bytes());
    progress.files_total = std::max(progress.files_total, tally_->files());
  }
  meter_->Measure(now, &progress);
  return progress;
}

EngineReport CopyJob::Body::GetReport() const {
  EngineReport report;
  {
    MutexLock lock(&mutex_);
    report = report_;
  }
  for (const EngineCounters& counters : counters_) {
    report.chains += counters.chains.value();
    report.sqes += counters.sqes.value();
    report.linked += counters.linked.value();
    report.ops_at_once += counters.ops_at_once.value();
    report.ops_at_once_with_opcode += counters.ops_at_once_with_opcode.value();
    report.polled += counters.polled.value();
    report.enters += counters.enters.value();
    report.files += counters.files_done.value();
    report.short_reads += counters.short_reads.value();
    report.short_writes += counters.short_writes.value();
    report.retries += counters.retries.value();
    report.files_at_once += counters.files_at_once.value();
    report.files_direct += counters.files_direct.value();
  }
  return report;
}

void CopyJob::Body::FinishReport() {
  MutexLock lock(&mutex_);
  if (request_.options.page_cache != PageCache::kKeep) {
    report_.drops_reads = uncached_io_.reads_refused();
    report_.drops_writes = uncached_io_.writes_refused();
  }
  Progress progress;
  AddCounters(&progress);
  progress.scan_complete = !cancelled_;
  meter_->MeasureFinal(kernel_.Now(), &progress);
  final_progress_ = progress;
}

CopyJob::CopyJob(CopyRequest request, JobObserver* observer, JobResources resources)
    : body_(std::make_unique<Body>(std::move(request), observer, resources)) {}
CopyJob::~CopyJob() = default;

JobResult CopyJob::Run() { return body_->Run(); }
void CopyJob::Cancel() { body_->Cancel(); }
Progress CopyJob::progress() const { return body_->GetProgress(); }
EngineReport CopyJob::engine_report() const { return body_->GetReport(); }

EngineReport ProbeEngine() {
  EngineReport report;
  const absl::StatusOr<std::unique_ptr<UringKernel>> ring = UringKernel::Create({});
  report.engine = ring.ok() ? "uring" : "threads";
  report.reason = ring.ok() ? UringReason() : std::string(ring.status().message());
  return report;
}

}  // namespace ringcp
