#include "cli/progress_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/quantity_format.h"
#include "core/job/progress.h"

namespace ringcp {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMiB = 1024 * 1024;

absl::Time At(int64_t milliseconds) { return absl::FromUnixMillis(milliseconds); }

Progress HalfDone() {
  Progress progress;
  progress.bytes_done = 100 * kMiB;
  progress.bytes_total = 200 * kMiB;
  progress.files_done = 1234;
  progress.files_total = 2945;
  progress.scan_complete = true;
  progress.bytes_per_second = 25 * kMiB;
  progress.time_remaining = absl::Seconds(4);
  return progress;
}

Progress Scanning() {
  Progress progress = HalfDone();
  progress.scan_complete = false;
  progress.time_remaining.reset();
  return progress;
}

Progress Huge() {
  Progress progress;
  progress.bytes_done = kMax - 1;
  progress.bytes_total = kMax;
  progress.files_done = kMax - 1;
  progress.files_total = kMax;
  progress.scan_complete = true;
  progress.bytes_per_second = kMax;
  progress.time_remaining = absl::InfiniteDuration();
  return progress;
}

TEST(ProgressLine, ShowsWhatLimitsTheJobBesideTheLongestBar) {
  constexpr int kWide = 150;
  const std::string without = RenderProgressLine(HalfDone(), kWide, At(0));
  EXPECT_EQ(RenderProgressLine(HalfDone(), kWide, At(0), "the source"),
            without + " limited by the source");
  EXPECT_EQ(RenderProgressLine(HalfDone(), kWide, At(0), std::string(100, 'x')), without);
  EXPECT_EQ(RenderProgressLine(HalfDone(), 80, At(0), "the source"),
            RenderProgressLine(HalfDone(), 80, At(0)));
}

TEST(ProgressLine, HasEveryFieldOnEightyColumns) {
  EXPECT_EQ(RenderProgressLine(HalfDone(), 80, At(0)),
            " 50% [####>----] 100.0 MiB/ 200.0 MiB   1234/   2945 files  25.0 MiB/s"
            "     0:04");
}

TEST(ProgressLine, GivesAWideTerminalALongerBar) {
  EXPECT_EQ(RenderProgressLine(HalfDone(), 200, At(0)),
            " 50% [####################>-------------------] 100.0 MiB/ 200.0 MiB"
            "   1234/   2945 files  25.0 MiB/s     0:04");
}

TEST(ProgressLine, KeepsWhatMattersMostOnANarrowTerminal) {
  EXPECT_EQ(RenderProgressLine(HalfDone(), 40, At(0)),
            " 50% 100.0 MiB/ 200.0 MiB  25.0 MiB/s");
  EXPECT_EQ(RenderProgressLine(HalfDone(), 20, At(0)), " 50%  25.0 MiB/s");
  EXPECT_EQ(RenderProgressLine(HalfDone(), 5, At(0)), " 50%");
  EXPECT_EQ(RenderProgressLine(HalfDone(), 4, At(0)), "");
  EXPECT_EQ(RenderProgressLine(HalfDone(), 0, At(0)), "");
}

TEST(ProgressLine, ShowsNoPercentageWhileTotalsGrow) {
  EXPECT_EQ(RenderProgressLine(Scanning(), 80, At(0)),
            "scan [<=>      ] 100.0 MiB/~200.0 MiB   1234/  ~2945 files  25.0 MiB/s"
            "         ");
}

TEST(ProgressLine, MovesTheBlockToAndFro) {
  const auto block = [](int64_t milliseconds) {
    return RenderProgressLine(Scanning(), 80, At(milliseconds)).substr(5, 11);
  };
  EXPECT_EQ(block(0), "[<=>      ]");
  EXPECT_EQ(block(100), "[ <=>     ]");
  EXPECT_EQ(block(600), "[      <=>]");
  EXPECT_EQ(block(700), "[     <=> ]");
  EXPECT_EQ(block(1200), "[<=>      ]");
}

TEST(ProgressLine, IsNeverWiderThanTheTerminal) {
  Progress negative;
  negative.bytes_done = -1;
  negative.bytes_total = -5;
  negative.scan_complete = true;
  negative.time_remaining = -absl::InfiniteDuration();
  for (const Progress& progress :
       {HalfDone(), Scanning(), Huge(), Progress(), negative}) {
    for (int columns = 0; columns <= 250; ++columns) {
      for (const std::string& line : {RenderProgressLine(progress, columns, At(12345)),
                                      RenderWaitingLine(columns, At(12345))}) {
        EXPECT_LT(line.size(), std::max<size_t>(columns, 1)) << line;
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char byte) {
          return std::isprint(static_cast<unsigned char>(byte));
        })) << line;
      }
    }
  }
}

TEST(ProgressLine, KeepsItsLayoutWhileNumbersGrow) {
  for (const int columns : {20, 40, 60, 80, 120, 200}) {
    const size_t width = RenderProgressLine(HalfDone(), columns, At(0)).size();
    Progress progress = Huge();
    EXPECT_EQ(RenderProgressLine(progress, columns, At(0)).size(), width) << columns;
    EXPECT_EQ(RenderProgressLine(Progress(), columns, At(0)).size(), width) << columns;
    for (int64_t number = 1; number < kMax / 10; number *= 10) {
      progress.bytes_done = number;
      progress.files_done = number;
      progress.bytes_per_second = number;
      progress.time_remaining = absl::Seconds(number);
      EXPECT_EQ(RenderProgressLine(progress, columns, At(0)).size(), width) << number;
    }
  }
}

TEST(ProgressLine, SaysThatAQueuedJobWaits) {
  EXPECT_EQ(
      RenderWaitingLine(80, At(0)),
      "queued: waits for its turn in the agent [<=>                                  ]");
  EXPECT_EQ(RenderWaitingLine(42, At(0)), "queued: waits for its turn in the agent");
  EXPECT_EQ(RenderWaitingLine(20, At(0)), "queued");
  EXPECT_EQ(RenderWaitingLine(6, At(0)), "");
}

TEST(PercentDone, IsAHundredOnlyWhenAllIsDone) {
  Progress progress = HalfDone();
  progress.bytes_done = progress.bytes_total - 1;
  EXPECT_EQ(PercentDone(progress), 99);
  progress.bytes_done = progress.bytes_total;
  EXPECT_EQ(PercentDone(progress), 100);
  // A file grew meanwhile.
  progress.bytes_done = progress.bytes_total + 1;
  EXPECT_EQ(PercentDone(progress), 100);
  EXPECT_EQ(PercentDone(Huge()), 99);
}

TEST(PercentDone, CountsFilesWhereThereAreNoBytes) {
  Progress progress;
  progress.scan_complete = true;
  progress.files_total = 4;
  progress.files_done = 1;
  EXPECT_EQ(PercentDone(progress), 25);
  EXPECT_EQ(PercentDone(Progress{.scan_complete = true, .time_remaining = {}}), 100);
}

TEST(PercentDone, IsUnknownWhileFilesAreFound) { EXPECT_EQ(PercentDone(Scanning()), -1); }

TEST(FormatBytes, CountsInPowersOf1024) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(kMiB - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(kMax), "8.0 EiB");
  EXPECT_EQ(FormatBytes(-1), "0 B");
}

TEST(FormatCount, ShortensWhatHasMoreThanSixDigits) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999999), "999999");
  EXPECT_EQ(FormatCount(1000000), "1.00M");
  EXPECT_EQ(FormatCount(9'994'999), "9.99M");
  EXPECT_EQ(FormatCount(9'995'000), "10.0M");
  EXPECT_EQ(FormatCount(123'456'789), "123M");
  EXPECT_EQ(FormatCount(999'600'000), "1.00G");
  EXPECT_EQ(FormatCount(kMax), "9.22E");
}

TEST(FormatSeconds, RoundsUpToWholeSeconds) {
  EXPECT_EQ(FormatSeconds(absl::ZeroDuration()), "0:00");
  EXPECT_EQ(FormatSeconds(absl::Milliseconds(1)), "0:01");
  EXPECT_EQ(FormatSeconds(absl::Seconds(3599)), "59:59");
  EXPECT_EQ(FormatSeconds(absl::Milliseconds(3599001)), "1:00:00");
  EXPECT_EQ(FormatSeconds(absl::Hours(100) - absl::Seconds(1)), "99:59:59");
  EXPECT_EQ(FormatSeconds(absl::Hours(100)), "4d 04h");
  EXPECT_EQ(FormatSeconds(absl::InfiniteDuration()), ">999d");
  EXPECT_EQ(FormatSeconds(-absl::InfiniteDuration()), "0:00");
}

TEST(Formats, HaveTheLengthTheyPromise) {
  for (int64_t number = 1; number < kMax / 10; number *= 10) {
    for (const int64_t near : {number - 1, number, number + 1, number / 10000 * 9995}) {
      EXPECT_LE(FormatBytes(near).size(), kByteTextLengthMax) << near;
      EXPECT_LE(FormatCount(near).size(), kCountTextLengthMax) << near;
      EXPECT_LE(FormatSeconds(absl::Seconds(near)).size(), kDurationTextLengthMax)
          << near;
    }
  }
}

}  // namespace
}  // namespace ringcp
