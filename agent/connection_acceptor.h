// Accepts connections on listening sockets and hands each on, from a thread of its own.
//
// Thread-safety: made and destroyed by one thread; `take` is called by the acceptor's.

#ifndef RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
#define RINGCP_AGENT_CONNECTION_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace ringcp {

class ConnectionAcceptor {
 public:
  // Accepts on `listening`, sockets that don't block and outlive the acceptor. `take`
  // gets each connection, a descriptor that doesn't block, and owns it. Fails only when
  // there is no descriptor left.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Start(
      std::vector<int> listening, std::function<void(int fd)> take);

  // Returns once the last call of `take` has.
  ~ConnectionAcceptor();

  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

 private:
  ConnectionAcceptor(std::vector<int> listening, std::function<void(int fd)> take,
                     int stop);

  void Run();
  // Accepts one connection from `listening`, if there is one. Returns false when there is
  // no descriptor or memory for it now.
  bool AcceptOne(int listening) const;

  const std::vector<int> listening_;
  const std::function<void(int fd)> take_;
  // An eventfd; readable once the acceptor is to stop.
  const int stop_;
  std::thread thread_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
