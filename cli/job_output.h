// What a user is shown of a job while it runs and when it ends. The same interface serves
// jobs in this process and in an agent, and prints text or JSON.
//
// Thread-safety: all functions may be called by any thread.

#ifndef RINGCP_CLI_JOB_OUTPUT_H_
#define RINGCP_CLI_JOB_OUTPUT_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/base/contents_route.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// "'source' -> 'target' (backup: 'backup')", without the last part if there is no backup.
std::string CopiedLine(std::string_view source, std::string_view target,
                       std::string_view backup);
// "copy offload: ..., reflink: ..., sparse detection: ...", in GNU cp's words.
std::string RouteLine(const ContentsRoute& route);

class JobOutput {
 public:
  virtual ~JobOutput() = default;

  // Whether ShowProgress() may ever show anything. If not, nobody needs to call it.
  virtual bool WantsProgress() const = 0;

  // Shows where the job stands at `now`. May be called at any rate; calls that come too
  // early show nothing.
  virtual void ShowProgress(v1::Job::State state, const v1::Progress& progress,
                            absl::Time now) = 0;

  // Removes the shown progress, because nobody knows any more where the job stands.
  virtual void StopProgress() = 0;

  // One thing was not copied.
  virtual void PrintError(const v1::FileError& error) = 0;

  // The job failed as a whole, or its agent did. `message` may have several lines.
  virtual void PrintFailure(std::string_view message) = 0;

  // Something is odd, but nothing was lost.
  virtual void PrintWarning(std::string_view message) = 0;

  // For --debug.
  virtual void PrintDebug(std::string_view message) = 0;

  // `source` was copied to `target`, and what was there is called `backup` now, unless
  // that is empty (-v). `route`: how the contents were copied (--debug); nullptr: that is
  // not told.
  virtual void PrintCopied(std::string_view source, std::string_view target,
                           std::string_view backup, const ContentsRoute* route) = 0;

  // The copy of `source` to `target` was begun, and has failed (-v): for people, who are
  // told the same of every copy.
  virtual void PrintBegun(std::string_view source, std::string_view target,
                          std::string_view backup) = 0;

  // `target` exists and was left alone (--debug).
  virtual void PrintSkipped(std::string_view target) = 0;

  // The directory `target` was made, as `source` is above a source (-v, --parents).
  virtual void PrintMadeParent(std::string_view source, std::string_view target) = 0;

  // `backup` is called `target` again, because the copy has failed (-v).
  virtual void PrintTakenBack(std::string_view backup, std::string_view target) = 0;

  // `target` was removed to make way for a copy (-v).
  virtual void PrintRemoved(std::string_view target) = 0;

  // Asks `question`, which ends with "? ", and is waiting for an answer until
  // EndQuestion() (-i). Meanwhile other things may be printed.
  virtual void ShowQuestion(std::string_view question) = 0;
  virtual void EndQuestion() = 0;

  // The job has ended in `state`; this is the last call. Returns false, after a message,
  // if something that was asked for could not be written.
  virtual bool Finish(v1::Job::State state, const v1::Progress& progress) = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CLI_JOB_OUTPUT_H_
