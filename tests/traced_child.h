// Runs part of a test in a process of its own that is traced (ptrace(2)). The test sees
// each system call before the kernel does, and may change it or answer it in the kernel's
// place. So a test can bring about what a kernel does once in a million times, such as
// accepting only a part of what is submitted.
//
// A traced program is slower, and its stops look like waits, so a test must not expect
// anything of it that depends on time.
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
  // If the test sets this, the call is not made and has this result (-errno on failure).
  std::optional<int64_t> result = std::nullopt;
};

// May change the arguments or set a result.
using CallHandler = std::function<void(TracedCall* call)>;

// Like InChildProcess() (child_process.h). `on_call`, which runs in this process, is
// called for each system call that any of the child's threads makes from the beginning of
// `body` on. Returns nullopt if nothing can be traced, or if the processor's registers
// are not known here.
std::optional<std::string> InTracedChild(const std::function<std::string()>& body,
                                         const CallHandler& on_call);

}  // namespace ringcp

#endif  // RINGCP_TESTS_TRACED_CHILD_H_
