#include "core/job/name_table.h"

#include <fcntl.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/job/path_parts.h"
#include "core/tree/directory.h"

namespace ringcp {
namespace {

// The directory that the last part of `path` is in, as a path that can be opened.
std::string DirectoryOf(const std::string& path) {
  const std::string directory(DirectoryPart(path));
  return directory.empty() ? "." : directory;
}

// Whether the last parts of two paths are in one directory.
bool AreInOneDirectory(Kernel* kernel, const std::string& a, const std::string& b) {
  const std::string in_a = DirectoryOf(a);
  const std::string in_b = DirectoryOf(b);
  struct statx stat_a;
  struct statx stat_b;
  // As in GNU cp, a symbolic link to the directory is another one.
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW;
  return in_a == in_b || (kernel->Stat(AT_FDCWD, in_a.c_str(), kFlags, &stat_a) == 0 &&
                          kernel->Stat(AT_FDCWD, in_b.c_str(), kFlags, &stat_b) == 0 &&
                          SameFile(stat_a, stat_b));
}

// What is left of `path` without parts that are "."; "." if that is nothing.
std::string WithoutDots(std::string_view path) {
  std::string left;
  for (const PathPart& part : PartsOf(path)) {
    if (part.name != ".") left = JoinPath(left, part.name);
  }
  return left.empty() ? "." : left;
}

// More steps up than the longest path has room for.
constexpr int kDepthMax = 2000;

}  // namespace

NameTable::NameTable(Kernel* kernel, int target_fd, const CopyRequest& request,
                     ParentTable* parents)
    : kernel_(kernel),
      target_fd_(target_fd),
      parents_(parents),
      has_parents_(request.options.parents),
      has_several_(request.sources.size() > 1),
      keeps_existing_(KeepsExisting(request.options.update)),
      backs_up_(request.options.backup != Backup::kNone),
      need_not_refuse_(keeps_existing_ || request.options.backup == Backup::kNumbered),
      preserves_links_(request.options.preserve.links) {}

bool NameTable::Admit(TopLevelSource* source, const struct statx& stat,
                      Reporter* reporter) {
  const auto [it, is_new] = names_.try_emplace(
      has_parents_ ? WithoutDots(source->target_name) : source->target_name,
      Seen{DeviceOf(stat), stat.stx_ino, source->is_directory, source->source});
  if (has_several_) sources_.insert({DeviceOf(stat), stat.stx_ino});
  const Seen& seen = it->second;
  const bool same_file = seen.device == DeviceOf(stat) && seen.inode == stat.stx_ino;
  // Another hard link to the same file is another source.
  const bool is_named_again =
      source->is_directory
          ? !is_new && same_file
          : !backs_up_ && (has_parents_ ? IsNamedAgain(*source, stat)
                                        : !is_new && same_file &&
                                              AreInOneDirectory(kernel_, seen.source,
                                                                source->source));
  if (is_named_again) {
    reporter->Warn(absl::StrCat("warning: source ",
                                source->is_directory ? "directory " : "file ",
                                Quote(source->source), " specified more than once"));
    return false;
  }
  if (is_new) {
    if (has_several_ && MayMeet(*source)) source->collides = true;
    return true;
  }
  source->collides = true;
  // If nothing that exists is replaced, nothing is overwritten anyway, so a copy that
  // exists already is no mistake.
  source->must_not_overwrite =
      !source->is_directory && !seen.is_directory && !need_not_refuse_;
  return true;
}

bool NameTable::IsNamedAgain(const TopLevelSource& source, const struct statx& stat) {
  if (!has_several_) return false;
  std::vector<std::string>& names = files_[{DeviceOf(stat), stat.stx_ino}];
  const bool is_again =
      std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return LastPart(name) == LastPart(source.source) &&
               AreInOneDirectory(kernel_, name, source.source);
      });
  if (!is_again) names.push_back(source.source);
  return is_again;
}

void NameTable::AdmitParents(TopLevelSource* source) {
  if (!has_several_) return;
  std::string path;
  std::string as_typed;
  const std::vector<PathPart> parts = PartsOf(source->target_name);
  for (int i = 0; i < source->parents; ++i) {
    const std::string_view name = parts[i].name;
    as_typed = JoinPath(as_typed, name);
    if (name == ".") continue;
    path = JoinPath(path, name);
    // Where ".." leads to depends on links; and to other targets there are now two ways,
    // if one of them leads through it.
    if (name == ".." || MayMeetAsParent(path, as_typed)) merged_ = true;
  }
  if (merged_) source->collides = true;
}

bool NameTable::MayMeetAsParent(const std::string& path, const std::string& as_typed) {
  const auto [it, is_new] = parent_names_.try_emplace(path, as_typed);
  if (!is_new) return it->second != as_typed;
  if (names_.contains(path)) return true;
  if (!lower_names_.insert(absl::AsciiStrToLower(path)).second) return true;
  const ParentTable::Parent& there = parents_->Find(as_typed);
  const std::pair<dev_t, ino_t> identity = {there.device, there.inode};
  return there.kind == ParentTable::Kind::kDirectory &&
         (!parent_directories_.insert(identity).second || targets_.contains(identity));
}

bool NameTable::MayMeet(const TopLevelSource& source) {
  // The contents of such a source go right into the target, or into a directory that has
  // another name, where they may meet any other source.
  const std::string_view name = LastPart(source.target_name);
  const bool merges = name == "." || name == "..";
  bool may_meet = merged_ || (merges && names_.size() > 1);
  merged_ = merged_ || merges;
  const bool is_parent =
      has_parents_ && parent_names_.contains(WithoutDots(source.target_name));
  // Many file systems take names for one that differ only in case. (Only ASCII letters
  // are compared, because the case of other letters depends on the file system.)
  if (!lower_names_.insert(absl::AsciiStrToLower(source.target_name)).second) {
    may_meet = true;
  }
  const bool is_known = source.is_directory ? HasKnownDirectory(source.target_name)
                                            : HasKnownFile(source.target_name);
  // What was or will be copied into a parent is in the way of other sources, too.
  if (has_parents_ && (may_meet || is_known || is_parent)) merged_ = true;
  return may_meet || is_known || is_parent;
}

bool NameTable::HasKnownDirectory(const std::string& name) {
  struct statx stat;
  if (kernel_->Stat(target_fd_, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat) != 0 ||
      !S_ISDIR(stat.stx_mode)) {
    return false;
  }
  has_directory_ = true;
  return !targets_.insert({DeviceOf(stat), stat.stx_ino}).second ||
         parent_directories_.contains({DeviceOf(stat), stat.stx_ino});
}

bool NameTable::HasKnownFile(const std::string& name) {
  if (keeps_existing_) return false;
  struct statx stat;
  if (kernel_->Stat(target_fd_, name.c_str(), 0, &stat) != 0) {
    // A dangling link may lead to where a later source will be copied.
    const bool is_link =
        kernel_->Stat(target_fd_, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
        S_ISLNK(stat.stx_mode);
    merged_ = merged_ || is_link;
    return is_link;
  }
  if (S_ISDIR(stat.stx_mode)) return false;
  // Nothing is written to a file with several links then: each of its names gets a new
  // file instead.
  if (preserves_links_ && stat.stx_nlink > 1) return false;
  return !targets_.insert({DeviceOf(stat), stat.stx_ino}).second;
}

bool NameTable::MayReadTargets(const std::vector<TopLevelSource>& sources) {
  const auto is_target = [this](const auto& source) { return targets_.contains(source); };
  if (std::any_of(sources_.begin(), sources_.end(), is_target)) return true;
  if (!has_directory_) return false;
  absl::flat_hash_set<std::string> looked_at;
  return std::any_of(sources.begin(), sources.end(), [&](const TopLevelSource& source) {
    if (source.only_parents) return false;
    // A link that is followed may lead anywhere, whatever directory it is in.
    struct statx link;
    if (source.follow &&
        kernel_->Stat(AT_FDCWD, source.source.c_str(), AT_SYMLINK_NOFOLLOW, &link) == 0 &&
        S_ISLNK(link.stx_mode)) {
      return true;
    }
    const std::string directory = DirectoryOf(source.source);
    return looked_at.insert(directory).second && IsBelowTarget(directory);
  });
}

bool NameTable::IsBelowTarget(const std::string& directory) {
  std::string path = directory;
  struct statx below = {};
  for (int depth = 0; depth < kDepthMax; ++depth) {
    struct statx stat;
    if (kernel_->Stat(AT_FDCWD, path.c_str(), 0, &stat) != 0) return false;
    if (targets_.contains({DeviceOf(stat), stat.stx_ino})) return true;
    if (depth > 0 && SameFile(stat, below)) return false;  // The root directory.
    below = stat;
    path += "/..";
  }
  return false;
}

}  // namespace ringcp
