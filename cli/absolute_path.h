// Makes paths absolute without changing what they mean.
//
// Thread-safety: AbsolutePath() is pure; CurrentDirectory() asks the kernel.

#ifndef RINGCP_CLI_ABSOLUTE_PATH_H_
#define RINGCP_CLI_ABSOLUTE_PATH_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// The process's working directory. Fails if it was removed or can't be reached.
absl::StatusOr<std::string> CurrentDirectory();

// `path` itself if it is absolute, otherwise `path` below `directory`. Symbolic links,
// ".", ".." and slashes at the end stay, because they decide what is copied. An empty
// path names nothing and stays empty.
std::string AbsolutePath(std::string_view directory, std::string_view path);

}  // namespace ringcp

#endif  // RINGCP_CLI_ABSOLUTE_PATH_H_
