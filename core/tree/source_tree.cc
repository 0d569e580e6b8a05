#include "core/tree/source_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"

namespace ringcp {
namespace {

// Opens the directory `source`, whose name is a path, and looks at it anew: by now the
// name may lead to another one. Returns a descriptor or -errno.
int OpenGiven(Kernel* kernel, SourceDirectory* source) {
  const int fd = kernel->Open(source->fd, source->name.c_str(), O_PATH | O_DIRECTORY);
  if (fd < 0) return fd;
  const int32_t result = kernel->Stat(fd, &source->stat);
  if (result == 0) return fd;
  kernel->Close(fd);
  return result;
}

}  // namespace

SourceTree::Opened SourceTree::Open(Kernel* kernel, Directory* directory) {
  SourceDirectory& source = directory->source;
  const SourceDirectory& parent = directory->parent->source;
  const int fd = source.OpenToRead(kernel, parent);
  if (fd >= 0) {
    source.fd = fd;
    const int32_t result = kernel->Stat(fd, &source.stat);
    if (result == 0) {
      source.file_system = file_systems_->FindBeneath(parent.file_system, kernel, fd,
                                                      DeviceOf(source.stat));
      if (directory->is_root) source.root_device = DeviceOf(source.stat);
      return Opened::kToBeRead;
    }
    failures_->Add(MakeFileError(Operation::kStat, SourcePath(*directory), -result));
    return Opened::kFailed;
  }
  const int open_error = -fd;
  if ((open_error == ENOTDIR || open_error == ELOOP) && !source.looked_at) {
    return Opened::kIsNoDirectory;
  }
  // What can't be read can be looked at, unless there is no descriptor left even for
  // that.
  const int path_fd =
      kernel->Open(parent.fd, source.name.c_str(), O_PATH | source.no_follow());
  const int flags = source.follow ? 0 : AT_SYMLINK_NOFOLLOW;
  const int32_t result =
      path_fd >= 0 ? kernel->Stat(path_fd, &source.stat)
                   : kernel->Stat(parent.fd, source.name.c_str(), flags, &source.stat);
  if (path_fd >= 0) source.fd = path_fd;
  if (result != 0) {
    kernel->CloseIfOpen(&source.fd);
    failures_->Add(MakeFileError(Operation::kStat, SourcePath(*directory), -result));
    return Opened::kFailed;
  }
  failures_->Add(
      MakeFileError(Operation::kAccessDirectory, SourcePath(*directory), open_error));
  if (directory->is_root) source.root_device = DeviceOf(source.stat);
  // As in GNU cp, a directory that can't be read gets an empty copy.
  if (S_ISDIR(source.stat.stx_mode)) return Opened::kUnreadable;
  kernel->CloseIfOpen(&source.fd);
  return Opened::kFailed;
}

bool SourceTree::LookAtGiven(Kernel* kernel, Directory* directory) {
  SourceDirectory& source = directory->source;
  const int32_t result =
      kernel->Stat(source.fd, source.name.c_str(), /*flags=*/0, &source.stat);
  if (result == 0 && S_ISDIR(source.stat.stx_mode)) return true;
  failures_->AddForAll(*directory,
                       MakeFileError(Operation::kLookAtParent, SourcePath(*directory),
                                     result == 0 ? ENOTDIR : -result));
  return false;
}

bool SourceTree::IsCycle(const Directory& directory) {
  for (const Directory* above = directory.parent; !above->names_sources();
       above = above->parent) {
    if (!SameFile(above->source.stat, directory.source.stat)) continue;
    const std::string path = SourcePath(directory);
    failures_->Add(MakeRefusal(
        path, absl::StrCat("cannot copy cyclic symbolic link ", Quote(path))));
    return true;
  }
  return false;
}

bool SourceTree::IsLeftOut(const Directory& directory) const {
  return one_file_system_ &&
         DeviceOf(directory.source.stat) != directory.source.root_device;
}

std::unique_ptr<SourceAttributes> SourceTree::LookAtAttributes(Kernel* kernel,
                                                               const Preserve& preserve,
                                                               Directory* directory) {
  SourceDirectory& source = directory->source;
  const bool is_given = directory->given != nullptr;
  Preserve kept = preserve;
  // As in GNU cp, directories above a source get no other extended attributes.
  if (is_given) kept.xattrs = Xattrs::kNone;
  if (!kept.looks_at_attributes()) return nullptr;
  const int fd = is_given ? OpenGiven(kernel, &source) : source.fd;
  auto attributes = std::make_unique<SourceAttributes>();
  if (fd < 0) {
    // Its ACLs may deny what its mode grants. Of a directory that is copied with its
    // contents it has been told that it could not be opened.
    attributes->NoteUnreadable(kept, source.stat.stx_mode, is_given ? -fd : 0);
  } else {
    attributes->Start(kept, FileRef::Descriptor(fd), source.stat.stx_mode);
    LookBy(attributes.get(), [kernel](const Op& op) { return kernel->Do(op); });
  }
  if (is_given && fd >= 0) kernel->Close(fd);
  if (is_given) attributes->ForgetUnread();
  if (preserve.mode) source.stat.stx_mode = attributes->stx_mode_without_acl();
  const bool counts = attributes->any() || attributes->has_looked_at_label();
  return counts ? std::move(attributes) : nullptr;
}

}  // namespace ringcp
