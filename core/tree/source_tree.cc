#include "core/tree/source_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"
#include "core/file/file_acls.h"

namespace ringcp {
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
  const int flags = source.follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (const int32_t result =
          kernel->Stat(parent.fd, source.name.c_str(), flags, &source.stat);
      result != 0) {
    failures_->Add(MakeFileError(Operation::kStat, SourcePath(*directory), -result));
    return Opened::kFailed;
  }
  failures_->Add(
      MakeFileError(Operation::kAccessDirectory, SourcePath(*directory), open_error));
  if (directory->is_root) source.root_device = DeviceOf(source.stat);
  // As in GNU cp, a directory that can't be read gets an empty copy.
  return S_ISDIR(source.stat.stx_mode) ? Opened::kUnreadable : Opened::kFailed;
}

bool SourceTree::IsCycle(const Directory& directory) {
  for (const Directory* above = directory.parent; !above->is_top();
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

mode_t SourceTree::ModeToKeep(Kernel* kernel, const Directory& directory) {
  int fd = directory.source.fd;
  if (fd < 0) {  // It could not be opened for reading.
    fd = kernel->Open(directory.parent->source.fd, directory.source.name.c_str(),
                      O_PATH | O_DIRECTORY | directory.source.no_follow());
  }
  const mode_t mode = directory.source.stat.stx_mode & kAllModeBits;
  struct statx stat;
  const bool is_it =
      fd >= 0 && (fd == directory.source.fd || (kernel->Stat(fd, &stat) == 0 &&
                                                SameFile(stat, directory.source.stat)));
  const SourceAccess access =
      is_it ? LookAtAccess(kernel, fd, mode) : SourceAccess{.mode = mode};
  if (fd >= 0 && fd != directory.source.fd) kernel->Close(fd);
  if (access.is_more_than_mode) {
    failures_->reporter()->WarnOfAccessLeftOut(SourcePath(directory));
  }
  return access.mode;
}

}  // namespace ringcp
