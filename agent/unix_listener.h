// A listening unix socket that only its owner can connect to. The socket's file has mode
// 0600 from the moment it exists. A file left behind by a dead agent is replaced; any
// other file at the path is never touched.
//
// Thread-safety: one thread at a time, except that any thread may call fd().

#ifndef RINGCP_AGENT_UNIX_LISTENER_H_
#define RINGCP_AGENT_UNIX_LISTENER_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace ringcp {

class UnixListener {
 public:
  // Connections that may wait to be accepted: what a second may bring.
  static constexpr int kBacklog = 1024;

  // Listens on a new socket at `path`, an absolute path as SocketPath() returns it. With
  // `make_directory`, makes its directory first if that is missing (mode 0700; the parent
  // must exist).
  // ALREADY_EXISTS: another agent is listening there, or the file there is not a socket.
  // PERMISSION_DENIED: others than this user and root can replace what is in its
  // directory. Other statuses name the path and the reason.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Listen(const std::string& path,
                                                              bool make_directory);

  // Closes the socket and removes its file, unless another file is there by now.
  ~UnixListener();

  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  // The listening socket; it does not block.
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  struct File {
    dev_t device;
    ino_t inode;
  };

  UnixListener(std::string path, int fd);

  const std::string path_;
  const int fd_;
  // Identifies the socket's file; nothing before the file is made.
  std::optional<File> file_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_UNIX_LISTENER_H_
