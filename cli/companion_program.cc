#include "cli/companion_program.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "cli/exit_code.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

constexpr char kOwnProgram[] = "/proc/self/exe";

// The path of the running program, without symbolic links; "" if it can't be found.
// Where /proc is not mounted, it is the one that the program was called by.
std::string OwnPath() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink(kOwnProgram, error);
  if (!error) return path;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval() returns addresses so.
  const char* const called = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (called == nullptr) return "";
  path = std::filesystem::canonical(called, error);
  return error ? "" : path;
}

// Whether only somebody who could also have replaced `own`, the running program, can have
// put the program `stat` there or changed it.
bool IsTrusted(const struct stat& stat, const struct stat& own) {
  const bool is_owned = stat.st_uid == 0 || stat.st_uid == own.st_uid;
  return S_ISREG(stat.st_mode) && is_owned && (stat.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

int ExecCompanion(const CompanionProgram& program, char** argv) {
  const std::string own_path = OwnPath();
  const size_t directory_length = own_path.rfind('/') + 1;  // 0 if there is no slash.
  const std::string path = own_path.substr(0, directory_length) + program.name;
  // The same open file is checked and run, so nobody can exchange it in between.
  const int fd = open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat stat = {};
  struct stat own = {};
  std::string reason;
  if (fd < 0 || fstat(fd, &stat) != 0 ||
      (::stat(kOwnProgram, &own) != 0 && ::stat(own_path.c_str(), &own) != 0)) {
    reason = strerror(errno);
  } else if (!IsTrusted(stat, own)) {
    reason = "others than the owner of ringcp may have put it there";
  } else {
    execveat(fd, "", argv, environ, AT_EMPTY_PATH);
    reason = strerror(errno);
  }
  fprintf(stderr, "%s: cannot run %s, which %s and belongs beside ringcp: %s%s\n",
          argv[0], Quote(path).c_str(), program.task, reason.c_str(), program.way_out);
  return kExitFailure;
}

}  // namespace ringcp
