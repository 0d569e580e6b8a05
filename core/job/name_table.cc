#include "core/job/name_table.h"

#include <fcntl.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/job/path_parts.h"

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
  return in_a == in_b || (kernel->Stat(AT_FDCWD, in_a.c_str(), 0, &stat_a) == 0 &&
                          kernel->Stat(AT_FDCWD, in_b.c_str(), 0, &stat_b) == 0 &&
                          SameFile(stat_a, stat_b));
}

// More steps up than the longest path has room for.
constexpr int kDepthMax = 2000;

}  // namespace

NameTable::NameTable(Kernel* kernel, int target_fd, const CopyRequest& request)
    : kernel_(kernel),
      target_fd_(target_fd),
      has_several_(request.sources.size() > 1),
      keeps_existing_(KeepsExisting(request.options.update)),
      backs_up_(request.options.backup != Backup::kNone),
      need_not_refuse_(keeps_existing_ || request.options.backup == Backup::kNumbered),
      preserves_links_(request.options.preserve.links) {}

bool NameTable::Admit(TopLevelSource* source, const struct statx& stat,
                      Reporter* reporter) {
  const auto [it, is_new] = names_.try_emplace(
      source->target_name,
      Seen{DeviceOf(stat), stat.stx_ino, source->is_directory, source->source});
  if (has_several_) sources_.insert({DeviceOf(stat), stat.stx_ino});
  if (is_new) {
    source->collides = has_several_ && MayMeet(*source);
    return true;
  }
  const Seen& seen = it->second;
  const bool same_file = seen.device == DeviceOf(stat) && seen.inode == stat.stx_ino;
  // Another hard link to the same file is another source.
  if (same_file && (source->is_directory || !backs_up_) &&
      (source->is_directory || AreInOneDirectory(kernel_, seen.source, source->source))) {
    reporter->Warn(absl::StrCat("warning: source ",
                                source->is_directory ? "directory " : "file ",
                                Quote(source->source), " specified more than once"));
    return false;
  }
  source->collides = true;
  // If nothing that exists is replaced, nothing is overwritten anyway, so a copy that
  // exists already is no mistake.
  source->must_not_overwrite =
      !source->is_directory && !seen.is_directory && !need_not_refuse_;
  return true;
}

bool NameTable::MayMeet(const TopLevelSource& source) {
  // The contents of such a source go right into the target, where they may meet any other
  // source.
  const bool merges = source.target_name == ".";
  bool may_meet = merged_ || (merges && names_.size() > 1);
  merged_ = merged_ || merges;
  // Many file systems take names for one that differ only in case. (Only ASCII letters
  // are compared, because the case of other letters depends on the file system.)
  if (!lower_names_.insert(absl::AsciiStrToLower(source.target_name)).second) {
    may_meet = true;
  }
  const bool is_known = source.is_directory ? HasKnownDirectory(source.target_name)
                                            : HasKnownFile(source.target_name);
  return may_meet || is_known;
}

bool NameTable::HasKnownDirectory(const std::string& name) {
  struct statx stat;
  if (kernel_->Stat(target_fd_, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat) != 0 ||
      !S_ISDIR(stat.stx_mode)) {
    return false;
  }
  has_directory_ = true;
  return !targets_.insert({DeviceOf(stat), stat.stx_ino}).second;
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
