// Who hears what happens in a job: the command line prints it, the agent keeps it.

#ifndef RINGCP_CORE_BASE_JOB_OBSERVER_H_
#define RINGCP_CORE_BASE_JOB_OBSERVER_H_

#include <sys/types.h>

#include <string_view>

#include "core/base/contents_route.h"
#include "core/base/file_error.h"

namespace ringcp {

// Hears what happens in a job. Calls come from any of the job's threads, but one at a
// time; they should be quick, because the job waits for them.
class JobObserver {
 public:
  virtual ~JobObserver() = default;

  // Something was not copied. Comes once per failure, while the job goes on.
  virtual void OnError(const FileError& error) = 0;

  // Something is odd but nothing was lost, such as a source that was named twice.
  virtual void OnWarning(std::string_view message) = 0;

  // Asks the user whether `target`, which exists and has the st_mode `mode`, may be
  // replaced (-i); with `removes`, it would be removed for that. Waits for the answer, so
  // it is called by a thread that does nothing else, and other calls may come meanwhile.
  // A job waits for it to return, also if it is cancelled.
  virtual bool OnAsk(std::string_view /*target*/, mode_t /*mode*/, bool /*removes*/) {
    return false;
  }

  // Nobody waits for an answer any more: OnAsk() returns, now and from now on.
  virtual void OnStopAsking() {}

  // Whether OnCopied() is wanted; asked once, when the job starts to run.
  virtual bool WantsCopied() const { return false; }

  // `source` was copied to `target` (-v), and what was there got the name `backup`,
  // unless that is empty. All are names as a user would write them. `route`: how its
  // contents were copied; nullptr if it has none, or they were left out.
  virtual void OnCopied(std::string_view /*source*/, std::string_view /*target*/,
                        std::string_view /*backup*/, const ContentsRoute* /*route*/) {}

  // The copy of `source` to `target` was begun and has failed. GNU cp tells of it as of
  // one that succeeds (-v), before it tells of the failure. Called only if OnCopied() is
  // wanted.
  virtual void OnBegun(std::string_view /*source*/, std::string_view /*target*/,
                       std::string_view /*backup*/) {}

  // `target` was left alone, because it exists (--debug). Called only if OnCopied() is
  // wanted.
  virtual void OnSkipped(std::string_view /*target*/) {}

  // The directory `target` was made for what is copied to below it, as `source` is above
  // that (-v, --parents).
  virtual void OnMadeParent(std::string_view /*source*/, std::string_view /*target*/) {}

  // `target` was not copied after all, so `backup` got its name back (-v).
  virtual void OnTakenBack(std::string_view /*backup*/, std::string_view /*target*/) {}

  // `target`, named as a user would write it, was removed to make way for a copy (-v).
  // Called only if OnCopied() is wanted.
  virtual void OnRemoved(std::string_view /*target*/) {}
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_JOB_OBSERVER_H_
