// Runs a program for a test with the given arguments, environment and directory. Captures
// what it writes, and never waits without a limit.
//
//   Subprocess copy({.program = path, .arguments = {"cp", "a", "b"}, .directory = dir});
//   ASSERT_TRUE(copy.WaitForError("cannot"));
//   copy.Signal(SIGINT);
//   EXPECT_EQ(copy.Wait().signal, SIGINT);
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
  // Far more than anything here takes, even under a sanitizer on a busy machine.
  static constexpr std::chrono::seconds kLimit{60};

  struct Options {
    std::string program = {};                 // The path of the file to execute.
    std::vector<std::string> arguments = {};  // From argv[0] on.
    // "NAME=VALUE" each. This is the whole environment, except that LC_ALL=C is added.
    std::vector<std::string> environment = {};
    std::string directory = ".";
    // If given, standard output and standard error are one terminal with this many
    // columns. What is written to it is captured as standard error.
    std::optional<int> terminal_columns = {};
    // Runs the program as this user and group, with no other groups. Needs root.
    std::optional<uid_t> user = {};
    // Closed in the program, as by `>&-`.
    std::vector<int> closed_descriptors = {};
    // The file that is standard input; /dev/null if empty.
    std::string input = {};
  };

  struct Result {
    int exit_code = -1;      // -1 if the program did not exit by itself.
    int signal = 0;          // The signal that killed it, or 0.
    bool timed_out = false;  // Whether it was killed because kLimit had passed.
    std::string output;
    std::string error;
  };

  // Starts the program. If it can't be executed, the child exits with 127.
  explicit Subprocess(Options options);
  // Kills the program if it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  void Signal(int number);

  // Waits until the program has written `text` to standard error or output. Returns false
  // if the program ended, or kLimit passed, before that.
  bool WaitForError(const std::string& text);
  bool WaitForOutput(const std::string& text);

  // What has been read so far. These read nothing themselves, so call them after a
  // function that does.
  const std::string& output() const { return output_.text; }
  const std::string& error() const { return error_.text; }

  // Waits until the program has ended.
  Result Wait();

  // Changes the terminal's width. REQUIRES: terminal_columns was given.
  void SetColumns(int columns);

 private:
  using Clock = std::chrono::steady_clock;

  // The test's end of a pipe or terminal.
  struct Stream {
    int descriptor = -1;
    std::string text;
  };

  bool WaitForText(const Stream& stream, const std::string& text);
  // Reads what there is, after waiting until `deadline` for something to read. Returns
  // false when both streams have ended.
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
