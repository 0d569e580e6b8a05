// Accepts connections on listening sockets and hands each one on, from a thread of its
// own. The number of connections is limited, so that idle ones never use up the
// descriptors that the rest of the process needs; further clients wait until another
// client leaves.
//
// Thread-safety: made and destroyed by one thread; the acceptor's thread calls `take`.

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
  // Accepts on `listening`, which are non-blocking sockets that outlive the acceptor, at
  // most `connections_max` connections at the same time. `take` gets each connection as a
  // non-blocking descriptor, and owns it. Fails only if there is no descriptor left.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Start(
      std::vector<int> listening, int connections_max, std::function<void(int fd)> take);

  // Returns after the last call of `take` has returned.
  ~ConnectionAcceptor();

  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

 private:
  // A connection that was handed on. Its new owner closes it without telling the
  // acceptor, which therefore checks whether the descriptor still leads to the same file.
  struct Connection {
    int fd;
    dev_t device;
    ino_t inode;
  };

  ConnectionAcceptor(std::vector<int> listening, int connections_max,
                     std::function<void(int fd)> take, int stop);

  void Run();
  // Accepts one connection from `listening`, if one is waiting. Returns false if there is
  // no room, descriptor or memory for it at the moment.
  bool AcceptOne(int listening);
  void ForgetClosed();

  const std::vector<int> listening_;
  const size_t connections_max_;
  const std::function<void(int fd)> take_;
  // An eventfd that becomes readable when the acceptor has to stop.
  const int stop_;
  // Used by the acceptor's thread only.
  std::vector<Connection> connections_;
  std::thread thread_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
