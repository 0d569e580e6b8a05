#include "cli/progress_line.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/quantity_format.h"

namespace ringcp {
namespace {

// Cells of a bar, without its brackets. Fewer would show nothing, more add nothing.
constexpr int kBarCellsMin = 8;
constexpr int kBarCellsMax = 40;

constexpr std::string_view kBlock = "<=>";
constexpr absl::Duration kBlockStep = absl::Milliseconds(100);

std::string PadLeft(const std::string& text, size_t width) {
  if (text.size() >= width) return text;
  return absl::StrCat(std::string(width - text.size(), ' '), text);
}

// "  1.2 GiB/ ~2.9 GiB": the part done, and a total that is final or not.
std::string DoneOfTotal(const std::string& done, const std::string& total, bool is_final,
                        size_t text_length_max) {
  return absl::StrCat(
      PadLeft(done, text_length_max), "/",
      PadLeft(absl::StrCat(is_final ? "" : "~", total), text_length_max + 1));
}

std::string Bar(int percent, int cells) {
  const int filled = percent * cells / 100;
  std::string bar(filled, '#');
  if (filled < cells) bar += '>';
  bar.resize(cells, '-');
  return absl::StrCat("[", bar, "]");
}

// A block that moves to and fro.
std::string MovingBlock(int cells, absl::Time now) {
  const int64_t last_place = cells - static_cast<int64_t>(kBlock.size());
  const int64_t step = absl::ToUnixMillis(now) / absl::ToInt64Milliseconds(kBlockStep);
  const int64_t phase = step % (2 * last_place);
  const int64_t place = phase <= last_place ? phase : 2 * last_place - phase;
  std::string cell_text(cells, ' ');
  cell_text.replace(place, kBlock.size(), kBlock);
  return absl::StrCat("[", cell_text, "]");
}

// Takes `width` columns and one for a space from `*room`, if there are enough.
bool TakeRoom(size_t width, int* room) {
  const int wanted = static_cast<int>(width) + 1;
  if (*room < wanted) return false;
  *room -= wanted;
  return true;
}

}  // namespace

int PercentDone(const Progress& progress) {
  if (!progress.scan_complete) return -1;
  const bool by_bytes = progress.bytes_total > 0;
  const int64_t done = by_bytes ? progress.bytes_done : progress.files_done;
  const int64_t total = by_bytes ? progress.bytes_total : progress.files_total;
  if (done >= total) return 100;
  const double percent = 100.0 * static_cast<double>(done) / static_cast<double>(total);
  return std::clamp(static_cast<int>(percent), 0, 99);
}

std::string RenderProgressLine(const Progress& progress, int columns, absl::Time now,
                               std::string_view limited_by) {
  const int percent = PercentDone(progress);
  const bool is_final = progress.scan_complete;
  const std::string state = is_final ? absl::StrFormat("%3d%%", percent) : "scan";
  const std::string bytes =
      DoneOfTotal(FormatBytes(progress.bytes_done), FormatBytes(progress.bytes_total),
                  is_final, kByteTextLengthMax);
  const std::string files = absl::StrCat(
      DoneOfTotal(FormatCount(progress.files_done), FormatCount(progress.files_total),
                  is_final, kCountTextLengthMax),
      " files");
  const std::string rate = absl::StrCat(
      PadLeft(FormatBytes(progress.bytes_per_second), kByteTextLengthMax), "/s");
  const std::string time_left =
      PadLeft(progress.time_remaining ? FormatSeconds(*progress.time_remaining) : "",
              kDurationTextLengthMax);

  // The first field needs no space before it, but the last column stays free.
  int room = columns;
  if (!TakeRoom(state.size(), &room)) return "";
  // The most important fields take their room first.
  const bool with_bytes = TakeRoom(bytes.size(), &room);
  const bool with_rate = TakeRoom(rate.size(), &room);
  const bool with_time_left = TakeRoom(time_left.size(), &room);
  const bool with_files = TakeRoom(files.size(), &room);
  const int bar_cells = std::min(room - 3, kBarCellsMax);

  std::string line = state;
  if (bar_cells >= kBarCellsMin) {
    absl::StrAppend(&line, " ",
                    is_final ? Bar(percent, bar_cells) : MovingBlock(bar_cells, now));
  }
  if (with_bytes) absl::StrAppend(&line, " ", bytes);
  if (with_files) absl::StrAppend(&line, " ", files);
  if (with_rate) absl::StrAppend(&line, " ", rate);
  if (with_time_left) absl::StrAppend(&line, " ", time_left);
  // What is left beside the longest bar, so that the others keep their places.
  room -= kBarCellsMax + 3;
  const std::string limit = absl::StrCat("limited by ", std::string(limited_by));
  if (!limited_by.empty() && TakeRoom(limit.size(), &room)) {
    absl::StrAppend(&line, " ", limit);
  }
  return line;
}

std::string RenderWaitingLine(int columns, absl::Time now) {
  std::string text = "queued: waits for its turn in the agent";
  int room = columns;
  if (!TakeRoom(text.size(), &room)) return columns > 6 ? "queued" : "";
  const int cells = std::min(room - 3, kBarCellsMax);
  if (cells < kBarCellsMin) return text;
  return absl::StrCat(text, " ", MovingBlock(cells, now));
}

}  // namespace ringcp
