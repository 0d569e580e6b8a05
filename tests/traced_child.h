// Runs part of a test in a process of its own that is traced (ptrace(2)): each of its
// system calls is shown to the test before the kernel sees it, and may be changed or
// answered in the kernel's place. So what a kernel does once in a million times, such as
// taking in a part of what is submitted, happens where a test wants it.
//
// A traced program is slower, and stops look like waits: nothing that depends on time may
// be expected of it.
//
// Thread-safety: to be called before the test has started threads.

#ifndef RINGCP_TESTS_TRACED_CHILD_H_
#define RINGCP_TESTS_TRACED_CHILD_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace ringcp {

struct TracedCall {
  int64_t number = 0;  // SYS_*.
  std::array<uint64_t, 6> arguments = {};
  // Set by the test, the call is not made and has this result (-errno).
  std::optional<int64_t> result = std::nullopt;
};

// May change the arguments or set a result.
using CallHandler = std::function<void(TracedCall* call)>;

// As InChildProcess() (child_process.h), with `on_call` called for each system call of
// each of the child's threads, from the beginning of `body` on; it runs in this process.
// nullopt where nothing can be traced (or this machine's registers are not known here).
std::optional<std::string> InTracedChild(const std::function<std::string()>& body,
                                         const CallHandler& on_call);

}  // namespace ringcp

#endif  // RINGCP_TESTS_TRACED_CHILD_H_
