// Runs part of a test in a process of its own, with another user, limits, mounts or
// filters. A process can't undo any of these, so the test's own must not change them.
//
// Thread-safety: to be called before the test has started threads.

#ifndef RINGCP_TESTS_CHILD_PROCESS_H_
#define RINGCP_TESTS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace ringcp {

// The user "nobody", who stands for an ordinary user in tests.
inline constexpr uid_t kOrdinaryUser = 65534;

// Runs `body` in a forked process and returns what it returned. If it could not return
// (it crashed or exited), the result says so. A gtest expectation that fails in `body`
// does not fail the test.
std::string InChildProcess(const std::function<std::string()>& body);

// Gives up root's rights for good. Does nothing for an ordinary user.
void BecomeOrdinaryUser();

}  // namespace ringcp

#endif  // RINGCP_TESTS_CHILD_PROCESS_H_
