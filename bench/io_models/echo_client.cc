#include "bench/io_models/echo_client.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/pattern.h"

namespace ringcp::io_models {
namespace {

class EchoClient {
 public:
  explicit EchoClient(const EchoRun& run)
      : run_(run),
        talks_(run.connections),
        nanoseconds_(run.connections * run.messages),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  absl::Status Connect(const sockaddr_in& server) {
    for (int i = 0; i < run_.connections; ++i) {
      Descriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (!connection.valid()) return Failure("client: socket", errno);
      if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&server),
                  sizeof(server)) != 0) {
        return Failure("client: connect", errno);
      }
      const int on = 1;
      setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      epoll_event event = {};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<uint32_t>(i);
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.get(), &event) != 0) {
        return Failure("client: epoll_ctl", errno);
      }
      talks_[i].connection = std::move(connection);
    }
    return absl::OkStatus();
  }

  absl::Status TalkToTheEnd() {
    int open = 0;
    for (int i = 0; i < run_.connections && run_.messages > 0; ++i, ++open) {
      absl::Status status = Send(i);
      if (!status.ok()) return status;
    }
    std::array<epoll_event, 64> events;
    while (open > 0) {
      const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      if (count < 0 && errno != EINTR) return Failure("client: epoll_wait", errno);
      for (int i = 0; i < count; ++i) {
        const auto index = static_cast<int>(events[i].data.u32);
        absl::Status status = Receive(index);
        if (!status.ok()) return status;
        if (!talks_[index].connection.valid()) --open;
      }
    }
    return absl::OkStatus();
  }

  std::vector<int64_t>* nanoseconds() { return &nanoseconds_; }

 private:
  struct Talk {
    Descriptor connection;
    int64_t message = 0;  // The number of the present message.
    size_t received = 0;  // Bytes of its echo so far.
    int64_t sent_at = 0;
    std::array<char, kMessageBytes> echo;
  };

  // The number of the present message among all messages of the run.
  int64_t NumberOf(int index) const {
    return index * run_.messages + talks_[index].message;
  }

  // Sends the next message. It fits, because everything before it has come back.
  absl::Status Send(int index) {
    Talk* talk = &talks_[index];
    std::array<char, kMessageBytes> message;
    FillPattern(run_.seed, NumberOf(index) * kMessageBytes, message.data(),
                message.size());
    talk->sent_at = NowNanoseconds();
    for (size_t sent = 0; sent < message.size();) {
      const ssize_t count = send(talk->connection.get(), message.data() + sent,
                                 message.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno != EINTR) return Failure("client: send", errno);
      if (count > 0) sent += static_cast<size_t>(count);
    }
    return absl::OkStatus();
  }

  absl::Status Receive(int index) {
    Talk* talk = &talks_[index];
    const ssize_t count = recv(talk->connection.get(), talk->echo.data() + talk->received,
                               talk->echo.size() - talk->received, MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return absl::OkStatus();
    if (count < 0) return Failure("client: recv", errno);
    if (count == 0) return absl::DataLossError("client: the server ended a connection");
    talk->received += static_cast<size_t>(count);
    if (talk->received < talk->echo.size()) return absl::OkStatus();

    const int64_t number = NumberOf(index);
    nanoseconds_[number] = NowNanoseconds() - talk->sent_at;
    if (!MatchesPattern(run_.seed, number * kMessageBytes, talk->echo.data(),
                        talk->echo.size())) {
      return absl::DataLossError(absl::StrCat("client: wrong echo of message ", number));
    }
    talk->received = 0;
    if (++talk->message < run_.messages) return Send(index);
    talk->connection.Close();
    return absl::OkStatus();
  }

  const EchoRun run_;
  std::vector<Talk> talks_;  // By connection.
  std::vector<int64_t> nanoseconds_;
  const Descriptor epoll_;
};

}  // namespace

absl::StatusOr<Measurement> RunEchoClient(const sockaddr_in& server, const EchoRun& run,
                                          int go) {
  EchoClient client(run);
  absl::Status status = client.Connect(server);
  if (!status.ok()) return status;
  char byte = 0;
  if (read(go, &byte, 1) != 1) return absl::CancelledError("the server did not begin");
  status = client.TalkToTheEnd();
  if (!status.ok()) return status;
  Measurement measurement;
  measurement.latency = Summarize(client.nanoseconds());
  return measurement;
}

}  // namespace ringcp::io_models
