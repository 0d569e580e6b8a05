// Takes apart paths as users type them.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CORE_JOB_PATH_PARTS_H_
#define RINGCP_CORE_JOB_PATH_PARTS_H_

#include <string_view>

namespace ringcp {

std::string_view WithoutTrailingSlashes(std::string_view path);

// The last part of a path; "" for "/" and "".
std::string_view LastPart(std::string_view path);

// The directory that the last part of `path` is in, as typed: "" for a bare name.
std::string_view DirectoryPart(std::string_view path);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_PATH_PARTS_H_
