#include "tests/own_mounts.h"

#include <sched.h>
#include <sys/mount.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

// Runs a program and returns its error message, or "".
std::string ErrorOf(const std::vector<std::string>& arguments) {
  Subprocess::Options options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", "exec \"$@\" >/dev/null", "sh"};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  const Subprocess::Result result = RunProgram(options);
  if (result.exit_code == 0) return "";
  return absl::StrCat(arguments[0], ": ", result.error);
}

}  // namespace

bool HasOwnMounts() {
  static const bool kHasOwnMounts =
      unshare(CLONE_NEWNS) == 0 &&
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return kHasOwnMounts;
}

std::string MountNewFileSystem(const std::string& kind, const std::string& mount_type,
                               const std::string& image, const std::string& place) {
  std::string error = ErrorOf({absl::StrCat("mkfs.", kind), image});
  if (!error.empty()) return error;
  return ErrorOf({"mount", "-t", mount_type, "-o", "loop", image, place});
}

}  // namespace ringcp
