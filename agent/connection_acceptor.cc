#include "agent/connection_acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "core/base/check.h"

namespace ringcp {
namespace {

// How long to pause if a connection is waiting but there is no room or descriptor for it.
// Without the pause the thread would spin until another connection ends.
constexpr std::chrono::duration<int, std::milli> kPause{100};

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Start(
    std::vector<int> listening, int connections_max, std::function<void(int fd)> take) {
  RINGCP_CHECK(connections_max >= 1);
  const int stop = eventfd(0, EFD_CLOEXEC);
  if (stop < 0) return absl::ErrnoToStatus(errno, "cannot make an eventfd");
  return std::unique_ptr<ConnectionAcceptor>(new ConnectionAcceptor(
      std::move(listening), connections_max, std::move(take), stop));
}

ConnectionAcceptor::ConnectionAcceptor(std::vector<int> listening, int connections_max,
                                       std::function<void(int fd)> take, int stop)
    : listening_(std::move(listening)),
      connections_max_(static_cast<size_t>(connections_max)),
      take_(std::move(take)),
      stop_(stop),
      thread_([this] { Run(); }) {}

ConnectionAcceptor::~ConnectionAcceptor() {
  const uint64_t one = 1;
  RINGCP_CHECK(write(stop_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(stop_);
}

void ConnectionAcceptor::Run() {
  std::vector<pollfd> polled = {{stop_, POLLIN, 0}};
  for (const int fd : listening_) polled.push_back({fd, POLLIN, 0});
  while (true) {
    if (poll(polled.data(), polled.size(), /*timeout=*/-1) < 0) {
      // The only other error is a temporary lack of memory in the kernel.
      if (errno != EINTR) std::this_thread::sleep_for(kPause);
      continue;
    }
    if (polled[0].revents != 0) return;
    bool pause = false;
    for (size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents != 0 && !AcceptOne(polled[i].fd)) pause = true;
    }
    if (pause) poll(polled.data(), 1, kPause.count());
  }
}

void ConnectionAcceptor::ForgetClosed() {
  std::erase_if(connections_, [](const Connection& connection) {
    struct stat stat;
    return fstat(connection.fd, &stat) != 0 || stat.st_dev != connection.device ||
           stat.st_ino != connection.inode;
  });
}

bool ConnectionAcceptor::AcceptOne(int listening) {
  if (connections_.size() >= connections_max_) ForgetClosed();
  if (connections_.size() >= connections_max_) return false;
  const int fd = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    struct stat stat = {};
    if (fstat(fd, &stat) == 0) connections_.push_back({fd, stat.st_dev, stat.st_ino});
    take_(fd);
    return true;
  }
  // The other errors mean that the client is gone already.
  return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS;
}

}  // namespace ringcp
