#include "cli/absolute_path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

#include "absl/status/status.h"

namespace ringcp {

absl::StatusOr<std::string> CurrentDirectory() {
  // glibc allocates as much as is needed, even beyond PATH_MAX.
  const std::unique_ptr<char, decltype(&free)> directory(getcwd(nullptr, 0), &free);
  if (directory == nullptr) {
    return absl::ErrnoToStatus(errno, "cannot tell the current directory");
  }
  // For a directory outside the process's root the kernel returns "(unreachable)/…".
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
