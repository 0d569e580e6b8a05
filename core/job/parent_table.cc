#include "core/job/parent_table.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"
#include "core/job/path_parts.h"
#include "core/tree/directory.h"

namespace ringcp {
namespace {

// Looks at a directory above a source; returns 0 or an errno.
int LookAtParent(Kernel* kernel, std::string_view path) {
  struct statx stat;
  const int32_t result = kernel->Stat(AT_FDCWD, std::string(path).c_str(), 0, &stat);
  if (result != 0) return -result;
  return S_ISDIR(stat.stx_mode) ? 0 : ENOTDIR;
}

// `path` without "." and, as far as its text tells, "..".
std::string Shortened(const std::string& path) {
  std::vector<std::string> names;
  for (const PathPart& part : PartsOf(path)) {
    if (part.name == ".") continue;
    if (part.name == ".." && !names.empty() && names.back() != "..") {
      names.pop_back();
    } else {
      names.emplace_back(part.name);
    }
  }
  std::string shortened;
  for (const std::string& name : names) shortened = JoinPath(shortened, name);
  return shortened;
}

}  // namespace

const ParentTable::Parent& ParentTable::Find(const std::string& path) {
  const auto [it, is_new] = found_.try_emplace(path);
  Parent& parent = it->second;
  if (!is_new) return parent;
  struct statx stat;
  if (kernel_->Stat(target_fd_, path.c_str(), 0, &stat) == 0) {
    parent = {.kind = S_ISDIR(stat.stx_mode) ? Kind::kDirectory : Kind::kOther,
              .device = DeviceOf(stat),
              .inode = stat.stx_ino};
  } else if (kernel_->Stat(target_fd_, path.c_str(), AT_SYMLINK_NOFOLLOW, &stat) == 0) {
    parent.kind = Kind::kLinkToNowhere;
  }
  return parent;
}

bool ParentTable::Admit(TopLevelSource* source, bool is_there, Reporter* reporter) {
  const std::vector<PathPart> parts = PartsOf(source->source);
  if (parts.size() < 2) return true;
  std::vector<std::string> paths;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    paths.push_back(JoinPath(i == 0 ? "" : paths.back(), parts[i].name));
  }
  const auto refuse = [&](size_t index) {
    reporter->Report(RefusedTarget(Refusal::kParentIsNotDirectory), source->source,
                     JoinPath(target_, paths[index]));
  };
  const Kind last = Find(paths.back()).kind;
  if (last == Kind::kOther) {
    refuse(paths.size() - 1);
    return false;
  }
  // Up to here for a source that is not there: what is not made needs none in the source.
  size_t made = 0;
  const auto fail = [&] {
    source->parents = static_cast<int>(made);
    return false;
  };
  // What an earlier source has made is there by now, by whatever way: "./a" is "a".
  const bool is_made = made_.contains(Shortened(paths.back()));
  if (last != Kind::kDirectory && !is_made) {
    for (size_t i = 0; i < paths.size(); ++i) {
      const Kind kind = Find(paths[i]).kind;
      const bool is_missing = kind == Kind::kMissing || kind == Kind::kLinkToNowhere;
      // A source that is there has all of its parents.
      if (!is_there && (is_missing || keeps_attributes_)) {
        const int error_number = LookAtParent(kernel_, parts[i].path);
        if (error_number != 0) {
          reporter->Report(
              MakeFileError(Operation::kLookAtParent, parts[i].path, error_number));
          return fail();
        }
      }
      if (kind == Kind::kLinkToNowhere) {
        reporter->Report(
            MakeFileError(Operation::kMakeParent, JoinPath(target_, paths[i]), EEXIST));
        return fail();
      }
      if (kind == Kind::kOther) {
        refuse(i);
        return fail();
      }
      if (is_missing) made = i + 1;
      if (is_missing) made_.insert(Shortened(paths[i]));
    }
    source->makes_parents = true;
  }
  source->parents = static_cast<int>(is_there ? paths.size() : made);
  return true;
}

}  // namespace ringcp
