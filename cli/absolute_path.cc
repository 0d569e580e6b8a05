#include "cli/absolute_path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

#include "absl/status/status.h"

namespace ringcp {

absl::StatusOr<std::string> CurrentDirectory() {
  // glibc allocates what is needed, also beyond PATH_MAX.
  const std::unique_ptr<char, decltype(&free)> directory(getcwd(nullptr, 0), &free);
  if (directory == nullptr) {
    return absl::ErrnoToStatus(errno, "cannot tell the current directory");
  }
  // Outside the process's root the kernel answers "(unreachable)/…".
  if (directory.get()[0] != '/') {
    return absl::NotFoundError("cannot tell the current directory: it can't be reached");
  }
  return std::string(directory.get());
}

std::string AbsolutePath(std::string_view directory, std::string_view path) {
  if (path.empty() || path.front() == '/') return std::string(path);
  std::string absolute(directory);
  if (!directory.ends_with('/')) absolute += '/';
  return absolute.append(path);
}

}  // namespace ringcp
