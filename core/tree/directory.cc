#include "core/tree/directory.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/tree/target_directory.h"

namespace ringcp {

void GivenEntries::Add(std::unique_ptr<Directory> directory) {
  directories.push_back(std::move(directory));
  entries_before.push_back(entries.size());
}

size_t GivenEntries::EndOfTurn() const {
  return directories_taken < directories.size() ? entries_before[directories_taken]
                                                : entries.size();
}

std::unique_ptr<Directory> GivenEntries::TakeDirectory() {
  const bool has_turn = directories_taken < directories.size() && taken == EndOfTurn();
  return has_turn ? std::move(directories[directories_taken++]) : nullptr;
}

namespace {

void AppendName(std::string_view name, std::string* path) {
  if (!path->empty() && path->back() != '/') path->push_back('/');
  path->append(name);
}

// The directories from the top down to `directory`, without the top itself. A list,
// because recursion would need too much stack in deep trees.
std::vector<const Directory*> WayTo(const Directory& directory) {
  std::vector<const Directory*> way;
  for (const Directory* at = &directory; !at->is_top(); at = at->parent) {
    way.push_back(at);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

}  // namespace

Directory::Directory() = default;
Directory::~Directory() = default;

bool HoldsOnlyCopies(const Directory& directory) {
  return directory.target->is_created && !directory.names_sources();
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  AppendName(name, &path);
  return path;
}

std::string SourcePath(const Directory& directory) {
  std::string path;
  for (const Directory* next : WayTo(directory)) {
    if (next->parent->names_sources()) path.clear();
    AppendName(next->source.name, &path);
  }
  return path;
}

std::string TargetPath(const Directory& directory) {
  const std::vector<const Directory*> way = WayTo(directory);
  const Directory* const top = way.empty() ? &directory : way.front()->parent;
  std::string path = top->target->name;
  for (const Directory* next : way) {
    if (next->target->shown != nullptr) {
      path = *next->target->shown;
    } else {
      AppendName(next->target->name, &path);
    }
  }
  return path;
}

std::string SourcePath(const Directory& directory, std::string_view name) {
  return directory.names_sources() ? std::string(name)
                                   : JoinPath(SourcePath(directory), name);
}

std::string TargetPath(const Directory& directory, std::string_view name) {
  return JoinPath(TargetPath(directory), name);
}

std::string TargetPathBelowTop(const Directory& directory) {
  std::string path;
  for (const Directory* next : WayTo(directory)) AppendName(next->target->name, &path);
  return path;
}

}  // namespace ringcp
