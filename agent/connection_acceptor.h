// Accepts connections on listening sockets and hands each one on, from a thread of its
// own, when its client begins to speak HTTP/2, which gRPC's clients do at once. The
// number of connections is limited, so that they never use up the descriptors that the
// rest of the process needs; further clients wait until another client leaves. One that
// says nothing takes up room for a few seconds only, and none that anybody else needs.
//
// Thread-safety: made and destroyed by one thread; the acceptor's thread calls `take`.

#ifndef RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
#define RINGCP_AGENT_CONNECTION_ACCEPTOR_H_

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"

namespace ringcp {

class ConnectionAcceptor {
 public:
  // A client that has said nothing for this time is no client of gRPC.
  static constexpr std::chrono::milliseconds kSilenceMax{5000};
  // If there is no room, one that has said nothing for this time makes way for the next
  // one. It is far more than a client needs on a busy machine.
  static constexpr std::chrono::milliseconds kSilenceInNeed{200};

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

  // A connection whose client has said nothing yet.
  struct Silent {
    int fd;
    SteadyTime since;
  };

  ConnectionAcceptor(std::vector<int> listening, int connections_max,
                     std::function<void(int fd)> take, int stop);

  void Run();
  // What to wait for: the end, clients that wait to be accepted, and then, in their
  // order, those that have said nothing yet.
  std::vector<pollfd> Polled(SteadyTime now) const;
  // For how long at most; -1: for any time.
  int PollMilliseconds(SteadyTime now) const;
  // Looks at the silent connections, as far as `polled` says that something has come.
  void LookAtSilent(const std::vector<pollfd>& polled, SteadyTime now);
  // Hands `fd` on if its client begins as one of HTTP/2 does, and otherwise closes it.
  void TakeOrClose(int fd);
  // Accepts one connection from `listening`, if one is waiting.
  void AcceptOne(int listening, SteadyTime now);
  // Whether one more connection may be accepted; makes room if it can.
  bool HasRoom(SteadyTime now);

  const std::vector<int> listening_;
  const size_t connections_max_;
  const std::function<void(int fd)> take_;
  // An eventfd that becomes readable when the acceptor has to stop.
  const int stop_;
  // Used by the acceptor's thread only.
  std::vector<Connection> connections_;
  std::deque<Silent> silent_;  // The oldest one first.
  // There was no room, descriptor or memory for a connection; not before this time are
  // further ones accepted. Without the pause the thread would spin.
  SteadyTime paused_until_;
  std::thread thread_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_CONNECTION_ACCEPTOR_H_
