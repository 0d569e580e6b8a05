// What has become of a worker's entries: counts it, and tells the job's observer.
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_JOB_ENTRY_REPORTS_H_
#define RINGCP_CORE_JOB_ENTRY_REPORTS_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/contents_route.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/file/file_copy.h"
#include "core/job/shared_work.h"
#include "core/kernel/kernel.h"
#include "core/tree/link_table.h"

namespace ringcp {

class EntryReports {
 public:
  // What a copy did with an old target.
  struct Old {
    OldTarget target = OldTarget::kKept;
    std::string backup = {};  // The name that it got, if it is kBackedUp.
  };

  // REQUIRES: everything pointed to outlives this.
  EntryReports(const SharedWork* work, Kernel* kernel, EngineCounters* counters)
      : work_(work), kernel_(kernel), counters_(counters) {}

  // `entry` was copied; `route`: how its contents were, if it has any.
  void Copied(const WaitingEntry& entry, const Old& old,
              const std::optional<ContentsRoute>& route = std::nullopt);
  // Its target is left alone.
  void Skipped(const WaitingEntry& entry);
  // So it is, but its old target has made way meanwhile.
  void Skipped(const WaitingEntry& entry, const Old& old);
  // `entry` was not copied, because of `failure`. Ends its old target as EndOld() does.
  void Failed(const WaitingEntry& entry, const CopyFailure& failure, const Old& old,
              bool is_target_whole);
  // Nothing was done to its old target.
  void Failed(const WaitingEntry& entry, const CopyFailure& failure) {
    Failed(entry, failure, Old(), /*is_target_whole=*/false);
  }
  // `entry` could not be linked to `copied_as`, the copy of another name of its file.
  // Both names are told. Ends its old target.
  void FailedToLink(const WaitingEntry& entry, const std::string& copied_as,
                    int error_number, const Old& old);

  // Of a copy that was given up: tells that its old target was removed, or gives a backup
  // its name back, unless the new target is there.
  void EndOld(const WaitingEntry& entry, const Old& old, bool is_target_whole);
  // Unless `error_number` is 0, tells why what is called `name` in the target's directory
  // was not removed, or not emptied.
  void OfRemoval(const WaitingEntry& entry, const std::string& name, int error_number);
  void OfXattrs(const WaitingEntry& entry, const std::vector<CopyFailure>& failures);
  // Warns if `copy` has found that a device can't be polled (--iopoll).
  void IfNotPolled(const WaitingEntry& entry, const FileCopy& copy);

 private:
  // `has_begun`: people are told that the copy was begun (-v).
  void Failed(const WaitingEntry& entry, const FileError& error, bool has_begun,
              const Old& old, bool is_target_whole);
  void Removed(const WaitingEntry& entry);
  // Tells that a copy which has failed was begun, and that its old target was removed.
  void TellBegun(const WaitingEntry& entry, const Old& old);
  void TellCopied(const WaitingEntry& entry, const std::string& backup,
                  const std::optional<ContentsRoute>& route);

  const SharedWork* const work_;
  Kernel* const kernel_;
  EngineCounters* const counters_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_ENTRY_REPORTS_H_
