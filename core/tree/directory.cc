#include "core/tree/directory.h"

#include <algorithm>
#include <vector>

#include "core/tree/target_directory.h"

namespace ringcp {
namespace {

void AppendName(std::string_view name, std::string* path) {
  if (!path->empty() && path->back() != '/') path->push_back('/');
  path->append(name);
}

const std::string& SourceName(const Directory& directory) {
  return directory.source.name;
}
const std::string& TargetName(const Directory& directory) {
  return directory.target->name;
}

// Joins the names from the top down to `directory`, without recursion because trees may
// be deep. `shown`: TargetDirectory::shown, if there is one, takes the place of the path
// so far.
std::string PathFromTop(const Directory& directory, bool with_top,
                        const std::string& (*name)(const Directory&),
                        bool shown = false) {
  std::vector<const Directory*> below;
  const Directory* at = &directory;
  for (; !at->is_top(); at = at->parent) below.push_back(at);
  std::string path = with_top ? name(*at) : std::string();
  std::reverse(below.begin(), below.end());
  for (const Directory* next : below) {
    if (shown && next->target->shown != nullptr) {
      path = *next->target->shown;
    } else {
      AppendName(name(*next), &path);
    }
  }
  return path;
}

}  // namespace

Directory::Directory() = default;
Directory::~Directory() = default;

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  AppendName(name, &path);
  return path;
}

std::string SourcePath(const Directory& directory) {
  return PathFromTop(directory, /*with_top=*/true, SourceName);
}

std::string TargetPath(const Directory& directory) {
  return PathFromTop(directory, /*with_top=*/true, TargetName,
                     /*shown=*/true);
}

std::string SourcePath(const Directory& directory, std::string_view name) {
  return JoinPath(SourcePath(directory), name);
}

std::string TargetPath(const Directory& directory, std::string_view name) {
  return JoinPath(TargetPath(directory), name);
}

std::string TargetPathBelowTop(const Directory& directory) {
  return PathFromTop(directory, /*with_top=*/false, TargetName);
}

}  // namespace ringcp
