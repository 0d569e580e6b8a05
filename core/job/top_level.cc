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
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/old_target.h"
#include "core/job/name_table.h"
#include "core/job/parent_table.h"
#include "core/job/path_parts.h"
#include "core/job/top_level_errors.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"
#include "core/kernel/standard_streams.h"
#include "core/tree/directory.h"
#include "core/tree/target_directory.h"

namespace ringcp {
namespace {

absl::Status TargetError(const char* what, const std::string& target, int error_number) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " ", Quote(target), ": ", std::strerror(error_number)));
}

absl::Status NoDirectoryForParents() {
  return absl::InvalidArgumentError(
      "with --parents, the destination must be a directory");
}

// Opens a directory; returns a descriptor or -errno. It is opened for reading because
// that asks an NFS server, and looks its name up again. O_PATH alone would open a
// directory from the cache that another client has removed and made anew, and everything
// done in it would fail with ESTALE.
int OpenDirectory(Kernel* kernel, const char* path) {
  const int fd = kernel->Open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (fd != -EACCES && fd != -EPERM) return fd;
  return kernel->Open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

// Looks at what `path` leads to; returns 0 or -errno.
int32_t LookAt(Kernel* kernel, const std::string& path, struct statx* stat,
               bool follow = true) {
  return kernel->Stat(AT_FDCWD, path.c_str(), follow ? 0 : AT_SYMLINK_NOFOLLOW, stat);
}

// Whether a target may be a directory although opening it as one failed with
// `error_number` (no descriptors left, or a server that does not answer). To copy over a
// directory instead of into it would lose what is in it.
bool MayBeDirectory(int error_number) {
  return error_number != ENOENT && error_number != ENOTDIR && error_number != ELOOP &&
         error_number != EACCES && error_number != ENAMETOOLONG;
}

// Whether `path` is a symbolic link to a directory that is followed because of the slash
// behind it.
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
  bool is_closed_stream = false;  // Such as /dev/stdout with `>&-`.
};

// Finds the directory to copy into.
absl::StatusOr<Place> FindPlace(Kernel* kernel, const CopyRequest& request,
                                Reporter* reporter) {
  Place place;
  const std::string& target = request.target;
  const TargetKind kind = request.options.target_kind;
  bool may_exist = true;
  // The path of the target's directory may be short enough to be opened, but then the
  // copy could not be found by the path that the user gave.
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
    if (request.options.parents) return NoDirectoryForParents();
    may_exist = place.top.target_fd != -ENOENT;
  } else if (request.options.parents) {
    return NoDirectoryForParents();
  } else if (IsLinkFollowedBySlash(kernel, target)) {
    // The copy goes right into the directory that the link leads to, whatever its name.
    place.top.target_fd = OpenDirectory(kernel, target.c_str());
    if (place.top.target_fd < 0) {
      return TargetError("target", target, -place.top.target_fd);
    }
    place.top.target_display = target;
    place.name = ".";
    return place;
  }
  struct statx existing;
  const int32_t looked = may_exist ? LookAt(kernel, target, &existing) : -ENOENT;
  const bool exists = looked == 0;
  // It can't even be looked at, though something may be there. A link that leads to
  // itself may be replaced.
  const bool may_be_replaced = looked == -ELOOP && !target.ends_with('/');
  bool is_hidden = !exists && looked != -ENOENT && !may_be_replaced;
  place.is_closed_stream = exists && IsClosedStream(existing);
  // The target is a directory that can't be opened. To copy over it instead of into it
  // would mix the copy with what is there.
  if (exists && S_ISDIR(existing.stx_mode) && kind != TargetKind::kNotDirectory) {
    return TargetError("target", target, -place.top.target_fd);
  }
  const std::string parent(DirectoryPart(target));
  place.name = LastPart(target);
  place.top.target_display = parent;
  if (place.name.empty() && !target.empty()) place.name = ".";
  place.top.target_fd = OpenDirectory(kernel, parent.empty() ? "." : parent.c_str());
  if (place.top.target_fd == -ELOOP) is_hidden = true;
  if (place.top.target_fd < 0 || place.name.empty() || is_hidden) {
    // The message says what kind of file could not be made, and that depends on the
    // source.
    const int error_number = place.name.empty() ? ENOENT : -place.top.target_fd;
    kernel->CloseIfOpen(&place.top.target_fd);
    struct statx stat;
    const std::string& source = request.sources.front();
    const bool follow = FollowsNamedLinks(request.options);
    if (const int32_t result = LookAt(kernel, source, &stat, follow); result != 0) {
      return absl::FailedPreconditionError(
          MakeFileError(Operation::kStat, source, -result).message);
    }
    const Operation operation =
        is_hidden ? Operation::kStat : MakingOperation(stat.stx_mode, request.options);
    if (S_ISDIR(stat.stx_mode) && !request.options.recursive) {
      return absl::FailedPreconditionError(
          absl::StrCat("-r not specified; omitting directory ", Quote(source)));
    }
    if (!is_hidden && !S_ISDIR(stat.stx_mode) && reporter->wants_copied()) {
      reporter->Begun(source, target, /*backup=*/"");
    }
    return absl::FailedPreconditionError(
        MakeFileError(operation, target, is_hidden ? -looked : error_number, source)
            .message);
  }
  // With -f and --backup a file that is copied onto itself gets a copy beside it.
  if (request.options.force && request.options.backup != Backup::kNone && exists &&
      S_ISREG(existing.stx_mode) && target == request.sources.front()) {
    BackupName backup;
    const int32_t result =
        FindBackupName(kernel, place.top.target_fd, place.name, request.options.backup,
                       request.options.backup_suffix, &backup);
    if (result != 0) return TargetError("target", target, -result);
    place.name = std::move(backup.name);
    place.top.is_backup = true;
  }
  return place;
}

// Whether `path`, whose `stat` was taken with `follow`, would not exist if the standard
// streams that this process was started without were still closed: for example /dev/stdin
// if it is followed, or /dev/fd/0 as a link.
bool IsOfClosedStream(Kernel* kernel, const std::string& path, bool follow,
                      const struct statx& stat) {
  if (follow) return IsClosedStream(stat);
  struct statx followed;
  if (!S_ISLNK(stat.stx_mode) || LookAt(kernel, path, &followed) != 0 ||
      !IsClosedStream(followed)) {
    return false;
  }
  // A link to such a link, like /dev/stdin, exists in any case.
  FileSystemStat file_system;
  return StatFileSystemAt(kernel, AT_FDCWD, path.c_str(), /*follow=*/false,
                          &file_system) == 0 &&
         file_system.magic == PROC_SUPER_MAGIC;
}

EntryKind KindOf(mode_t mode, bool recursive) {
  if (S_ISREG(mode)) return EntryKind::kRegular;
  if (S_ISLNK(mode)) return EntryKind::kSymlink;
  return recursive ? EntryKind::kSpecial : EntryKind::kStream;
}

// Fills in what `source` is, by its `stat`. Returns false, after reporting why, if it
// can't be copied.
bool FillIn(Kernel* kernel, const CopyRequest& request, const Place& place,
            const struct statx& stat, TopLevelSource* source, Reporter* reporter) {
  const CopyOptions& options = request.options;
  const std::string& path = source->source;
  if (IsOfClosedStream(kernel, path, source->follow, stat)) {
    reporter->Report(MakeFileError(Operation::kStat, path, ENOENT));
    return false;
  }
  source->is_directory = S_ISDIR(stat.stx_mode);
  if (source->is_directory && !options.recursive) {
    reporter->Report(MakeRefusal(
        path, absl::StrCat("-r not specified; omitting directory ", Quote(path))));
    return false;
  }
  if (place.is_closed_stream && !source->is_directory) {
    reporter->Report({.refusal = Refusal::kTargetDangling, .on_target = true}, path,
                     request.target);
    return false;
  }
  if (!place.name.empty() && request.target.ends_with('/')) {
    source->target_shown =
        absl::StrCat(std::string(WithoutTrailingSlashes(request.target)), "/");
    struct statx existing;
    const int32_t result = LookAt(kernel, request.target, &existing);
    if (result != 0 && result != -ENOENT) {
      reporter->Report(MakeFileError(Operation::kStat, request.target, -result));
      return false;
    }
    struct statx link;
    const std::string name(WithoutTrailingSlashes(request.target));
    const bool is_dangling =
        result != 0 && LookAt(kernel, name, &link, /*follow=*/false) == 0;
    if (!source->is_directory || is_dangling) {
      ReportNamedAsDirectory(
          request, path, stat,
          {.existing = result == 0 ? &existing : nullptr, .is_dangling = is_dangling},
          reporter);
      return false;
    }
  }
  if (!source->is_directory) {
    source->kind = KindOf(stat.stx_mode, options.recursive && !options.copy_contents);
  }
  if (S_ISREG(stat.stx_mode)) source->size_bytes = stat.stx_size;
  return true;
}

// The directories above sources, by their paths below the target.
class GivenDirectories {
 public:
  explicit GivenDirectories(Walk* walk) : walk_(walk) {}

  // The directory that `source` is given in; adds what is missing on the way to it.
  Directory* ParentOf(const TopLevelSource& source) {
    Directory* directory = walk_->top();
    if (source.parents == 0) return directory;
    std::string path;
    const std::vector<PathPart> parts = PartsOf(source.source);
    for (int i = 0; i < source.parents; ++i) {
      path = JoinPath(path, parts[i].name);
      Directory*& added = added_[path];
      if (added == nullptr) added = walk_->AddGiven(directory, New(parts[i]));
      directory = added;
      if (source.makes_parents) directory->target->keeps_own_attributes = false;
      if (!source.only_parents) ++directory->given->sources;
    }
    return directory;
  }

 private:
  static std::unique_ptr<Directory> New(const PathPart& part) {
    auto directory = std::make_unique<Directory>();
    directory->source.name = part.path;
    directory->source.follow = true;
    directory->target = std::make_unique<TargetDirectory>();
    directory->target->name = part.name;
    directory->target->keeps_own_attributes = true;
    return directory;
  }

  Walk* const walk_;
  absl::flat_hash_map<std::string, Directory*> added_;
};

}  // namespace

std::string NameInTarget(std::string_view source, bool parents) {
  if (!parents) {
    // The contents of the root directory, or of "..", go right into the target.
    const std::string_view last = LastPart(source);
    return last.empty() || last == ".." ? "." : std::string(last);
  }
  std::string name;
  for (const PathPart& part : PartsOf(source)) name = JoinPath(name, part.name);
  return name.empty() ? "." : name;
}

bool FollowsLinks(const CopyOptions& options) {
  return options.dereference == Dereference::kAlways ||
         (options.dereference == Dereference::kDefault &&
          (!options.recursive || options.makes == Makes::kHardLinks));
}

bool FollowsNamedLinks(const CopyOptions& options) {
  return FollowsLinks(options) || options.dereference == Dereference::kCommandLine;
}

absl::StatusOr<TopLevel> ResolveTopLevel(Kernel* kernel, const CopyRequest& request,
                                         Reporter* reporter) {
  const CopyOptions& options = request.options;
  absl::StatusOr<Place> place = FindPlace(kernel, request, reporter);
  if (!place.ok()) return place.status();
  TopLevel top = std::move(place->top);
  ParentTable parents(kernel, top.target_fd, top.target_display, options);
  NameTable names(kernel, top.target_fd, request, &parents);
  const bool strips = options.strip_trailing_slashes && place->name.empty();
  for (const std::string& named : request.sources) {
    const std::string path = strips ? std::string(WithoutTrailingSlashes(named)) : named;
    TopLevelSource source;
    source.source = path;
    source.follow = FollowsNamedLinks(options);
    source.target_name =
        place->name.empty() ? NameInTarget(path, options.parents) : place->name;
    struct statx stat;
    const int32_t looked = LookAt(kernel, path, &stat, source.follow);
    bool is_copied = true;
    if (options.parents) {
      is_copied = parents.Admit(&source, looked == 0, reporter);
      names.AdmitParents(&source);
    }
    if (is_copied && looked != 0) {
      reporter->Report(MakeFileError(Operation::kStat, path, -looked));
    }
    is_copied = is_copied && looked == 0 &&
                FillIn(kernel, request, *place, stat, &source, reporter) &&
                names.Admit(&source, stat, reporter);
    source.only_parents = !is_copied;
    if (is_copied || source.parents > 0) top.sources.push_back(std::move(source));
  }
  if (names.MayReadTargets(top.sources)) {
    for (TopLevelSource& source : top.sources) source.collides = true;
  }
  return top;
}

void AddToWalk(const std::vector<TopLevelSource>& sources, Walk* walk) {
  GivenDirectories given(walk);
  for (const TopLevelSource& source : sources) {
    Directory* const parent = given.ParentOf(source);
    if (source.only_parents) continue;
    // Its own name, which is all of it unless it has parents.
    std::string name(source.parents > 0 ? LastPart(source.target_name)
                                        : std::string_view(source.target_name));
    if (!source.is_directory) {
      walk->AddEntry(parent, {.kind = source.kind,
                              .follow = source.follow,
                              .source_name = source.source,
                              .target_name = std::move(name)});
      continue;
    }
    auto root = std::make_unique<Directory>();
    root->source.name = source.source;
    root->target = std::make_unique<TargetDirectory>();
    root->target->name = std::move(name);
    if (!source.target_shown.empty()) {
      root->target->shown = std::make_unique<const std::string>(source.target_shown);
    }
    root->source.follow = source.follow;
    walk->AddRoot(parent, std::move(root));
  }
}

}  // namespace ringcp
