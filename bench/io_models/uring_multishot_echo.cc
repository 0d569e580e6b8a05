#include "bench/io_models/uring_multishot_echo.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/provided_buffers.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {
namespace {

// More than one message for each connection, so that the buffers seldom run out.
constexpr unsigned kBuffers = 256;

class UringMultishotEcho {
 public:
  UringMultishotEcho(int listener, int connections_max,
                     std::unique_ptr<ProvidedBuffers> buffers,
                     std::unique_ptr<Uring> uring)
      : listener_(listener),
        connections_max_(connections_max),
        buffers_(std::move(buffers)),
        uring_(std::move(uring)) {}

  // Accepts all connections. The accept stays under way until the ring is destroyed.
  absl::Status Accept() {
    QueueAccept();
    absl::Status status;
    while (status.ok() && static_cast<int>(connections_.size()) < connections_max_) {
      status = uring_->SubmitAndWait();
      if (!status.ok()) return status;
      uring_->TakeCompletions([&](const io_uring_cqe& completion) {
        if (completion.res >= 0) {
          connections_.push_back({.socket = Descriptor(completion.res)});
        } else if (completion.res != -EINTR) {
          status = Refusal("multishot accept", -completion.res);
        }
        if ((completion.flags & IORING_CQE_F_MORE) == 0) QueueAccept();
      });
    }
    return status;
  }

  // Serves the connections to their end. Continues even after a failure for as long as
  // the kernel uses its memory.
  absl::Status Serve() {
    for (size_t i = 0; i < connections_.size(); ++i) QueueReceive(i);
    absl::Status status;
    while (status.ok() && under_way_ > 0) {
      status = uring_->SubmitAndWait();
      uring_->TakeCompletions([this](const io_uring_cqe& completion) {
        const uint64_t index = completion.user_data / kKinds;
        if (completion.user_data % kKinds == kReceive) SettleReceive(index, completion);
        if (completion.user_data % kKinds == kSend) SettleSend(index, completion.res);
      });
    }
    return status.ok() ? failure_ : status;
  }

 private:
  // In user_data, beside the connection's index.
  enum Kind : uint64_t { kReceive, kSend, kAccept, kKinds };

  // What was received and not yet sent back.
  struct Piece {
    uint16_t buffer = 0;
    size_t begin = 0;
    size_t end = 0;
  };

  struct Connection {
    Descriptor socket;
    // The first piece is being sent. There is one send at a time, because two could
    // overtake each other.
    std::deque<Piece> pieces = {};
  };

  void QueueAccept() {
    io_uring_sqe* entry = uring_->NextEntry();
    io_uring_prep_multishot_accept(entry, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    entry->user_data = kAccept;
  }

  void QueueReceive(size_t index) {
    io_uring_sqe* entry = uring_->NextEntry();
    io_uring_prep_recv_multishot(entry, connections_[index].socket.get(), nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = ProvidedBuffers::kGroup;
    entry->user_data = index * kKinds + kReceive;
    ++under_way_;
  }

  void QueueSend(size_t index) {
    const Piece& piece = connections_[index].pieces.front();
    io_uring_sqe* entry = uring_->NextEntry();
    io_uring_prep_send(entry, connections_[index].socket.get(),
                       buffers_->data(piece.buffer) + piece.begin,
                       piece.end - piece.begin, MSG_NOSIGNAL);
    entry->user_data = index * kKinds + kSend;
    ++under_way_;
  }

  void SettleReceive(size_t index, const io_uring_cqe& completion) {
    const int result = completion.res;
    const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (!goes_on) --under_way_;
    if (result > 0) {
      std::deque<Piece>* pieces = &connections_[index].pieces;
      pieces->push_back(
          {.buffer = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT),
           .begin = 0,
           .end = static_cast<size_t>(result)});
      if (pieces->size() == 1) QueueSend(index);
    }
    if (goes_on) return;
    if (result == -ENOBUFS) {
      // The next send that ends returns a buffer; then the recv is queued again.
      starving_.push_back(index);
    } else if (result > 0 || result == -EINTR || result == -EAGAIN) {
      QueueReceive(index);
    } else if (result < 0 && result != -ECONNRESET) {
      Fail(index, Failure("multishot recv", -result));
    }
  }

  void SettleSend(size_t index, int result) {
    --under_way_;
    std::deque<Piece>* pieces = &connections_[index].pieces;
    Piece* piece = &pieces->front();
    if (result >= 0) piece->begin += static_cast<size_t>(result);
    const bool failed = result < 0 && result != -EINTR && result != -EAGAIN;
    if (failed) Fail(index, Failure("send", -result));
    if (failed || piece->begin == piece->end) {
      buffers_->Return(piece->buffer);
      pieces->pop_front();
      for (const size_t starving : std::exchange(starving_, {})) QueueReceive(starving);
    }
    if (!pieces->empty()) QueueSend(index);
  }

  void Fail(size_t index, absl::Status status) {
    failure_ = std::move(status);
    // Otherwise the client would wait for an echo that never comes.
    shutdown(connections_[index].socket.get(), SHUT_RDWR);
  }

  const int listener_;
  const int connections_max_;
  std::vector<Connection> connections_;
  std::vector<size_t> starving_;  // Those that found no buffer.
  int under_way_ = 0;             // Operations, without the accept.
  absl::Status failure_;
  const std::unique_ptr<ProvidedBuffers> buffers_;
  const std::unique_ptr<Uring> uring_;
};

}  // namespace

absl::Status ServeEchoByUringMultishot(EchoSession* session) {
  // Room for a recv and a send of each connection, and for the accept.
  const auto entries = static_cast<unsigned>(2 * session->connections() + 1);
  absl::StatusOr<std::unique_ptr<Uring>> uring =
      Uring::Create({.entries = entries, .completions = 4 * entries});
  if (!uring.ok()) return uring.status();
  absl::StatusOr<std::unique_ptr<ProvidedBuffers>> buffers =
      ProvidedBuffers::Create(kBuffers, uring->get());
  if (!buffers.ok()) return buffers.status();
  UringMultishotEcho echo(session->listener(), session->connections(),
                          *std::move(buffers), *std::move(uring));
  absl::Status status = echo.Accept();
  if (!status.ok()) return status;
  session->Begin();
  status = echo.Serve();
  session->End();
  return status;
}

}  // namespace ringcp::io_models
