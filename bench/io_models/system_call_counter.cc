#include "bench/io_models/system_call_counter.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "bench/io_models/errors.h"
#include "bench/io_models/section_mark.h"

namespace ringcp::io_models {
namespace {

// PTRACE_O_TRACESYSGOOD adds the bit, to tell this stop from a breakpoint's SIGTRAP.
constexpr int kSystemCallStop = SIGTRAP | 0x80;

class Tracer {
 public:
  explicit Tracer(pid_t leader) : leader_(leader), threads_({{leader, true}}) {}

  // Follows the process, which is in its first stop, until it ends. Returns its wait
  // status.
  absl::StatusOr<int> Follow() {
    // Processes that it starts are traced, too, though not counted: they must be slowed
    // down alike. If only the server of an echo were slow, it would find more to do at
    // each wait.
    const uintptr_t options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                              PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, leader_, nullptr, options) != 0) {
      return Refusal("ptrace(PTRACE_SETOPTIONS)", errno);
    }
    Resume(leader_, 0);
    for (;;) {
      int status = 0;
      const pid_t thread = waitpid(-1, &status, __WALL);
      if (thread < 0 && errno != EINTR) return Failure("waitpid", errno);
      if (thread < 0) continue;
      if (!WIFSTOPPED(status)) {
        if (thread == leader_) return status;  // The kernel reports the leader last.
        continue;
      }
      absl::Status noted = HandleStop(thread, status);
      if (!noted.ok()) return noted;
    }
  }

  int64_t system_calls() const { return system_calls_; }

 private:
  static void Resume(pid_t thread, int signal_number) {
    // A thread that was killed meanwhile can't be resumed; waitpid() will report it.
    ptrace(PTRACE_SYSCALL, thread, nullptr, static_cast<uintptr_t>(signal_number));
  }

  absl::Status HandleStop(pid_t thread, int status) {
    const bool is_new = !threads_.contains(thread);
    if (is_new) {
      // Signal 0 to a thread is refused if it belongs to another process.
      threads_[thread] = syscall(SYS_tgkill, leader_, thread, 0) == 0;
    }
    const int signal_number = WSTOPSIG(status);
    const bool is_event = (status >> 16) != 0;
    int deliver = 0;
    if (signal_number == kSystemCallStop) {
      absl::Status noted = NoteSystemCall(thread);
      if (!noted.ok()) return noted;
    } else if (!is_event && !(is_new && signal_number == SIGSTOP)) {
      // A new thread's SIGSTOP comes from ptrace; every other signal is the process's
      // own.
      deliver = signal_number;
    }
    Resume(thread, deliver);
    return absl::OkStatus();
  }

  absl::Status NoteSystemCall(pid_t thread) {
    __ptrace_syscall_info info = {};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) < 0) {
      if (errno == ESRCH) return absl::OkStatus();  // Killed meanwhile.
      return Refusal("ptrace(PTRACE_GET_SYSCALL_INFO)", errno);
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return absl::OkStatus();
    if (info.entry.nr == SYS_prctl && info.entry.args[0] == kSectionMarkOption) {
      counting_ = info.entry.args[1] == static_cast<uint64_t>(SectionMark::kBegin);
    } else if (counting_ && threads_[thread] && info.entry.nr != SYS_clock_gettime) {
      ++system_calls_;
    }
    return absl::OkStatus();
  }

  const pid_t leader_;
  // The threads seen so far, and whether they belong to the process that is counted.
  std::map<pid_t, bool> threads_;
  bool counting_ = false;
  int64_t system_calls_ = 0;
};

}  // namespace

absl::StatusOr<CountedRun> CountSystemCalls(const PartBody& body) {
  absl::StatusOr<PartProcess> part = PartProcess::Start(body, /*traced=*/true);
  if (!part.ok()) return part.status();
  int status = 0;
  while (waitpid(part->pid(), &status, __WALL) < 0) {
    if (errno != EINTR) return Failure("waitpid", errno);
  }
  Tracer tracer(part->pid());
  if (WIFSTOPPED(status)) {
    const absl::StatusOr<int> end = tracer.Follow();
    if (!end.ok()) {
      kill(part->pid(), SIGKILL);
      waitpid(part->pid(), &status, __WALL);
      return end.status();
    }
    status = *end;
  }
  const absl::StatusOr<Measurement> result = part->Result(status);
  if (!result.ok()) return result.status();
  return CountedRun{.system_calls = tracer.system_calls(), .measurement = *result};
}

}  // namespace ringcp::io_models
