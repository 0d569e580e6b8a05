#include "cli/submit_program.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/exit_code.h"
#include "core/file_error.h"

namespace ringcp {
namespace {

// The path of the program that runs; one of its names, where /proc is not mounted.
std::string OwnPath() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  if (length > 0) return {path, static_cast<size_t>(length)};
  return reinterpret_cast<const char*>(getauxval(AT_EXECFN));
}

}  // namespace

int ExecSubmitProgram(char** argv) {
  const std::string own_path = OwnPath();
  const size_t directory_length = own_path.rfind('/') + 1;  // 0 if there is no slash.
  const std::string path = own_path.substr(0, directory_length) + kSubmitProgram;
  execv(path.c_str(), argv);
  const char* const error = strerror(errno);
  fprintf(stderr,
          "%s: cannot run %s, which talks to the agent and belongs beside ringcp: %s\n",
          argv[0], Quote(path).c_str(), error);
  return kExitFailure;
}

}  // namespace ringcp
