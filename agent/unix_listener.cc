#include "agent/unix_listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "proto/address.h"

namespace ringcp {
namespace {

constexpr mode_t kSocketMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

// How long to wait for a lock, which agents hold for a few system calls only.
constexpr std::chrono::milliseconds kLockWait{2000};
constexpr std::chrono::milliseconds kLockPoll{1};

// The status of a system call that failed with `error_number`: "PATH: WHAT: REASON".
absl::Status Failed(const std::string& path, const char* what, int error_number) {
  return absl::ErrnoToStatus(error_number, absl::StrCat(path, ": ", what));
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

sockaddr_un AddressOf(const std::string& path) {
  RINGCP_CHECK(path.size() <= kSocketPathBytesMax);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Others could put a socket of their own in place, or keep the agent from making its own.
// In a sticky directory (/tmp) they can at most be there first.
absl::Status RefuseOpenDirectory(const std::string& directory) {
  struct stat status;
  if (stat(directory.c_str(), &status) != 0) {
    return Failed(directory, "cannot look at the socket's directory", errno);
  }
  const bool is_open = (status.st_mode & 022) != 0 && (status.st_mode & S_ISVTX) == 0;
  const bool is_others = status.st_uid != geteuid() && status.st_uid != 0;
  if (!is_open && !is_others) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      directory,
      ": others can replace what is in this directory; listen in one that only "
      "you can write to (mkdir -m 700)"));
}

// While it lives, no other agent looks at the socket at `path` or changes it. So of two
// agents that start at the same time, one sees either none or all of the other's socket.
// The lock is a file that nobody else can open, and so nobody else can hold.
class SocketLock {
 public:
  static absl::StatusOr<std::unique_ptr<SocketLock>> Take(const std::string& path) {
    const std::string lock = path + ".lock";
    const auto give_up = std::chrono::steady_clock::now() + kLockWait;
    while (true) {
      const int fd =
          open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
               kSocketMode);
      if (fd < 0) return Failed(lock, "cannot open", errno);
      absl::Cleanup close_fd = [fd] { close(fd); };
      struct stat opened;
      if (fstat(fd, &opened) != 0) return Failed(lock, "cannot stat", errno);
      if (!S_ISREG(opened.st_mode) || opened.st_uid != geteuid() ||
          (opened.st_mode & 077) != 0) {
        return absl::PermissionDeniedError(
            absl::StrCat(lock, ": is not the agent's own; remove it"));
      }
      while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int error_number = errno;
        const bool in_time = std::chrono::steady_clock::now() < give_up;
        if ((error_number != EWOULDBLOCK || !in_time) && error_number != EINTR) {
          return Failed(lock, "cannot lock", error_number);
        }
        std::this_thread::sleep_for(kLockPoll);
      }
      // Whoever held it has removed it, and the next one has made another one.
      struct stat named;
      if (lstat(lock.c_str(), &named) == 0 && named.st_dev == opened.st_dev &&
          named.st_ino == opened.st_ino) {
        std::move(close_fd).Cancel();
        return std::unique_ptr<SocketLock>(new SocketLock(lock, fd));
      }
    }
  }

  ~SocketLock() {
    unlink(name_.c_str());
    close(fd_);
  }
  SocketLock(const SocketLock&) = delete;
  SocketLock& operator=(const SocketLock&) = delete;

 private:
  SocketLock(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}

  const std::string name_;
  const int fd_;
};

// Removes the file at `path` if it still is the given one, which the caller keeps open.
// If somebody else replaces the file between lstat() and unlink(), the new file is lost;
// those few microseconds can't be avoided, but other agents wait for the lock. Returns an
// errno, or 0 if the file no longer has that name.
int RemoveIfSame(const std::string& path, dev_t device, ino_t inode) {
  struct stat now;
  if (lstat(path.c_str(), &now) != 0) return errno == ENOENT ? 0 : errno;
  if (now.st_dev != device || now.st_ino != inode) return 0;
  return unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

// Makes `path` free for a new socket, unless another program's file is there.
absl::Status RemoveStaleSocket(const std::string& path) {
  // Kept open, so that no other file gets its inode number.
  const int file = open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) {
    return errno == ENOENT ? absl::OkStatus() : Failed(path, "cannot open", errno);
  }
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat status;
  if (fstat(file, &status) != 0) return Failed(path, "cannot stat", errno);
  if (!S_ISSOCK(status.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, ": not a socket, so it is left as it is"));
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Failed(path, "cannot make a socket", errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const sockaddr_un address = AddressOf(path);
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // EAGAIN: somebody listens, but the backlog is full.
  if (result == 0 || errno == EAGAIN) {
    return absl::AlreadyExistsError(
        absl::StrCat("another agent is listening on unix:", path));
  }
  if (errno != ECONNREFUSED) {
    return Failed(path, "cannot tell whether the socket there is in use", errno);
  }
  const int error_number = RemoveIfSame(path, status.st_dev, status.st_ino);
  if (error_number == 0) return absl::OkStatus();
  return Failed(path, "cannot remove the socket of an agent that is gone", error_number);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Listen(
    const std::string& path, bool make_directory) {
  if (make_directory && mkdir(ParentOf(path).c_str(), kDirectoryMode) != 0 &&
      errno != EEXIST) {
    return Failed(ParentOf(path), "cannot make the socket's directory", errno);
  }
  absl::Status status = RefuseOpenDirectory(ParentOf(path));
  if (!status.ok()) return status;
  // Declared before the lock, because its destructor takes the lock, too.
  std::unique_ptr<UnixListener> listener;
  const absl::StatusOr<std::unique_ptr<SocketLock>> lock = SocketLock::Take(path);
  if (!lock.ok()) return lock.status();
  status = RemoveStaleSocket(path);
  if (!status.ok()) return status;

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Failed(path, "cannot make a socket", errno);
  listener.reset(new UnixListener(path, fd));
  // On Linux bind() makes the file with the socket's own mode less the umask, so the file
  // never has another mode, and the umask, which other threads share, need not change.
  if (fchmod(fd, kSocketMode) != 0) return Failed(path, "cannot set the mode", errno);
  const sockaddr_un address = AddressOf(path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed(path, "cannot bind", errno);
  }
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) return Failed(path, "cannot stat", errno);
  if (!S_ISSOCK(file.st_mode)) {
    return absl::AbortedError(
        absl::StrCat(path, ": somebody has put another file in the socket's place"));
  }
  listener->file_ = {file.st_dev, file.st_ino};
  if ((file.st_mode & 0777 & ~kSocketMode) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": its file system does not keep the socket's mode"));
  }
  if (listen(fd, kBacklog) != 0) return Failed(path, "cannot listen", errno);
  return listener;
}

UnixListener::UnixListener(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

UnixListener::~UnixListener() {
  if (file_.has_value()) {
    // Goes on even without the lock, because the check below is then good enough.
    const absl::StatusOr<std::unique_ptr<SocketLock>> lock = SocketLock::Take(path_);
    // The open socket keeps its inode, so no other file gets the same number.
    RemoveIfSame(path_, file_->device, file_->inode);
  }
  close(fd_);
}

}  // namespace ringcp
