#include "core/job/copy_group.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/file_identity.h"
#include "core/base/job_limit.h"
#include "core/file/calls_at_once.h"
#include "core/file/file_acls.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/process.h"
#include "core/tree/target_directory.h"

namespace ringcp {
namespace {

// What may be under way of what waits, for each of `workers` workers.
int MostWaits(const Tuning& tuning, int workers) {
  const int most =
      tuning.queue_depth != 0 ? tuning.queue_depth : WaitController::kLevelMax;
  return std::clamp(CopyGroup::kWaitsMax / workers, 1, most);
}

// What that comes from.
JobLimit LimitOfWaits(const Tuning& tuning, int workers) {
  const bool is_asked_for =
      tuning.queue_depth != 0 && MostWaits(tuning, workers) == tuning.queue_depth;
  return is_asked_for ? JobLimit::kQueueDepth : JobLimit::kKernelWorkers;
}

}  // namespace

std::unique_ptr<TargetDirectory> LookAtTarget(JobState* job, Kernel* kernel,
                                              const TopLevel& top) {
  auto target = std::make_unique<TargetDirectory>();
  target->fd = top.target_fd;
  target->name = top.target_display;
  struct statx stat;
  dev_t device = FileSystem::kNoDevice;
  if (kernel->Stat(top.target_fd, &stat) == 0) {
    target->group = GroupOfNewEntries(stat, job->ids.group);
    device = DeviceOf(stat);
  }
  target->file_system = job->file_systems.Find(kernel, top.target_fd, device);
  // Only keys of one job have to match, because jobs whose targets may be the same
  // directory don't run at the same time.
  target->key = reinterpret_cast<uintptr_t>(job);
  if (job->policy.preserve.mode || job->policy.preserve.ownership) {
    target->default_acl = GrantsOfDefaultAcl(kernel, top.target_fd);
  }
  return target;
}

CopyGroup::CopyGroup(JobState* job, Kernel* kernel,
                     const std::vector<TopLevelSource>& sources,
                     std::unique_ptr<TargetDirectory> target, int workers,
                     int directories_max)
    : job_(job),
      kernel_(kernel),
      walk_(kernel, &job->directories, FollowsLinks(job->options()), directories_max),
      shared_files_(workers),
      waits_(MostWaits(job->options().tuning, workers), workers, AvailableCpus()),
      calls_limit_(LimitOfWaits(job->options().tuning, workers)) {
  Directory* const directory = walk_.top();
  directory->source.fd = AT_FDCWD;
  directory->target = std::move(target);
  if (job->options().interactive) walk_.KeepOrder();
  AddToWalk(sources, &walk_);
}

CopyGroup::~CopyGroup() {
  for (const WaitingEntry& entry : job_->links.TakeAllWaiting()) {
    walk_.Release(kernel_, entry.directory);
  }
}

std::unique_ptr<Worker> CopyGroup::MakeWorker(int index, Kernel* kernel, bool reads_many,
                                              const WorkerLimits& limits,
                                              BlockPool* pool) {
  const CopyOptions& options = job_->options();
  SharedWork work = {.policy = job_->policy,
                     .walk = &walk_,
                     .links = &job_->links,
                     .shared_files = &shared_files_,
                     .claims = job_->claims,
                     .reporter = &job_->reporter,
                     .made_names = job_->notes_made_names ? &job_->made_names : nullptr,
                     .waits = &waits_,
                     .questions = options.interactive ? &job_->questions : nullptr,
                     .cancelled = &job_->cancelled,
                     .calls_limit = calls_limit_};
  // Chains take a call for many files, calls at once eight for each. What one takes
  // decides which is faster (DECISIONS.md, "Chains or calls").
  const bool calls_are_dear =
      options.engine == EngineChoice::kAuto && kernel->CallTime() >= kDearCall;
  if (calls_are_dear) work.warm_calls = CallsAtOnce::kBlocks;
  // A user who asks for io_uring gets it for all files.
  if (options.needs_uring()) work.warm_calls = CallsAtOnce::kNone;
  if (options.engine == EngineChoice::kThreads) work.warm_calls = CallsAtOnce::kOpen;
  work.policy.shared_files = &shared_files_;
  work.policy.may_enlarge_blocks = options.tuning.block_size_bytes == 0;
  work.policy.polls = options.iopoll;
  work.policy.direct_reads = reads_many;
  work.policy.use_slots = kernel->can_install_descriptor();
  work.policy.queues_all = options.engine == EngineChoice::kUring || calls_are_dear;
  work.policy.queues_truncate = kernel->can_queue_truncate();
  return std::make_unique<Worker>(work, kernel, limits, pool, &job_->counters[index]);
}

}  // namespace ringcp
