// Where the programs under test are, and what they are tried on.
//
// Thread-safety: pure but for the file system.

#ifndef RINGCP_TESTS_PROGRAMS_H_
#define RINGCP_TESTS_PROGRAMS_H_

#include <string>

namespace ringcp {

// The path of a program that the test has in its `data`: "cli/ringcp".
std::string ProgramPath(const std::string& name);

// Runs `script` with /bin/sh in `directory`, and aborts the test program if it fails:
// what a test starts from has to be there.
void PrepareWithShell(const std::string& directory, const std::string& script);

}  // namespace ringcp

#endif  // RINGCP_TESTS_PROGRAMS_H_
