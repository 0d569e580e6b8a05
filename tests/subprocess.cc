#include "tests/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace ringcp {
namespace {

std::vector<char*> NullTerminated(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void Require(bool condition) {
  if (!condition) abort();
}

// Reads once from a descriptor that is ready. Returns false at its end.
bool ReadOnce(int descriptor, std::string* text) {
  std::array<char, 65536> buffer;
  const ssize_t got = read(descriptor, buffer.data(), buffer.size());
  if (got > 0) text->append(buffer.data(), static_cast<size_t>(got));
  // Reading a terminal whose other side is closed fails with EIO, which is its end.
  return got > 0 || (got < 0 && errno == EINTR);
}

// Runs in the child between fork and exec, where only system calls are allowed.
[[noreturn]] void Become(const Subprocess::Options& options, int output, int error,
                         char* const* arguments, char* const* environment) {
  const int input =
      open(options.input.empty() ? "/dev/null" : options.input.c_str(), O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  for (int descriptor : options.closed_descriptors) close(descriptor);
  // The process that runs the tests may have blocked or ignored signals.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGINT, SIGTERM, SIGPIPE}) signal(number, SIG_DFL);
  bool ready = chdir(options.directory.c_str()) == 0;
  if (options.user.has_value()) {
    ready = ready && setgroups(0, nullptr) == 0 && setgid(*options.user) == 0 &&
            setuid(*options.user) == 0;
  }
  if (ready) execve(options.program.c_str(), arguments, environment);
  _exit(127);
}

}  // namespace

Subprocess::Subprocess(Options options) {
  options.environment.emplace_back("LC_ALL=C");
  const std::vector<char*> arguments = NullTerminated(options.arguments);
  const std::vector<char*> environment = NullTerminated(options.environment);

  int output = -1;  // The child's ends of the streams.
  int error = -1;
  if (options.terminal_columns.has_value()) {
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(*options.terminal_columns);
    size.ws_row = 24;
    Require(openpty(&error_.descriptor, &error, nullptr, nullptr, &size) == 0);
    Require(fcntl(error_.descriptor, F_SETFD, FD_CLOEXEC) == 0);
    output = fcntl(error, F_DUPFD_CLOEXEC, 0);
  } else {
    std::array<int, 2> ends = {};
    Require(pipe2(ends.data(), O_CLOEXEC) == 0);
    output_.descriptor = ends[0];
    output = ends[1];
    Require(pipe2(ends.data(), O_CLOEXEC) == 0);
    error_.descriptor = ends[0];
    error = ends[1];
  }
  pid_ = fork();
  Require(pid_ >= 0);
  if (pid_ == 0) Become(options, output, error, arguments.data(), environment.data());
  close(output);
  close(error);
}

Subprocess::~Subprocess() {
  if (!result_.has_value()) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (output_.descriptor != -1) close(output_.descriptor);
  if (error_.descriptor != -1) close(error_.descriptor);
}

void Subprocess::Signal(int number) { kill(pid_, number); }

bool Subprocess::WaitForError(const std::string& text) {
  return WaitForText(error_, text);
}

bool Subprocess::WaitForOutput(const std::string& text) {
  return WaitForText(output_, text);
}

bool Subprocess::WaitForText(const Stream& stream, const std::string& text) {
  const Clock::time_point deadline = Clock::now() + kLimit;
  while (stream.text.find(text) == std::string::npos) {
    if (!Read(deadline)) return false;
  }
  return true;
}

bool Subprocess::Read(Clock::time_point deadline) {
  std::array<pollfd, 2> polled;
  std::array<Stream*, 2> streams;
  nfds_t count = 0;
  for (Stream* stream : {&output_, &error_}) {
    if (stream->descriptor == -1) continue;
    polled[count] = {stream->descriptor, POLLIN, 0};
    streams[count++] = stream;
  }
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  if (count == 0 || rest.count() <= 0) return false;
  poll(polled.data(), count, static_cast<int>(rest.count()));
  for (nfds_t i = 0; i < count; ++i) {
    if (polled[i].revents == 0) continue;
    if (ReadOnce(streams[i]->descriptor, &streams[i]->text)) continue;
    close(streams[i]->descriptor);
    streams[i]->descriptor = -1;
  }
  return true;
}

Subprocess::Result Subprocess::Wait() {
  if (result_.has_value()) return *result_;
  const Clock::time_point deadline = Clock::now() + kLimit;
  while (Read(deadline)) {
  }
  Result result;
  // Most programs close their streams last, but this one may still run.
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() < deadline) {
      poll(nullptr, 0, 1);
      continue;
    }
    result.timed_out = true;
    Signal(SIGKILL);
    waitpid(pid_, &status, 0);
    break;
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.output = output_.text;
  result.error = error_.text;
  result_ = result;
  return result;
}

void Subprocess::SetColumns(int columns) {
  winsize size = {};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = 24;
  Require(ioctl(error_.descriptor, TIOCSWINSZ, &size) == 0);
}

Subprocess::Result RunProgram(Subprocess::Options options) {
  return Subprocess(std::move(options)).Wait();
}

}  // namespace ringcp
