// Runs a program for a test: its arguments, environment and directory are given, what it
// writes is captured, and nothing is waited for without a limit.
//
//   Subprocess copy({.program = path, .arguments = {"cp", "a", "b"}, .directory = dir});
//   ASSERT_TRUE(copy.WaitForError("cannot"));
//   copy.Signal(SIGINT);
//   EXPECT_EQ(copy.Wait().exit_code, 130);
//
// Thread-safety: a Subprocess belongs to one thread at a time.

#ifndef RINGCP_TESTS_SUBPROCESS_H_
#define RINGCP_TESTS_SUBPROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace ringcp {

class Subprocess {
 public:
  // Far more than anything here takes, also under a sanitizer on a busy machine.
  static constexpr std::chrono::seconds kLimit{60};

  struct Options {
    std::string program = {};                 // The path that is executed.
    std::vector<std::string> arguments = {};  // From argv[0] on.
    // "NAME=VALUE", all of it; LC_ALL=C is added.
    std::vector<std::string> environment = {};
    std::string directory = ".";
    // Makes standard output and standard error one terminal of so many columns; what is
    // written to it is captured as standard error.
    std::optional<int> terminal_columns = {};
    // Runs as this user and group, with no other groups. Only root can.
    std::optional<uid_t> user = {};
    // Closed in the process, as by `>&-`.
    std::vector<int> closed_descriptors = {};
    // What standard input is a file of; /dev/null if empty.
    std::string input = {};
  };

  struct Result {
    int exit_code = -1;      // -1 if it did not exit by itself.
    int signal = 0;          // What killed it, or 0.
    bool timed_out = false;  // It was killed because kLimit had passed.
    std::string output;
    std::string error;
  };

  // Starts the program. A program that can't be executed exits with 127.
  explicit Subprocess(Options options);
  // Kills what still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  void Signal(int number);

  // Waits until standard error (or output) has `text` in it; false if the program ended
  // or kLimit passed before that.
  bool WaitForError(const std::string& text);
  bool WaitForOutput(const std::string& text);

  // What came so far. Reads nothing: call it after one of the others.
  const std::string& output() const { return output_.text; }
  const std::string& error() const { return error_.text; }

  // Waits for the end.
  Result Wait();

  // Changes the terminal's width. REQUIRES: terminal_columns was given.
  void SetColumns(int columns);

 private:
  using Clock = std::chrono::steady_clock;

  // One end of a pipe or terminal.
  struct Stream {
    int descriptor = -1;
    std::string text;
  };

  bool WaitForText(const Stream& stream, const std::string& text);
  // Reads what there is, waiting until `deadline` for something. False at the end of both
  // streams.
  bool Read(Clock::time_point deadline);

  pid_t pid_ = -1;
  Stream output_;
  Stream error_;
  std::optional<Result> result_;
};

// Runs a program to its end.
Subprocess::Result RunProgram(Subprocess::Options options);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SUBPROCESS_H_
