// A listening unix socket that only its owner can connect to. The socket's file has mode
// 0600 from the moment it exists, a file that a dead agent left behind is replaced, and
// nothing else that lies at the path ever is.
//
// Thread-safety: one thread at a time, but for fd(), which any thread may call.

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
  // Connections that wait to be accepted: as many as the agent has watchers, twice.
  static constexpr int kBacklog = 128;

  // Listens on a new socket at `path`, an absolute path as SocketPath() returns it. With
  // `make_directory` the directory it lies in is made first where it is missing (mode
  // 0700; the one above it must exist).
  // ALREADY_EXISTS: another agent is listening there, or something that is no socket lies
  // there. Other statuses name the path and the reason.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Listen(const std::string& path,
                                                              bool make_directory);

  // Closes the socket and removes its file, unless another file is there by now.
  ~UnixListener();

  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  // The listening socket; not blocking.
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
  // The socket's file, to know it again; nothing before it is made.
  std::optional<File> file_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_UNIX_LISTENER_H_
