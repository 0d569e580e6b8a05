#include "tests/simulation/sim_process.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "tests/simulation/sim_file.h"

namespace ringcp {
namespace {

// The lower ones are the standard streams.
constexpr int kFirstDescriptor = 3;

bool Writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

}  // namespace

bool SimOpenFile::is_path() const { return (flags & O_PATH) != 0; }
bool SimOpenFile::can_read() const {
  return !is_path() && (flags & O_ACCMODE) != O_WRONLY;
}
bool SimOpenFile::can_write() const { return !is_path() && Writes(flags); }

SimOpenFile::~SimOpenFile() {
  if (inode == nullptr || !S_ISFIFO(inode->mode)) return;
  inode->readers -= can_read() ? 1 : 0;
  inode->writers -= can_write() ? 1 : 0;
  if (inode->readers + inode->writers == 0) inode->pipe.clear();
}

InodePtr SimProcess::Start(int directory) const {
  if (directory == AT_FDCWD) return files_->root();
  const OpenFilePtr file = Get(directory);
  return file == nullptr ? nullptr : file->inode;
}

OpenFilePtr SimProcess::Get(int fd) const {
  const auto it = descriptors_.find(fd);
  if (it != descriptors_.end()) return it->second;
  ++wild_uses_;
  return nullptr;
}

int SimProcess::Install(OpenFilePtr file) {
  if (is_full()) return -EMFILE;
  int fd = kFirstDescriptor;
  for (const auto& [used, other] : descriptors_) {
    if (used != fd) break;
    ++fd;
  }
  descriptors_[fd] = std::move(file);
  return fd;
}

int32_t SimProcess::Flush(const OpenFilePtr& file) {
  if (!file->can_write() || file->inode->error_at_close == 0) return 0;
  return -std::exchange(file->inode->error_at_close, 0);
}

int32_t SimProcess::Close(int fd) {
  const OpenFilePtr file = Get(fd);
  if (file == nullptr) return -EBADF;
  descriptors_.erase(fd);
  return Flush(file);
}

int32_t SimProcess::Open(int directory, std::string_view path, int flags, mode_t mode,
                         OpenFilePtr* opened) {
  if ((flags & O_PATH) != 0) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const bool creates = (flags & O_CREAT) != 0;
  const bool excludes = creates && (flags & O_EXCL) != 0;
  if (creates && (flags & O_DIRECTORY) != 0) return -EINVAL;
  const InodePtr start = path.starts_with('/') ? files_->root() : Start(directory);
  const bool follow = !excludes && (flags & O_NOFOLLOW) == 0;
  InodePtr inode;
  SimFileSystem::Place place;
  // If a file is to be made, Linux refuses a slash after its name before looking it up.
  SimFileSystem::Place last;
  int links = 0;
  if (creates && files_->WalkToLast(start, path, &links, &last) == 0 && last.has_slash &&
      last.is_plain()) {
    return -EISDIR;
  }
  int32_t result = files_->Find(start, path, follow, &inode, &place);
  const bool is_missing = result == -ENOENT && place.directory != nullptr &&
                          place.is_plain() && inode == nullptr;
  if (is_missing && creates) {
    if (place.has_slash) return -EISDIR;
    result = files_->Make(place, S_IFREG | (mode & 07777), &inode);
  }
  if (result != 0) return result;
  return OpenExisting(inode, is_missing, place.has_slash, flags,
                      files_->PathOf(place.directory, place.name), opened);
}

int32_t SimProcess::OpenExisting(const InodePtr& inode, bool is_created,
                                 bool must_be_directory, int flags, std::string path,
                                 OpenFilePtr* opened) {
  const bool creates = (flags & O_CREAT) != 0;
  if (creates && !is_created) {
    if ((flags & O_EXCL) != 0) return -EEXIST;
    if (inode->is_directory()) return -EISDIR;
  }
  if ((must_be_directory || (flags & O_DIRECTORY) != 0) && !inode->is_directory()) {
    return -ENOTDIR;
  }
  const auto file = std::make_shared<SimOpenFile>();
  file->path = std::move(path);
  file->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW | O_DIRECTORY);
  if ((flags & O_PATH) == 0) {
    const bool changes = Writes(flags) || (flags & O_TRUNC) != 0;
    if (inode->is_link()) return -ELOOP;
    if (inode->is_directory() && changes) return -EISDIR;
    // No driver stands behind the devices here.
    if (S_ISSOCK(inode->mode) || S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
      return -ENXIO;
    }
    if (S_ISFIFO(inode->mode)) {
      const bool waits = inode->readers == 0 && (flags & O_ACCMODE) == O_WRONLY;
      if (waits) return -ENXIO;  // No reader could ever come meanwhile.
      inode->readers += Writes(flags) && (flags & O_ACCMODE) == O_WRONLY ? 0 : 1;
      if (inode->writers == 0) file->writers_seen = inode->writers_ever;
      inode->writers += Writes(flags) ? 1 : 0;
      inode->writers_ever += Writes(flags) ? 1 : 0;
    }
    if ((flags & O_DIRECT) != 0 && !S_ISFIFO(inode->mode) &&
        (!inode->is_regular() || inode->mount->traits.direct_alignment == 0)) {
      return -EINVAL;
    }
    if ((flags & O_TRUNC) != 0 && inode->is_regular() && !is_created) {
      const int32_t result = SetContentsSize(files_, inode.get(), 0);
      if (result != 0) return result;
    }
  }
  if (file->can_write()) inode->is_copied_up = true;
  file->inode = inode;
  *opened = file;
  return 0;
}

}  // namespace ringcp
