// slow_file_system BELOW MOUNT_POINT MILLISECONDS: a file system in user space that
// passes everything through to the directory BELOW, but lets each request wait so long
// before it is carried out, as a server far away would. Up to 256 requests wait beside
// each other. It writes "mounted" to standard output, and runs until it is unmounted.
//
// What it has in common with many network file systems, and what programs have to cope
// with: nothing is known for longer than a second, no page of a file is kept from one
// open to the next, a directory's listing tells types but no sizes, and there are neither
// extended attributes nor holes nor preallocation. In one directory one name is looked up
// at a time. Release and forget do not wait: no program waits for them.
//
// The mount is for its own user, who is root: rights are not checked a second time.

#define FUSE_USE_VERSION 31

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace ringcp {
namespace {

// Requests that wait at a time: a thread for each. Of those that no program waits for
// (read-ahead), the kernel sends as many.
constexpr int kRequestsMax = 256;
// For so long the kernel need not ask again for names and attributes.
constexpr double kKnownSeconds = 1.0;
constexpr int kMillisecondsMax = 10'000;

// The directory that everything is passed through to.
int below = -1;

// `path` as seen from `below`. It has no link in it but perhaps the last name, which no
// call here follows.
const char* NameBelow(const char* path) { return path[1] == '\0' ? "." : path + 1; }

int ResultOf(int64_t result) { return result < 0 ? -errno : static_cast<int>(result); }

int DescriptorOf(const fuse_file_info* info) { return static_cast<int>(info->fh); }

DIR* DirectoryOf(const fuse_file_info* info) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): libfuse keeps numbers only.
  return reinterpret_cast<DIR*>(info->fh);
}

// With `info` the file is open, and `path` may be null.

int GetAttributes(const char* path, struct stat* stat, fuse_file_info* info) {
  return ResultOf(info != nullptr
                      ? fstat(DescriptorOf(info), stat)
                      : fstatat(below, NameBelow(path), stat, AT_SYMLINK_NOFOLLOW));
}

int ReadLink(const char* path, char* buffer, size_t size) {
  const ssize_t length = readlinkat(below, NameBelow(path), buffer, size - 1);
  if (length < 0) return -errno;
  buffer[length] = '\0';
  return 0;
}

int MakeNode(const char* path, mode_t mode, dev_t device) {
  return ResultOf(mknodat(below, NameBelow(path), mode, device));
}

int MakeDirectory(const char* path, mode_t mode) {
  return ResultOf(mkdirat(below, NameBelow(path), mode));
}

int Unlink(const char* path) { return ResultOf(unlinkat(below, NameBelow(path), 0)); }

int RemoveDirectory(const char* path) {
  return ResultOf(unlinkat(below, NameBelow(path), AT_REMOVEDIR));
}

int MakeSymlink(const char* target, const char* path) {
  return ResultOf(symlinkat(target, below, NameBelow(path)));
}

int Rename(const char* from, const char* to, unsigned flags) {
  return ResultOf(renameat2(below, NameBelow(from), below, NameBelow(to), flags));
}

int MakeLink(const char* existing, const char* path) {
  return ResultOf(linkat(below, NameBelow(existing), below, NameBelow(path), 0));
}

int ChangeMode(const char* path, mode_t mode, fuse_file_info* info) {
  return ResultOf(info != nullptr
                      ? fchmod(DescriptorOf(info), mode)
                      : fchmodat(below, NameBelow(path), mode, AT_SYMLINK_NOFOLLOW));
}

int ChangeOwner(const char* path, uid_t user, gid_t group, fuse_file_info* info) {
  return ResultOf(info != nullptr ? fchown(DescriptorOf(info), user, group)
                                  : fchownat(below, NameBelow(path), user, group,
                                             AT_SYMLINK_NOFOLLOW));
}

int ChangeTimes(const char* path, const timespec times[2], fuse_file_info* info) {
  return ResultOf(info != nullptr
                      ? futimens(DescriptorOf(info), times)
                      : utimensat(below, NameBelow(path), times, AT_SYMLINK_NOFOLLOW));
}

int Truncate(const char* path, off_t size, fuse_file_info* info) {
  if (info != nullptr) return ResultOf(ftruncate(DescriptorOf(info), size));
  const int fd = openat(below, NameBelow(path), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int result = ResultOf(ftruncate(fd, size));
  close(fd);
  return result;
}

int Create(const char* path, mode_t mode, fuse_file_info* info) {
  // The directory below need not know O_DIRECT, and its alignment is not ours.
  const int flags = (info->flags & ~O_DIRECT) | O_NOFOLLOW | O_CLOEXEC;
  const int fd = openat(below, NameBelow(path), flags, mode);
  if (fd < 0) return -errno;
  info->fh = static_cast<uint64_t>(fd);
  return 0;
}

int Open(const char* path, fuse_file_info* info) { return Create(path, 0, info); }

int Read(const char*, char* buffer, size_t size, off_t offset, fuse_file_info* info) {
  return ResultOf(pread(DescriptorOf(info), buffer, size, offset));
}

int Write(const char*, const char* buffer, size_t size, off_t offset,
          fuse_file_info* info) {
  return ResultOf(pwrite(DescriptorOf(info), buffer, size, offset));
}

// There is nothing to flush; but a close waits for the answer.
int Flush(const char*, fuse_file_info*) { return 0; }

int Sync(const char*, int, fuse_file_info* info) {
  return ResultOf(fsync(DescriptorOf(info)));
}

int Release(const char*, fuse_file_info* info) {
  return ResultOf(close(DescriptorOf(info)));
}

int OpenDirectory(const char* path, fuse_file_info* info) {
  const int fd =
      openat(below, NameBelow(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -errno;
  DIR* const directory = fdopendir(fd);
  if (directory == nullptr) {
    const int result = -errno;
    close(fd);
    return result;
  }
  info->fh = reinterpret_cast<uint64_t>(directory);
  return 0;
}

// libfuse keeps the whole listing and asks for it once, and again after a rewind.
int ReadDirectory(const char*, void* buffer, fuse_fill_dir_t fill, off_t,
                  fuse_file_info* info, fuse_readdir_flags) {
  DIR* const directory = DirectoryOf(info);
  rewinddir(directory);
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(directory);
    if (entry == nullptr) return -errno;
    struct stat stat = {};
    stat.st_ino = entry->d_ino;
    stat.st_mode = DTTOIF(entry->d_type);
    if (fill(buffer, entry->d_name, &stat, 0, fuse_fill_dir_flags{}) != 0) return -ENOMEM;
  }
}

int ReleaseDirectory(const char*, fuse_file_info* info) {
  return ResultOf(closedir(DirectoryOf(info)));
}

int GetSpace(const char*, struct statvfs* space) {
  return ResultOf(fstatvfs(below, space));
}

void* Begin(fuse_conn_info* connection, fuse_config* config) {
  connection->max_background = kRequestsMax;
  connection->congestion_threshold = kRequestsMax;
  // Requests come into memory, where their kind can be read, and never in a pipe.
  connection->want &= ~FUSE_CAP_SPLICE_READ;
  // Some versions of libfuse ask for the second and others do not. What is measured is
  // not to depend on that.
  connection->want &= ~(FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS);
  config->use_ino = 1;
  config->attr_timeout = config->entry_timeout = kKnownSeconds;
  // What is done to an open file needs no name.
  config->nullpath_ok = 1;
  return nullptr;
}

fuse_operations Operations() {
  fuse_operations operations = {};
  operations.getattr = GetAttributes;
  operations.readlink = ReadLink;
  operations.mknod = MakeNode;
  operations.mkdir = MakeDirectory;
  operations.unlink = Unlink;
  operations.rmdir = RemoveDirectory;
  operations.symlink = MakeSymlink;
  operations.rename = Rename;
  operations.link = MakeLink;
  operations.chmod = ChangeMode;
  operations.chown = ChangeOwner;
  operations.truncate = Truncate;
  operations.open = Open;
  operations.read = Read;
  operations.write = Write;
  operations.statfs = GetSpace;
  operations.flush = Flush;
  operations.release = Release;
  operations.fsync = Sync;
  operations.opendir = OpenDirectory;
  operations.readdir = ReadDirectory;
  operations.releasedir = ReleaseDirectory;
  operations.init = Begin;
  operations.create = Create;
  operations.utimens = ChangeTimes;
  return operations;
}

// Whether a program may be waiting for what this request asks for.
bool Waits(const fuse_buf& request) {
  fuse_in_header header;
  memcpy(&header, request.mem, sizeof(header));
  switch (header.opcode) {
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
    case FUSE_INIT:
    case FUSE_DESTROY:
      return false;
    default:
      return true;
  }
}

// Takes one request and carries it out. False once the file system is unmounted.
bool ServeOne(fuse_session* session, std::chrono::milliseconds wait, fuse_buf* request) {
  const int size = fuse_session_receive_buf(session, request);
  if (size == -EINTR) return true;
  if (size <= 0) return false;
  if (Waits(*request)) std::this_thread::sleep_for(wait);
  fuse_session_process_buf(session, request);
  return fuse_session_exited(session) == 0;
}

void Serve(fuse_session* session, std::chrono::milliseconds wait) {
  fuse_buf request = {};
  while (ServeOne(session, wait, &request)) {
  }
  free(request.mem);
}

// Serves until the file system is unmounted. False if it has never begun.
bool ServeAll(fuse_session* session, std::chrono::milliseconds wait) {
  // The first request settles how large the others may be, and with that libfuse's
  // buffers.
  fuse_buf first = {};
  const bool has_begun = ServeOne(session, wait, &first);
  free(first.mem);
  if (!has_begun) return false;
  puts("mounted");
  fflush(stdout);
  std::vector<std::thread> threads;
  threads.reserve(kRequestsMax);
  for (int i = 0; i < kRequestsMax; ++i) threads.emplace_back(Serve, session, wait);
  for (std::thread& thread : threads) thread.join();
  return true;
}

int Main(int count, char** arguments) {
  const std::string_view wait = count == 4 ? arguments[3] : "";
  int milliseconds = -1;
  const auto [end, error] =
      std::from_chars(wait.data(), wait.data() + wait.size(), milliseconds);
  if (error != std::errc() || end != wait.data() + wait.size() || milliseconds < 0 ||
      milliseconds > kMillisecondsMax) {
    fprintf(stderr, "usage: %s BELOW MOUNT_POINT MILLISECONDS\n", arguments[0]);
    return 2;
  }
  // With who started it; the mount is then one that only fails, and can be removed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(0);  // The kernel has taken the programs' own from the modes that come here.
  below = open(arguments[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (below < 0) {
    fprintf(stderr, "%s: %s: %s\n", arguments[0], arguments[1], strerror(errno));
    return 1;
  }
  fuse_args libfuse_arguments = FUSE_ARGS_INIT(1, arguments);
  const fuse_operations operations = Operations();
  fuse* const fuse =
      fuse_new(&libfuse_arguments, &operations, sizeof(operations), nullptr);
  if (fuse == nullptr || fuse_mount(fuse, arguments[2]) != 0) return 1;
  const bool has_served =
      ServeAll(fuse_get_session(fuse), std::chrono::milliseconds(milliseconds));
  fuse_unmount(fuse);
  fuse_destroy(fuse);
  fuse_opt_free_args(&libfuse_arguments);
  return has_served ? 0 : 1;
}

}  // namespace
}  // namespace ringcp

int main(int count, char** arguments) { return ringcp::Main(count, arguments); }
