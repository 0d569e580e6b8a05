#include "tests/traced_child.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringcp {
namespace {

#if defined(__x86_64__)

constexpr int kSystemCallStop = SIGTRAP | 0x80;  // See PTRACE_O_TRACESYSGOOD.

// One of the child's threads.
struct Thread {
  bool is_in_call = false;
  std::optional<int64_t> result;  // Replaces the kernel's result.
};

// Called when `thread` has stopped at the beginning or end of a system call.
void OnSystemCallStop(pid_t id, const CallHandler& on_call, Thread* thread) {
  user_regs_struct registers = {};
  if (ptrace(PTRACE_GETREGS, id, nullptr, &registers) != 0) return;  // Killed meanwhile.
  if (thread->is_in_call) {
    thread->is_in_call = false;
    if (!thread->result.has_value()) return;
    registers.rax = static_cast<uint64_t>(*thread->result);
    thread->result.reset();
    ptrace(PTRACE_SETREGS, id, nullptr, &registers);
    return;
  }
  thread->is_in_call = true;
  TracedCall call = {.number = static_cast<int64_t>(registers.orig_rax),
                     .arguments = {registers.rdi, registers.rsi, registers.rdx,
                                   registers.r10, registers.r8, registers.r9}};
  on_call(&call);
  registers.rdi = call.arguments[0];
  registers.rsi = call.arguments[1];
  registers.rdx = call.arguments[2];
  registers.r10 = call.arguments[3];
  registers.r8 = call.arguments[4];
  registers.r9 = call.arguments[5];
  thread->result = call.result;
  if (call.result.has_value()) registers.orig_rax = ~uint64_t{0};  // Skips the call.
  ptrace(PTRACE_SETREGS, id, nullptr, &registers);
}

// Lets the stopped `child` run to its end. Returns its status, like waitpid(2).
int Trace(pid_t child, const CallHandler& on_call) {
  std::map<pid_t, Thread> threads;
  RINGCP_CHECK(ptrace(PTRACE_SETOPTIONS, child, nullptr,
                      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) ==
               0);
  ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  for (;;) {
    int status = 0;
    const pid_t id = waitpid(-1, &status, __WALL);
    RINGCP_CHECK(id > 0);
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (id == child) return status;
      threads.erase(id);
      continue;
    }
    int signal = WSTOPSIG(status);
    if (signal == kSystemCallStop) {
      OnSystemCallStop(id, on_call, &threads[id]);
      signal = 0;
    } else if (signal == SIGTRAP || signal == SIGSTOP) {
      signal = 0;  // A thread was started.
    }
    ptrace(PTRACE_SYSCALL, id, nullptr, signal);
  }
}

#endif

}  // namespace

std::optional<std::string> InTracedChild(
    [[maybe_unused]] const std::function<std::string()>& body,
    [[maybe_unused]] const CallHandler& on_call) {
#if defined(__x86_64__)
  int ends[2];
  RINGCP_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  RINGCP_CHECK(child >= 0);
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    raise(SIGSTOP);
    const std::string result = body();
    // The parent reads it only when the child has ended, so it must fit into the pipe.
    const ssize_t written = write(ends[1], result.data(), result.size());
    _exit(written == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  close(ends[1]);
  int status = 0;
  RINGCP_CHECK(waitpid(child, &status, 0) == child);
  if (!WIFSTOPPED(status)) {
    close(ends[0]);
    return std::nullopt;
  }
  status = Trace(child, on_call);
  std::string result;
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while ((size = read(ends[0], buffer.data(), buffer.size())) > 0) {
    result.append(buffer.data(), static_cast<size_t>(size));
  }
  close(ends[0]);
  if (WIFSIGNALED(status)) return absl::StrCat("killed by signal ", WTERMSIG(status));
  if (status != 0) return absl::StrCat("exited with ", WEXITSTATUS(status));
  return result;
#else
  return std::nullopt;
#endif
}

}  // namespace ringcp
