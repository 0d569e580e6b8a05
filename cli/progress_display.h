// A live line at the bottom of a terminal, and whole lines of text above it.
//
// Each redraw is one write, at most ten times a second, and never wider than the terminal
// is at that moment. Print() puts text above the line, so that messages and the line
// don't mix.
//
// Thread-safety: all functions may be called by any thread.
// Ownership: the descriptor stays the caller's and must stay open.

#ifndef RINGCP_CLI_PROGRESS_DISPLAY_H_
#define RINGCP_CLI_PROGRESS_DISPLAY_H_

#include <mutex>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cli/progress_mode.h"
#include "core/job/progress.h"

namespace ringcp {

class ProgressDisplay {
 public:
  static constexpr absl::Duration kRedrawInterval = absl::Milliseconds(100);
  // With kAuto, a job that ends before this time shows nothing.
  static constexpr absl::Duration kFirstDrawDelay = absl::Milliseconds(300);

  // Draws on `descriptor`: always with kAlways; with kAuto if it is a terminal that can
  // erase a line; never with the other modes. `start` is when the job began.
  ProgressDisplay(int descriptor, ProgressMode mode, absl::Time start);
  // REQUIRES: Clear() was called after the last Update(); otherwise the line would stay.
  ~ProgressDisplay() = default;
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Whether Update() may ever draw.
  bool is_live() const { return is_live_; }

  // Draws `progress` as of `now`, and what limits the job, or does nothing if it is too
  // early for a redraw.
  void Update(const Progress& progress, std::string_view limited_by, absl::Time now);

  // The same for a job that waits for its turn in the agent.
  void UpdateWaiting(absl::Time now);

  // Writes `lines`, each of which ends with a newline, above the live line.
  void Print(const std::string& lines);

  // Removes the live line, or the prompt, until the next Update() that draws, or
  // ShowPromptAgain().
  void Clear();

  // Writes `prompt`, without a newline, in place of the live line, and keeps it in the
  // last line until EndPrompt(), by when the user has ended that line.
  void ShowPrompt(const std::string& prompt);
  void ShowPromptAgain();
  void EndPrompt();

 private:
  // Whether a redraw at `now` is due, and would be visible.
  bool IsDue(absl::Time now) const;
  void Draw(std::string line, absl::Time now);

  const int descriptor_;
  const ProgressMode mode_;
  const bool is_live_;

  std::mutex mutex_;
  // Protected by mutex_:
  absl::Time next_draw_;
  std::string line_;    // On the screen now; empty if there is none.
  std::string prompt_;  // Empty if there is none.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_DISPLAY_H_
