// Accepts connections on listening sockets and hands each on, from a thread of its own.
// It keeps to a number of connections at a time, so that idle ones never take the files
// that the rest of the process counts on; further clients wait until another one leaves.
//
// Thread-safety: made and destroyed by one thread; `take` is called by the acceptor's.

#ifndef RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
#define RINGCP_AGENT_CONNECTION_ACCEPTOR_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace ringcp {

class ConnectionAcceptor {
 public:
  // Accepts on `listening`, sockets that don't block and outlive the acceptor, at most
  // `connections_max` connections at a time. `take` gets each of them, a descriptor that
  // doesn't block, and owns it. Fails only when there is no descriptor left.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Start(
      std::vector<int> listening, int connections_max, std::function<void(int fd)> take);

  // Returns once the last call of `take` has.
  ~ConnectionAcceptor();

  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

 private:
  // A connection that was handed on. Whoever took it closes it and doesn't say so, which
  // shows in that its descriptor is none any more, or another file's.
  struct Connection {
    int fd;
    dev_t device;
    ino_t inode;
  };

  ConnectionAcceptor(std::vector<int> listening, int connections_max,
                     std::function<void(int fd)> take, int stop);

  void Run();
  // Accepts one connection from `listening`, if there is one. Returns false when there is
  // no room, descriptor or memory for it now.
  bool AcceptOne(int listening);
  void ForgetClosed();

  const std::vector<int> listening_;
  const size_t connections_max_;
  const std::function<void(int fd)> take_;
  // An eventfd; readable once the acceptor is to stop.
  const int stop_;
  // The acceptor's thread alone uses it.
  std::vector<Connection> connections_;
  std::thread thread_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
