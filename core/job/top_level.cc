#include "core/job/top_level.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_identity.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"
#include "core/kernel/standard_streams.h"

namespace ringcp {
namespace {

std::string_view WithoutTrailingSlashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

// The last part of a path; "" for "/" and "".
std::string_view LastPart(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  return path.substr(path.rfind('/') + 1);
}

// The directory that the last part of `path` is in, as typed: "" for a bare name.
std::string_view DirectoryPart(std::string_view path) {
  path = WithoutTrailingSlashes(path);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return slash == 0 ? "/" : WithoutTrailingSlashes(path.substr(0, slash));
}

absl::Status TargetError(const char* what, const std::string& target, int error_number) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " ", Quote(target), ": ", std::strerror(error_number)));
}

// With O_PATH alone nobody asks a server: a directory that another client has removed
// and made anew opens from the cache, and all that is done in it ends with ESTALE (NFS).
// Opening it for reading asks, and looks its name up again.
// A descriptor or -errno.
int OpenDirectory(Kernel* kernel, const char* path) {
  const int fd = kernel->Open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (fd != -EACCES && fd != -EPERM) return fd;
  return kernel->Open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

// Looks at what `path` leads to; 0 or -errno.
int32_t LookAt(Kernel* kernel, const std::string& path, struct statx* stat,
               bool follow = true) {
  return kernel->Stat(AT_FDCWD, path.c_str(), follow ? 0 : AT_SYMLINK_NOFOLLOW, stat);
}

// Whether what could not be opened as a directory with `error_number` may be one all the
// same (no descriptors, a server that does not answer): to copy over it, instead of into
// it, would lose what is in it.
bool MayBeDirectory(int error_number) {
  return error_number != ENOENT && error_number != ENOTDIR && error_number != ELOOP &&
         error_number != EACCES && error_number != ENAMETOOLONG;
}

// What makes the copy of something of this mode.
Operation MakingOperation(mode_t mode, bool recursive) {
  if (S_ISDIR(mode)) return Operation::kMakeDirectory;
  if (S_ISLNK(mode)) return Operation::kMakeSymlink;
  if (S_ISREG(mode) || !recursive) return Operation::kCreate;
  return S_ISFIFO(mode) ? Operation::kMakeFifo : Operation::kMakeSpecial;
}

// Whether `path` is a symbolic link to a directory, followed because of a slash behind
// it.
bool IsLinkFollowedBySlash(Kernel* kernel, const std::string& path) {
  const std::string name(WithoutTrailingSlashes(path));
  struct statx link;
  struct statx directory;
  return path.ends_with('/') && LookAt(kernel, name, &link, /*follow=*/false) == 0 &&
         S_ISLNK(link.stx_mode) && LookAt(kernel, path, &directory) == 0 &&
         S_ISDIR(directory.stx_mode);
}

struct Place {
  TopLevel top;
  std::string name;  // The copy's own name in it; "" to copy under the sources' names.
  bool is_closed_stream = false;  // As /dev/stdout with `>&-`.
};

// Finds the directory to copy into.
absl::StatusOr<Place> FindPlace(Kernel* kernel, const CopyRequest& request) {
  Place place;
  const std::string& target = request.target;
  const TargetKind kind = request.options.target_kind;
  bool may_exist = true;
  // Its directory alone may be short enough: then it would be found by another name.
  if (target.size() >= PATH_MAX) return TargetError("target", target, ENAMETOOLONG);
  if (kind != TargetKind::kNotDirectory) {
    place.top.target_fd = OpenDirectory(kernel, target.c_str());
    if (place.top.target_fd >= 0) {
      place.top.target_display = target;
      return place;
    }
    if (kind == TargetKind::kDirectory) {
      return TargetError("target directory", target, -place.top.target_fd);
    }
    if (request.sources.size() > 1 || MayBeDirectory(-place.top.target_fd)) {
      return TargetError("target", target, -place.top.target_fd);
    }
    may_exist = place.top.target_fd != -ENOENT;
  } else if (IsLinkFollowedBySlash(kernel, target)) {
    // The copy is the directory that it leads to, which has another name.
    place.top.target_fd = OpenDirectory(kernel, target.c_str());
    if (place.top.target_fd < 0) {
      return TargetError("target", target, -place.top.target_fd);
    }
    place.top.target_display = target;
    place.name = ".";
    return place;
  }
  struct statx existing;
  const bool exists = may_exist && LookAt(kernel, target, &existing) == 0;
  place.is_closed_stream = exists && IsClosedStream(existing);
  // To copy over it, instead of into it, would mix the copy with what is there.
  if (exists && S_ISDIR(existing.stx_mode) && kind != TargetKind::kNotDirectory) {
    return TargetError("target", target, -place.top.target_fd);
  }
  const std::string parent(DirectoryPart(target));
  place.name = LastPart(target);
  place.top.target_display = parent;
  if (place.name.empty() && !target.empty()) place.name = ".";
  place.top.target_fd = OpenDirectory(kernel, parent.empty() ? "." : parent.c_str());
  if (place.top.target_fd < 0 || place.name.empty()) {
    // The message names what could not be made, and how depends on the source.
    const int error_number = place.name.empty() ? ENOENT : -place.top.target_fd;
    struct statx stat;
    const std::string& source = request.sources.front();
    const bool follow = FollowsNamedLinks(request.options);
    if (const int32_t result = LookAt(kernel, source, &stat, follow); result != 0) {
      return absl::FailedPreconditionError(
          MakeFileError(Operation::kStat, source, -result).message);
    }
    const Operation operation = MakingOperation(stat.stx_mode, request.options.recursive);
    if (S_ISDIR(stat.stx_mode) && !request.options.recursive) {
      return absl::FailedPreconditionError(
          absl::StrCat("-r not specified; omitting directory ", Quote(source)));
    }
    return absl::FailedPreconditionError(
        MakeFileError(operation, target, error_number).message);
  }
  return place;
}

// Whether `path`, of which `stat` was taken with `follow`, would not exist if the
// standard streams that this process was started without were still closed: /dev/stdin
// followed, or /dev/fd/0 as a link.
bool IsOfClosedStream(Kernel* kernel, const std::string& path, bool follow,
                      const struct statx& stat) {
  if (follow) return IsClosedStream(stat);
  struct statx followed;
  if (!S_ISLNK(stat.stx_mode) || LookAt(kernel, path, &followed) != 0 ||
      !IsClosedStream(followed)) {
    return false;
  }
  // A link to that link, such as /dev/stdin, is there in any case.
  FileSystemStat file_system;
  return StatFileSystemAt(kernel, AT_FDCWD, path.c_str(), /*follow=*/false,
                          &file_system) == 0 &&
         file_system.magic == PROC_SUPER_MAGIC;
}

// Tells that a target named with a slash behind it can't be the copy of a source that is
// no directory and has this mode; unless nothing is to be done (-n).
void ReportNamedAsDirectory(Kernel* kernel, const CopyRequest& request,
                            const std::string& source, mode_t mode, Reporter* reporter) {
  const std::string& target = request.target;
  struct statx existing;
  const int error_number = -LookAt(kernel, target, &existing);
  if (error_number == 0 && request.options.no_clobber) return;
  const Operation operation = MakingOperation(mode, request.options.recursive);
  if (error_number == 0 && S_ISDIR(existing.stx_mode)) {
    reporter->Report(RefusedTarget(Refusal::kTargetIsDirectory), source, target);
  } else if (error_number == ENOENT && operation != Operation::kCreate) {
    reporter->Report(MakeFileError(operation, target, ENOENT));
  } else {
    reporter->Report(MakeFileError(Operation::kCreate, target, ENOTDIR));
  }
}

EntryKind KindOf(mode_t mode, bool recursive) {
  if (S_ISREG(mode)) return EntryKind::kRegular;
  if (S_ISLNK(mode)) return EntryKind::kSymlink;
  return recursive ? EntryKind::kSpecial : EntryKind::kStream;
}

// Whether two paths are in one directory.
bool AreInOneDirectory(Kernel* kernel, const std::string& a, const std::string& b) {
  const std::string in_a(DirectoryPart(a));
  const std::string in_b(DirectoryPart(b));
  struct statx stat_a;
  struct statx stat_b;
  return in_a == in_b || (LookAt(kernel, in_a.empty() ? "." : in_a, &stat_a) == 0 &&
                          LookAt(kernel, in_b.empty() ? "." : in_b, &stat_b) == 0 &&
                          SameFile(stat_a, stat_b));
}

// Sorts sources out by the names they come to.
class NameTable {
 public:
  // `target_fd`: the directory that they are names in.
  NameTable(Kernel* kernel, int target_fd, const CopyRequest& request)
      : kernel_(kernel),
        target_fd_(target_fd),
        has_several_(request.sources.size() > 1),
        no_clobber_(request.options.no_clobber),
        preserves_links_(request.options.preserve.links) {}

  // Whether `source` is to be copied; says why not, and marks collisions.
  bool Admit(TopLevelSource* source, const struct statx& stat, Reporter* reporter) {
    const auto [it, is_new] = names_.try_emplace(
        source->target_name,
        Seen{DeviceOf(stat), stat.stx_ino, source->is_directory, source->source});
    if (is_new) {
      source->collides = has_several_ && MayMeet(*source);
      return true;
    }
    const Seen& seen = it->second;
    const bool same_file = seen.device == DeviceOf(stat) && seen.inode == stat.stx_ino;
    // Another hard link of a file is another source.
    if (same_file && (source->is_directory ||
                      AreInOneDirectory(kernel_, seen.source, source->source))) {
      reporter->Warn(absl::StrCat("warning: source ",
                                  source->is_directory ? "directory " : "file ",
                                  Quote(source->source), " specified more than once"));
      return false;
    }
    source->collides = true;
    // What is there already is no mistake where nothing is to be overwritten anyway.
    source->must_not_overwrite =
        !source->is_directory && !seen.is_directory && !no_clobber_;
    return true;
  }

 private:
  // Whether one with a new name may come to where an earlier one does.
  bool MayMeet(const TopLevelSource& source) {
    // What is in it comes right into the target, whatever the others are called.
    const bool merges = source.target_name == ".";
    bool may_meet = merged_ || (merges && names_.size() > 1);
    merged_ = merged_ || merges;
    // Many file systems take names for one that differ in case only. (Letters other than
    // ASCII's are left out: what they are depends on the file system.)
    if (!lower_names_.insert(absl::AsciiStrToLower(source.target_name)).second) {
      may_meet = true;
    }
    const bool is_known = source.is_directory ? HasKnownDirectory(source.target_name)
                                              : HasKnownFile(source.target_name);
    return may_meet || is_known;
  }

  // Different names may lead to one directory that is there, by mounts.
  bool HasKnownDirectory(const std::string& name) {
    struct statx stat;
    return kernel_->Stat(target_fd_, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
           S_ISDIR(stat.stx_mode) &&
           !targets_.insert({DeviceOf(stat), stat.stx_ino}).second;
  }

  // ... or to one file, by hard or symbolic links.
  bool HasKnownFile(const std::string& name) {
    if (no_clobber_) return false;
    struct statx stat;
    if (kernel_->Stat(target_fd_, name.c_str(), 0, &stat) != 0) {
      // What a link leads to that leads nowhere yet may be what a later source becomes.
      const bool is_link =
          kernel_->Stat(target_fd_, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
          S_ISLNK(stat.stx_mode);
      merged_ = merged_ || is_link;
      return is_link;
    }
    if (S_ISDIR(stat.stx_mode)) return false;
    // Nothing is written to it then: each of its names is given a file of its own.
    if (preserves_links_ && stat.stx_nlink > 1) return false;
    return !targets_.insert({DeviceOf(stat), stat.stx_ino}).second;
  }

  struct Seen {
    dev_t device;
    ino_t inode;
    bool is_directory;
    std::string source;
  };
  Kernel* const kernel_;
  const int target_fd_;
  const bool has_several_;  // More than one source will be admitted.
  const bool no_clobber_;
  const bool preserves_links_;
  absl::flat_hash_map<std::string, Seen> names_;
  absl::flat_hash_set<std::string> lower_names_;
  absl::flat_hash_set<std::pair<dev_t, ino_t>> targets_;  // That are there.
  bool merged_ = false;  // All that follow may come to where an earlier one does.
};

}  // namespace

std::string NameInDirectory(std::string_view source) {
  const std::string_view name = LastPart(source);
  // The root directory, or a way up: what is in it goes right into the target.
  return name.empty() || name == ".." ? "." : std::string(name);
}

bool FollowsLinks(const CopyOptions& options) {
  return options.dereference == Dereference::kAlways ||
         (options.dereference == Dereference::kDefault && !options.recursive);
}

bool FollowsNamedLinks(const CopyOptions& options) {
  return FollowsLinks(options) || options.dereference == Dereference::kCommandLine;
}

absl::StatusOr<TopLevel> ResolveTopLevel(Kernel* kernel, const CopyRequest& request,
                                         Reporter* reporter) {
  const CopyOptions& options = request.options;
  absl::StatusOr<Place> place = FindPlace(kernel, request);
  if (!place.ok()) return place.status();
  TopLevel top = std::move(place->top);
  const bool follow = FollowsNamedLinks(options);
  NameTable names(kernel, top.target_fd, request);
  for (const std::string& path : request.sources) {
    TopLevelSource source;
    source.source = path;
    source.follow = follow;
    source.target_name = place->name.empty() ? NameInDirectory(path) : place->name;
    const bool named_as_directory = !place->name.empty() && request.target.ends_with('/');
    if (named_as_directory) {
      source.target_shown =
          absl::StrCat(std::string(WithoutTrailingSlashes(request.target)), "/");
    }
    struct statx stat;
    if (const int32_t result = LookAt(kernel, path, &stat, follow); result != 0) {
      reporter->Report(MakeFileError(Operation::kStat, path, -result));
      continue;
    }
    if (IsOfClosedStream(kernel, path, follow, stat)) {
      reporter->Report(MakeFileError(Operation::kStat, path, ENOENT));
      continue;
    }
    source.is_directory = S_ISDIR(stat.stx_mode);
    if (source.is_directory && !options.recursive) {
      reporter->Report(MakeRefusal(
          path, absl::StrCat("-r not specified; omitting directory ", Quote(path))));
      continue;
    }
    if (place->is_closed_stream && !source.is_directory) {
      reporter->Report({.refusal = Refusal::kTargetDangling, .on_target = true}, path,
                       request.target);
      continue;
    }
    if (!source.is_directory && named_as_directory) {
      ReportNamedAsDirectory(kernel, request, path, stat.stx_mode, reporter);
      continue;
    }
    if (!source.is_directory) source.kind = KindOf(stat.stx_mode, options.recursive);
    if (S_ISREG(stat.stx_mode)) source.size_bytes = stat.stx_size;
    if (!names.Admit(&source, stat, reporter)) continue;
    top.sources.push_back(std::move(source));
  }
  return top;
}

void AddToWalk(const std::vector<TopLevelSource>& sources, Walk* walk) {
  for (const TopLevelSource& source : sources) {
    if (!source.is_directory) {
      walk->AddEntry(source.kind, source.follow, source.source, source.target_name);
      continue;
    }
    auto root = std::make_unique<Directory>();
    root->source_name = source.source;
    root->target_name = source.target_name;
    if (!source.target_shown.empty()) {
      root->target_shown = std::make_unique<const std::string>(source.target_shown);
    }
    root->follow = source.follow;
    walk->AddRoot(std::move(root));
  }
}

}  // namespace ringcp
