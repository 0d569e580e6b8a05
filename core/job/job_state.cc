#include "core/job/job_state.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file_age.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/job/path_parts.h"
#include "core/job/security_context.h"
#include "core/kernel/preloaded_libraries.h"

namespace ringcp {
namespace {

FileCopyPolicy PolicyFor(const CopyRequest& request, uid_t user,
                         FileSystemTable* file_systems, KnownDirectories* known_parents) {
  const CopyOptions& options = request.options;
  return {.preserve = options.preserve,
          .default_mode = options.default_mode,
          .force = options.force,
          .makes = options.makes,
          .attributes_only = options.attributes_only,
          .update = options.update,
          .interactive = options.interactive,
          .backup = options.backup,
          .backup_suffix = &options.backup_suffix,
          .remove_destination = options.remove_destination,
          .writes_through_dangling_links = options.writes_through_dangling_links,
          .sparse = options.sparse,
          .copy_contents = options.copy_contents,
          .keep_directory_symlink = options.keep_directory_symlink,
          .known_parents = options.parents ? known_parents : nullptr,
          // A clone has the holes of its source.
          .reflink = options.sparse == Sparse::kNever ? Reflink::kNever : options.reflink,
          .file_systems = file_systems,
          .follows_named_links = FollowsNamedLinks(options),
          .follows_links = FollowsLinks(options),
          .page_cache = options.page_cache,
          .umask = options.umask,
          .user = user,
          .offer_all_links = options.preserve.links && FollowsLinks(options),
          .offer_named_links = options.preserve.links && FollowsNamedLinks(options),
          .may_meet_names_again = request.sources.size() > 1,
          .always_sets_attributes = LibrariesArePreloaded()};
}

}  // namespace

JobState::JobState(CopyRequest a_request, JobObserver* observer,
                   TargetClaims* shared_claims, ProcessIds process_ids)
    : request(std::move(a_request)),
      ids(process_ids),
      claims(shared_claims != nullptr ? shared_claims : &own_claims),
      reporter(observer),
      policy(PolicyFor(request, ids.user, &file_systems, &known_parents)),
      directories(policy, request.options.one_file_system, ids.group, &reporter),
      questions(observer, &cancelled,
                request.options.force || request.options.remove_destination) {}

absl::StatusOr<TopLevel> JobState::ResolveSources(Kernel* kernel) {
  const absl::StatusOr<Context> labels = ChooseLabels(kernel, request.options, &reporter);
  if (!labels.ok()) return labels.status();
  policy.preserve.context = *labels;
  const std::string& label = request.options.context;
  if (*labels == Context::kReplaced && !label.empty()) policy.label = label.c_str();
  absl::StatusOr<TopLevel> top = ResolveTopLevel(kernel, request, &reporter);
  if (top.ok() && top->is_backup) policy.backup = Backup::kNone;
  if (top.ok() && policy.backup != Backup::kNone) {
    for (const TopLevelSource& source : top->sources) {
      named_targets.emplace(LastPart(source.target_name));
    }
    policy.named_targets = &named_targets;
  }
  // Each error so far is a source that can't be copied.
  sources_refused_ = reporter.errors();
  return top;
}

absl::Status JobState::CopySources(Kernel* kernel, TopLevel* top,
                                   const CopyFunction& copy) {
  notes_made_names =
      std::any_of(top->sources.begin(), top->sources.end(),
                  [](const TopLevelSource& s) { return s.must_not_overwrite; });
  absl::Status status;
  std::vector<TopLevelSource> group;
  const auto copy_group = [&] {
    if (!group.empty() && !is_cancelled()) status.Update(copy(group));
    group.clear();
  };
  for (TopLevelSource& source : top->sources) {
    if (source.collides) {
      copy_group();
      if (!is_cancelled() && WouldOverwriteCopy(kernel, source, *top)) continue;
    }
    group.push_back(std::move(source));
  }
  copy_group();
  return status;
}

bool JobState::WouldOverwriteCopy(Kernel* kernel, const TopLevelSource& source,
                                  const TopLevel& top) {
  if (!source.must_not_overwrite || !made_names.Contains(source.target_name)) {
    return false;
  }
  struct statx from;
  struct statx to;
  const bool knows_source =
      kernel->Stat(AT_FDCWD, source.source.c_str(),
                   source.follow ? 0 : AT_SYMLINK_NOFOLLOW, &from) == 0;
  const bool knows_target = kernel->Stat(top.target_fd, source.target_name.c_str(),
                                         AT_SYMLINK_NOFOLLOW, &to) == 0;
  // A further name of the source is no loss.
  if (policy.makes == Makes::kHardLinks && knows_source && knows_target &&
      SameFile(from, to)) {
    return false;
  }
  struct statx pointee;
  const bool through_link =
      !policy.remove_destination && policy.backup == Backup::kNone &&
      policy.makes == Makes::kCopies &&
      (source.kind == EntryKind::kRegular || source.kind == EntryKind::kStream) &&
      knows_target && S_ISLNK(to.stx_mode);
  if (through_link &&
      kernel->Stat(top.target_fd, source.target_name.c_str(), 0, &pointee) == 0) {
    to = pointee;
  }
  if (policy.update == Update::kOlder && knows_source && knows_target &&
      !IsOlder(to, from, policy.preserve.timestamps,
               file_systems.Find(kernel, top.target_fd, DeviceOf(to))->time_unit())) {
    return false;
  }
  const std::string target = JoinPath(top.target_display, source.target_name);
  ++sources_refused_;
  reporter.Report(MakeRefusal(
      target, through_link
                  ? absl::StrCat("will not copy ", Quote(source.source),
                                 " through just-created symlink ", Quote(target))
                  : absl::StrCat("will not overwrite just-created ", Quote(target),
                                 " with ", Quote(source.source))));
  return true;
}

void JobState::AddCounters(Progress* progress) const {
  for (const EngineCounters& worker : counters) {
    progress->bytes_done += worker.bytes_done.value();
    progress->bytes_total += worker.bytes_found.value();
    progress->files_done += worker.files_done.value();
    progress->files_total += worker.files_found.value();
    progress->files_skipped += worker.files_skipped.value();
    progress->files_failed += worker.files_failed.value();
  }
  progress->directories_done += directories.directories_done();
  progress->files_failed += directories.failed() + sources_refused_;
}

void JobState::AddCounters(EngineReport* report) const {
  for (const EngineCounters& worker : counters) {
    report->chains += worker.chains.value();
    report->sqes += worker.sqes.value();
    report->linked += worker.linked.value();
    report->ops_at_once += worker.ops_at_once.value();
    report->ops_at_once_with_opcode += worker.ops_at_once_with_opcode.value();
    report->polled += worker.polled.value();
    report->enters += worker.enters.value();
    report->files += worker.files_done.value();
    report->short_reads += worker.short_reads.value();
    report->short_writes += worker.short_writes.value();
    report->retries += worker.retries.value();
    report->files_at_once += worker.files_at_once.value();
    report->files_direct += worker.files_direct.value();
  }
}

}  // namespace ringcp
