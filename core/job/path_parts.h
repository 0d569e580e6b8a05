// Takes apart paths as users type them.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CORE_JOB_PATH_PARTS_H_
#define RINGCP_CORE_JOB_PATH_PARTS_H_

#include <string_view>
#include <vector>

namespace ringcp {

std::string_view WithoutTrailingSlashes(std::string_view path);

// The last part of a path; "" for "/" and "".
std::string_view LastPart(std::string_view path);

// The directory that the last part of `path` is in, as typed: "" for a bare name.
std::string_view DirectoryPart(std::string_view path);

// The name of a part, and the path up to it, as typed.
struct PathPart {
  std::string_view name;
  std::string_view path;
};

// All parts of `path`; none for "/" and "".
std::vector<PathPart> PartsOf(std::string_view path);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_PATH_PARTS_H_
