#include "cli/progress_display.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "cli/progress_line.h"
#include "core/job/progress.h"

namespace ringcp {
namespace {

constexpr char kErase[] = "\033[K";

// A line as the display draws it, with the cursor back at its start.
std::string Drawn(const std::string& line) { return "\r" + line + kErase + "\r"; }

Progress SomeProgress(int64_t bytes_done = 1024) {
  Progress progress;
  progress.bytes_done = bytes_done;
  progress.bytes_total = 10 * 1024;
  progress.scan_complete = true;
  return progress;
}

// A display on a terminal or a pipe, whose other side the test reads.
class ProgressDisplayTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(setenv("TERM", "xterm", 1), 0); }

  void OpenTerminal(int columns) {
    termios settings = {};
    cfmakeraw(&settings);  // So that "\n" is not changed on its way.
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = 24;
    ASSERT_EQ(openpty(&reader_, &writer_, nullptr, &settings, &size), 0);
    ASSERT_EQ(fcntl(reader_, F_SETFL, O_NONBLOCK), 0);
  }

  void OpenPipe() {
    std::array<int, 2> ends = {};
    ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK), 0);
    reader_ = ends[0];
    writer_ = ends[1];
  }

  void TearDown() override {
    close(reader_);
    close(writer_);
  }

  void SetColumns(int columns) {
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = 24;
    ASSERT_EQ(ioctl(writer_, TIOCSWINSZ, &size), 0);
  }

  // Everything written since the last call.
  std::string Written() {
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    while ((got = read(reader_, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<size_t>(got));
    }
    return text;
  }

  static absl::Time At(int64_t milliseconds) {
    return absl::FromUnixMillis(1'000'000 + milliseconds);
  }

  int reader_ = -1;
  int writer_ = -1;
};

TEST_F(ProgressDisplayTest, ShowsNothingOfAShortJob) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  EXPECT_TRUE(display.is_live());
  display.Update(SomeProgress(), "", At(100));
  display.Update(SomeProgress(), "", At(299));
  display.Clear();
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, DrawsAtMostTenTimesASecond) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  int draws = 0;
  for (int64_t now = 300; now < 1300; ++now) {
    display.Update(SomeProgress(now), "", At(now));
    if (!Written().empty()) ++draws;
  }
  EXPECT_EQ(draws, 10);
}

TEST_F(ProgressDisplayTest, DrawsOverTheLastLineAndErasesItAtTheEnd) {
  OpenTerminal(60);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  display.Update(SomeProgress(), "", At(300));
  EXPECT_EQ(Written(), Drawn(RenderProgressLine(SomeProgress(), 60, At(300))));
  display.Clear();
  EXPECT_EQ(Written(), std::string("\r") + kErase);
  display.Clear();
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, FollowsTheTerminalsWidth) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  display.Update(SomeProgress(), "", At(300));
  EXPECT_EQ(Written(), Drawn(RenderProgressLine(SomeProgress(), 80, At(300))));
  SetColumns(30);
  display.Update(SomeProgress(), "", At(400));
  EXPECT_EQ(Written(), Drawn(RenderProgressLine(SomeProgress(), 30, At(400))));
}

TEST_F(ProgressDisplayTest, PrintsMessagesAboveTheLine) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  display.Print("before\n");
  EXPECT_EQ(Written(), "before\n");
  display.Update(SomeProgress(), "", At(300));
  const std::string line = RenderProgressLine(SomeProgress(), 80, At(300));
  Written();
  display.Print("meanwhile\n");
  EXPECT_EQ(Written(), std::string("\r") + kErase + "meanwhile\n" + Drawn(line));
  display.Clear();
  Written();
  display.Print("after\n");
  EXPECT_EQ(Written(), "after\n");
}

TEST_F(ProgressDisplayTest, ShowsThatAJobWaits) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  display.UpdateWaiting(At(300));
  EXPECT_EQ(Written(), Drawn(RenderWaitingLine(80, At(300))));
}

TEST_F(ProgressDisplayTest, DrawsNothingWhereThereIsNoTerminal) {
  OpenPipe();
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  EXPECT_FALSE(display.is_live());
  display.Update(SomeProgress(), "", At(5000));
  display.Clear();
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, DrawsNothingOnATerminalThatCannotErase) {
  OpenTerminal(80);
  ASSERT_EQ(setenv("TERM", "dumb", 1), 0);
  EXPECT_FALSE(ProgressDisplay(writer_, ProgressMode::kAuto, At(0)).is_live());
}

TEST_F(ProgressDisplayTest, DrawsAlwaysAndImmediatelyIfAskedTo) {
  OpenPipe();
  ASSERT_EQ(setenv("COLUMNS", "50", 1), 0);
  ProgressDisplay display(writer_, ProgressMode::kAlways, At(0));
  display.Update(SomeProgress(), "", At(0));
  EXPECT_EQ(Written(), Drawn(RenderProgressLine(SomeProgress(), 50, At(0))));
  ASSERT_EQ(unsetenv("COLUMNS"), 0);
  display.Update(SomeProgress(), "", At(100));
  EXPECT_EQ(Written(), Drawn(RenderProgressLine(SomeProgress(), 80, At(100))));
}

TEST_F(ProgressDisplayTest, DrawsNothingInTheOtherModes) {
  OpenTerminal(80);
  for (const ProgressMode mode : {ProgressMode::kNever, ProgressMode::kJson}) {
    ProgressDisplay display(writer_, mode, At(0));
    EXPECT_FALSE(display.is_live());
    display.Update(SomeProgress(), "", At(5000));
  }
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, MixesNothingUpWhenManyThreadsPrint) {
  OpenTerminal(80);
  ProgressDisplay display(writer_, ProgressMode::kAuto, At(0));
  display.Update(SomeProgress(), "", At(300));
  const std::string line = RenderProgressLine(SomeProgress(), 80, At(300));
  Written();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&display] {
      for (int j = 0; j < 5; ++j) display.Print("message\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    expected += std::string("\r") + kErase + "message\n" + Drawn(line);
  }
  EXPECT_EQ(Written(), expected);
}

}  // namespace
}  // namespace ringcp
