#include "core/job/path_parts.h"

#include <algorithm>
#include <cstddef>

namespace ringcp {

std::string_view WithoutTrailingSlashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

std::string_view LastPart(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  return path.substr(path.rfind('/') + 1);
}

std::string_view DirectoryPart(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return slash == 0 ? "/" : WithoutTrailingSlashes(path.substr(0, slash));
}

std::vector<PathPart> PartsOf(std::string_view path) {
  std::vector<PathPart> parts;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) {
      parts.push_back({.name = path.substr(at, end - at), .path = path.substr(0, end)});
    }
    at = end + 1;
  }
  return parts;
}

}  // namespace ringcp
