#include "cli/progress_display.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/progress_line.h"
#include "cli/write_all.h"

namespace ringcp {
namespace {

constexpr char kToLineStart[] = "\r";
constexpr char kEraseToLineEnd[] = "\033[K";

// The text that draws `line` over the terminal's last line. It leaves the cursor at the
// line's start, because the "^C" that a terminal echoes would otherwise go beyond the
// last column and wrap.
std::string Drawn(const std::string& line) {
  return absl::StrCat(kToLineStart, line, kEraseToLineEnd, kToLineStart);
}

// The width if the real one can't be found out.
constexpr int kColumnsDefault = 80;

bool CanEraseLine() {
  const char* terminal = getenv("TERM");
  return terminal != nullptr && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

bool IsLive(int descriptor, ProgressMode mode) {
  switch (mode) {
    case ProgressMode::kAlways:
      return true;
    case ProgressMode::kAuto:
      return isatty(descriptor) != 0 && CanEraseLine();
    case ProgressMode::kNever:
    case ProgressMode::kJson:
      return false;
  }
  return false;
}

// The present width of `descriptor`. Asked for at each redraw, so that a resized terminal
// is noticed without a signal handler.
int Columns(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns_text = getenv("COLUMNS");
  int columns = 0;
  if (columns_text != nullptr && absl::SimpleAtoi(columns_text, &columns) &&
      columns > 0) {
    return columns;
  }
  return kColumnsDefault;
}

// Whether `descriptor` is a terminal whose foreground is another process group, because
// the user put this one into the background.
bool IsInBackground(int descriptor) {
  const pid_t foreground = tcgetpgrp(descriptor);
  return foreground > 0 && foreground != getpgrp();
}

}  // namespace

ProgressDisplay::ProgressDisplay(int descriptor, ProgressMode mode, absl::Time start)
    : descriptor_(descriptor),
      mode_(mode),
      is_live_(IsLive(descriptor, mode)),
      next_draw_(mode == ProgressMode::kAuto ? start + kFirstDrawDelay : start) {}

bool ProgressDisplay::IsDue(absl::Time now) const {
  if (!is_live_ || now < next_draw_ || !prompt_.empty()) return false;
  return mode_ != ProgressMode::kAuto || !IsInBackground(descriptor_);
}

void ProgressDisplay::Draw(std::string line, absl::Time now) {
  next_draw_ = now + kRedrawInterval;
  line_ = std::move(line);
  WriteAll(descriptor_, Drawn(line_));
}

void ProgressDisplay::Update(const Progress& progress, std::string_view limited_by,
                             absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!IsDue(now)) return;
  Draw(RenderProgressLine(progress, Columns(descriptor_), now, limited_by), now);
}

void ProgressDisplay::UpdateWaiting(absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (IsDue(now)) Draw(RenderWaitingLine(Columns(descriptor_), now), now);
}

void ProgressDisplay::Print(const std::string& lines) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!prompt_.empty()) {
    const std::string way = is_live_ ? absl::StrCat(kToLineStart, kEraseToLineEnd) : "\n";
    WriteAll(descriptor_, absl::StrCat(way, lines, prompt_));
    return;
  }
  if (line_.empty()) {
    WriteAll(descriptor_, lines);
    return;
  }
  // One write also redraws the line below the text, so that it does not flicker.
  WriteAll(descriptor_, absl::StrCat(kToLineStart, kEraseToLineEnd, lines, Drawn(line_)));
}

void ProgressDisplay::Clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (line_.empty() && (prompt_.empty() || !is_live_)) return;
  line_.clear();
  WriteAll(descriptor_, absl::StrCat(kToLineStart, kEraseToLineEnd));
}

void ProgressDisplay::ShowPrompt(const std::string& prompt) {
  std::lock_guard<std::mutex> lock(mutex_);
  prompt_ = prompt;
  const std::string way =
      line_.empty() ? "" : absl::StrCat(kToLineStart, kEraseToLineEnd);
  line_.clear();
  WriteAll(descriptor_, absl::StrCat(way, prompt_));
}

void ProgressDisplay::ShowPromptAgain() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!prompt_.empty()) WriteAll(descriptor_, prompt_);
}

void ProgressDisplay::EndPrompt() {
  std::lock_guard<std::mutex> lock(mutex_);
  prompt_.clear();
}

}  // namespace ringcp
