#include "bench/io_models/part_process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/errors.h"

namespace ringcp::io_models {
namespace {

// Sent through the pipe in one write; smaller than PIPE_BUF, so that the write is atomic.
struct Message {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  Measurement measurement;
  char text[2048] = {};  // The status's message; cut if it is longer.
};
static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) <= 4096);

absl::StatusOr<Measurement> RunBody(const PartBody& body, bool traced) {
  if (traced) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
      return Refusal("ptrace(PTRACE_TRACEME)", errno);
    }
    raise(SIGSTOP);
  }
  return body();
}

[[noreturn]] void RunChild(const PartBody& body, bool traced, int results) {
  // Without the parent nobody needs the result.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(PartProcess::kSecondsMax);
  const absl::StatusOr<Measurement> result = RunBody(body, traced);
  Message message;
  message.code = result.status().code();
  if (result.ok()) {
    message.measurement = *result;
  } else {
    const std::string text(result.status().message());
    text.copy(message.text, sizeof(message.text) - 1);
  }
  const ssize_t written = write(results, &message, sizeof(message));
  // Runs no destructors and no exit handlers, because they belong to the parent's
  // objects. This also keeps LeakSanitizer, which can't work in a traced process, from
  // trying.
  _exit(written == sizeof(message) ? 0 : 1);
}

}  // namespace

absl::StatusOr<PartProcess> PartProcess::Start(const PartBody& body, bool traced) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failure("pipe2", errno);
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return Failure("fork", errno);
  if (pid == 0) RunChild(body, traced, writing.get());
  return PartProcess(pid, std::move(reading));
}

absl::StatusOr<Measurement> PartProcess::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return Failure("waitpid", errno);
  }
  return Result(status);
}

absl::StatusOr<Measurement> PartProcess::Result(int wait_status) {
  Message message;
  if (read(results_.get(), &message, sizeof(message)) == sizeof(message)) {
    if (message.code == absl::StatusCode::kOk) return message.measurement;
    return absl::Status(message.code, message.text);
  }
  if (!WIFSIGNALED(wait_status)) {
    return absl::InternalError(absl::StrCat("its process exited with ", wait_status));
  }
  if (WTERMSIG(wait_status) == SIGALRM) {
    return absl::DeadlineExceededError(
        absl::StrCat("it was not done after ", kSecondsMax, " s"));
  }
  return absl::InternalError(absl::StrCat("its process was killed by signal ",
                                          WTERMSIG(wait_status), " (",
                                          strsignal(WTERMSIG(wait_status)), ")"));
}

absl::StatusOr<Measurement> RunInProcess(const PartBody& body) {
  absl::StatusOr<PartProcess> part = PartProcess::Start(body, /*traced=*/false);
  if (!part.ok()) return part.status();
  return part->Wait();
}

}  // namespace ringcp::io_models
