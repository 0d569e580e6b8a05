#include "core/job/copy_job.h"

#include <algorithm>
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
#include "core/base/job_limit.h"
#include "core/base/mutex.h"
#include "core/job/copy_group.h"
#include "core/job/file_budget.h"
#include "core/job/job_state.h"
#include "core/job/limit_meter.h"
#include "core/job/questions.h"
#include "core/job/tally.h"
#include "core/job/top_level.h"
#include "core/job/wait_times.h"
#include "core/job/worker.h"
#include "core/job/worker_count.h"
#include "core/job/worker_limits.h"
#include "core/kernel/batch_scheduling.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/process.h"
#include "core/kernel/start_thread.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/uring_kernel.h"

namespace ringcp {
namespace {

// Up to so many files and bytes in all, setting up a ring costs more than it saves.
constexpr size_t kFewFiles = 4;
constexpr uint64_t kFewBytes = 1024 * 1024;
// How long a job runs before its sources are tallied for its progress.
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

// Makes the blocks that `limits` ask for. If there is not enough memory, lowers `limits`;
// returns nullptr if there is not enough for a single copy. The worker with `index` 0 may
// use up the spare bytes for its single copy, because no other worker can replace it.
std::unique_ptr<BlockPool> MakePool(int index, WorkerLimits* limits) {
  for (;;) {
    const bool is_least = limits->copies_in_flight == 1 && limits->extra_blocks == 0;
    std::unique_ptr<BlockPool> pool =
        BlockPool::Create(limits->copies_in_flight, limits->extra_blocks,
                          limits->block_bytes, is_least && index == 0 ? 0 : kSpareBytes);
    if (pool != nullptr || is_least) return pool;
    limits->copies_in_flight = std::max(1, limits->copies_in_flight / 2);
    limits->copies_in_flight_warm =
        std::min(limits->copies_in_flight_warm, limits->copies_in_flight);
    limits->copies_limit = JobLimit::kBlockMemory;
    limits->extra_blocks /= 2;
  }
}

}  // namespace

class CopyJob::Body {
 public:
  Body(CopyRequest request, JobObserver* observer, JobResources resources)
      : files_max_(resources.files_max != 0 ? resources.files_max : DefaultFilesMax()),
        state_(std::move(request), observer, resources.claims,
               {.user = ProcessUser(), .group = ProcessGroup()}) {}

  JobResult Run();
  void Cancel() { state_.cancelled.store(true, std::memory_order_relaxed); }
  Progress GetProgress();
  EngineReport GetReport();

 private:
  // Copies `sources`, which all have different names in the target.
  absl::Status CopySources(const std::vector<TopLevelSource>& sources,
                           const TopLevel& top);
  // Chooses the engine. If it is io_uring, *kernel becomes the calling thread's kernel.
  absl::Status ChooseEngine(const std::vector<TopLevelSource>& sources,
                            const FileBudget& files, int copies_in_flight,
                            std::unique_ptr<Kernel>* kernel);
  // Runs one worker on the calling thread. Returns false if memory or rings don't suffice
  // for another worker: then the others do all the work.
  bool Work(CopyGroup* group, std::unique_ptr<Kernel> kernel, WorkerLimits limits,
            int index);
  const CopyOptions& options() const { return state_.options(); }
  // How many rings a worker needs if there is room for any.
  int rings_wanted() const {
    return options().engine == EngineChoice::kThreads ? 0 : options().iopoll ? 2 : 1;
  }
  void FinishReport();
  void StopTally();

  const int files_max_;
  SyscallKernel kernel_{/*slots=*/0};  // Of the thread that calls Run().
  JobState state_;
  bool use_uring_ = false;

  mutable Mutex mutex_;
  EngineReport report_ ABSL_GUARDED_BY(mutex_);       // Without what workers count.
  absl::Status ring_status_ ABSL_GUARDED_BY(mutex_);  // Of the first ring that failed.
  // These are set when Run() begins.
  std::optional<ProgressMeter> meter_ ABSL_GUARDED_BY(mutex_);
  std::optional<LimitMeter> limit_meter_ ABSL_GUARDED_BY(mutex_);
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
    limit_meter_.emplace(kernel_, state_.counters);
  }
  JobResult result;
  absl::StatusOr<TopLevel> top = state_.ResolveSources(&kernel_);
  result.status = top.status();
  if (top.ok()) {
    if (const int directories =
            PlanFiles(files_max_, /*workers=*/1, rings_wanted()).tally_directories;
        directories > 0) {
      MutexLock lock(&mutex_);
      tally_ = std::make_unique<Tally>(
          &kernel_, top->sources,
          Tally::Settings{.follow_links = FollowsLinks(options()),
                          .one_file_system = options().one_file_system,
                          .preserve_links = options().preserve.links,
                          .directories_max = directories});
    }
    const AskingThread asking(options().interactive ? &state_.questions : nullptr);
    result.status = state_.CopySources(
        &kernel_, &*top, [&](const auto& sources) { return CopySources(sources, *top); });
    kernel_.Close(top->target_fd);
  }
  StopTally();
  FinishReport();
  if (state_.is_cancelled()) {
    result.outcome = JobResult::Outcome::kCancelled;
  } else if (!result.status.ok() || state_.reporter.errors() > 0) {
    result.outcome = JobResult::Outcome::kFailed;
  }
  return result;
}

absl::Status CopyJob::Body::ChooseEngine(const std::vector<TopLevelSource>& sources,
                                         const FileBudget& files, int copies_in_flight,
                                         std::unique_ptr<Kernel>* kernel) {
  std::string reason;
  bool try_uring = true;
  const bool must_be_uring = options().needs_uring();
  if (options().engine == EngineChoice::kThreads) {
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
        UringKernel::Create(RingParameters(options(), copies_in_flight));
    if (created.ok()) {
      *kernel = *std::move(created);
      const bool is_named = options().engine == EngineChoice::kUring;
      reason = is_named        ? "it was asked for"
               : must_be_uring ? "an option that was given needs it"
                               : UringReason();
    } else if (must_be_uring) {
      return absl::UnavailableError(
          absl::StrCat("cannot use io_uring", UringOptions(options()), ": ",
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

absl::Status CopyJob::Body::CopySources(const std::vector<TopLevelSource>& sources,
                                        const TopLevel& top) {
  std::unique_ptr<TargetDirectory> target = LookAtTarget(&state_, &kernel_, top);
  const int workers_wanted =
      WorkerCount(&kernel_, sources, *target->file_system, options());
  const FileBudget files = PlanFiles(files_max_, workers_wanted, rings_wanted());
  const int workers = files.workers;
  const WorkerLimits limits =
      WorkerLimits::For(options().tuning, workers, files.files_max);
  std::unique_ptr<Kernel> kernel;
  if (absl::Status status =
          ChooseEngine(sources, files, limits.copies_in_flight, &kernel);
      !status.ok()) {
    return status;
  }
  {
    MutexLock lock(&mutex_);
    report_.workers = std::max(report_.workers, workers);
    JobThreads threads = {.cpus = AvailableCpus(), .workers = report_.workers};
    if (options().tuning.workers != 0) threads.workers_limit = JobLimit::kWorkers;
    if (workers < workers_wanted) threads.workers_limit = JobLimit::kOpenFiles;
    limit_meter_->SetThreads(threads);
  }

  CopyGroup group(&state_, &kernel_, sources, std::move(target), workers,
                  files.DirectoriesMax(limits.copies_in_flight));
  std::atomic<bool> worked = false;
  std::vector<std::thread> threads(workers - 1);
  for (int i = 1; i < workers; ++i) {
    const bool started = StartThread(
        [&, i] {
          if (Work(&group, nullptr, limits, i)) worked = true;
        },
        &threads[i - 1]);
    if (!started) group.OneWorkerLess();
  }
  if (Work(&group, std::move(kernel), limits, 0)) worked = true;
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
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

bool CopyJob::Body::Work(CopyGroup* group, std::unique_ptr<Kernel> kernel,
                         WorkerLimits limits, int index) {
  const BatchScheduling batch_scheduling;
  if (kernel == nullptr && use_uring_) {
    absl::StatusOr<std::unique_ptr<UringKernel>> created =
        UringKernel::Create(RingParameters(options(), limits.copies_in_flight));
    // The system's limits allow no further ring, so the job has fewer workers.
    if (!created.ok()) {
      group->OneWorkerLess();
      return false;
    }
    kernel = *std::move(created);
  }
  if (kernel == nullptr) {
    kernel = std::make_unique<SyscallKernel>(limits.copies_in_flight);
  }
  std::unique_ptr<BlockPool> pool = MakePool(index, &limits);
  if (pool == nullptr) {
    group->OneWorkerLess();
    return false;
  }
  std::unique_ptr<Worker> worker = group->MakeWorker(
      index, kernel.get(), /*reads_many=*/use_uring_, limits, pool.get());
  const absl::Status status = worker->Run();
  if (!status.ok()) {
    // The kernel may still write to the memory of both, so it is never freed.
    [[maybe_unused]] const Worker* const kept_worker = worker.release();
    [[maybe_unused]] const BlockPool* const kept_pool = pool.release();
    MutexLock lock(&mutex_);
    ring_status_.Update(status);
  }
  return true;
}

void CopyJob::Body::StopTally() {
  // Taken out first, so that GetProgress() can't start the tally's thread any more.
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

Progress CopyJob::Body::GetProgress() {
  MutexLock lock(&mutex_);
  if (final_progress_.has_value()) return *final_progress_;
  Progress progress;
  if (!meter_.has_value()) return progress;
  state_.AddCounters(&progress);
  const SteadyTime now = kernel_.Now();
  if (tally_ != nullptr) {
    if (!tally_thread_.joinable() &&
        now - start_ >= absl::ToChronoNanoseconds(kTallyDelay)) {
      // If no thread can be started, totals are known when everything has been found.
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

EngineReport CopyJob::Body::GetReport() {
  MutexLock lock(&mutex_);
  EngineReport report = report_;
  if (limit_meter_.has_value()) limit_meter_->Measure(kernel_, &report);
  state_.AddCounters(&report);
  return report;
}

void CopyJob::Body::FinishReport() {
  MutexLock lock(&mutex_);
  if (options().page_cache != PageCache::kKeep) {
    report_.drops_reads = state_.file_systems.has_refused_uncached_reads();
    report_.drops_writes = state_.file_systems.has_refused_uncached_writes();
  }
  Progress progress;
  state_.AddCounters(&progress);
  progress.scan_complete = !state_.is_cancelled();
  meter_->MeasureFinal(kernel_.Now(), &progress);
  final_progress_ = progress;
  limit_meter_->End(kernel_);
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
