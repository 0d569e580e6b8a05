// Runs part of a test in a process of its own: with another user, limits, mounts or
// filters, none of which can be taken back.
//
// Thread-safety: to be called before the test has started threads.

#ifndef RINGCP_TESTS_CHILD_PROCESS_H_
#define RINGCP_TESTS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace ringcp {

// What an ordinary user is called in tests: nobody.
inline constexpr uid_t kOrdinaryUser = 65534;

// Runs `body` in a forked process and returns what it returned; what it could not return
// (a crash, an exit) is told instead. Nothing that it expects of gtest counts.
std::string InChildProcess(const std::function<std::string()>& body);

// Gives up root's rights for good; does nothing for an ordinary user.
void BecomeOrdinaryUser();

}  // namespace ringcp

#endif  // RINGCP_TESTS_CHILD_PROCESS_H_
