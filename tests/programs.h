// Finds the programs under test and prepares the files that they work on.
//
// Thread-safety: pure but for the file system.

#ifndef RINGCP_TESTS_PROGRAMS_H_
#define RINGCP_TESTS_PROGRAMS_H_

#include <string>

namespace ringcp {

// The path of a program, such as "cli/ringcp", that the test has in its `data`.
std::string ProgramPath(const std::string& name);

// Runs `script` with /bin/sh in `directory`. Aborts the test program if the script fails,
// because a test without its files means nothing.
void PrepareWithShell(const std::string& directory, const std::string& script);

}  // namespace ringcp

#endif  // RINGCP_TESTS_PROGRAMS_H_
