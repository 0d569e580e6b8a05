#include "agent/connection_acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "core/base/check.h"

namespace ringcp {
namespace {

// How long to pause if a connection is waiting but there is no room or descriptor for it.
constexpr std::chrono::milliseconds kPause{50};

// What each client of HTTP/2 says first (RFC 9113, 3.4).
constexpr std::string_view kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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

std::vector<pollfd> ConnectionAcceptor::Polled(SteadyTime now) const {
  std::vector<pollfd> polled = {{stop_, POLLIN, 0}};
  const bool is_paused = now < paused_until_;
  for (const int fd : listening_) {
    polled.push_back({is_paused ? -1 : fd, POLLIN, 0});  // -1 is left out.
  }
  for (const Silent& silent : silent_) polled.push_back({silent.fd, POLLIN, 0});
  return polled;
}

int ConnectionAcceptor::PollMilliseconds(SteadyTime now) const {
  if (silent_.empty() && now >= paused_until_) return -1;
  SteadyTime until = SteadyTime::max();
  if (!silent_.empty()) until = silent_.front().since + kSilenceMax;
  if (now < paused_until_) until = std::min(until, paused_until_);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now);
  return std::max(0, static_cast<int>(wait.count()));
}

void ConnectionAcceptor::Run() {
  while (true) {
    // One time for both, or a pause might end in between and nobody be listened to.
    const SteadyTime before = std::chrono::steady_clock::now();
    std::vector<pollfd> polled = Polled(before);
    const int timeout = PollMilliseconds(before);
    if (poll(polled.data(), polled.size(), timeout) < 0) {
      // The only other error is a temporary lack of memory in the kernel.
      if (errno != EINTR) std::this_thread::sleep_for(kPause);
      continue;
    }
    if (polled[0].revents != 0) break;
    const SteadyTime now = std::chrono::steady_clock::now();
    LookAtSilent(polled, now);
    for (size_t i = 0; i < listening_.size(); ++i) {
      if (polled[1 + i].revents != 0) AcceptOne(listening_[i], now);
    }
  }
  for (const Silent& silent : silent_) close(silent.fd);
}

void ConnectionAcceptor::LookAtSilent(const std::vector<pollfd>& polled, SteadyTime now) {
  std::deque<Silent> still_silent;
  for (size_t i = 0; i < silent_.size(); ++i) {
    const Silent& silent = silent_[i];
    if (polled[1 + listening_.size() + i].revents != 0) {
      TakeOrClose(silent.fd);
    } else if (now - silent.since >= kSilenceMax) {
      close(silent.fd);
    } else {
      still_silent.push_back(silent);
    }
  }
  silent_ = std::move(still_silent);
}

void ConnectionAcceptor::TakeOrClose(int fd) {
  std::array<char, kGreeting.size()> said;
  const ssize_t size = recv(fd, said.data(), said.size(), MSG_PEEK | MSG_DONTWAIT);
  struct stat stat;
  if (size < static_cast<ssize_t>(said.size()) ||
      std::string_view(said.data(), said.size()) != kGreeting || fstat(fd, &stat) != 0) {
    close(fd);
    return;
  }
  connections_.push_back({fd, stat.st_dev, stat.st_ino});
  take_(fd);
}

bool ConnectionAcceptor::HasRoom(SteadyTime now) {
  if (connections_.size() + silent_.size() < connections_max_) return true;
  std::erase_if(connections_, [](const Connection& connection) {
    struct stat stat;
    return fstat(connection.fd, &stat) != 0 || stat.st_dev != connection.device ||
           stat.st_ino != connection.inode;
  });
  if (connections_.size() + silent_.size() < connections_max_) return true;
  if (silent_.empty() || now - silent_.front().since < kSilenceInNeed) return false;
  close(silent_.front().fd);
  silent_.pop_front();
  return true;
}

void ConnectionAcceptor::AcceptOne(int listening, SteadyTime now) {
  if (!HasRoom(now)) {
    paused_until_ = now + kPause;
    return;
  }
  const int fd = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    silent_.push_back({fd, now});
  } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
    // The other errors mean that the client is gone already.
    paused_until_ = now + kPause;
  }
}

}  // namespace ringcp
