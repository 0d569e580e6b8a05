#include "bench/io_models/uring_echo.h"

#include <sys/socket.h>

#include <climits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/relay.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {
namespace {

struct Variant {
  bool one_a_call = false;
  bool sqpoll = false;
};

class UringEcho {
 public:
  UringEcho(const std::vector<Descriptor>& connections, const Variant& variant,
            std::unique_ptr<Uring> uring)
      : variant_(variant), uring_(std::move(uring)) {
    relays_.reserve(connections.size());
    for (const Descriptor& connection : connections) {
      relays_.emplace_back(connection.get(), connection.get());
    }
  }

  // If a relay fails, it stops; the others continue to their end, because the kernel uses
  // their memory until then.
  absl::Status Run() {
    absl::Status status;
    for (size_t i = 0; i < relays_.size() && status.ok(); ++i) {
      Queue(i);
      if (variant_.one_a_call) status = uring_->Submit();
    }
    const unsigned completions_max = variant_.one_a_call ? 1 : UINT_MAX;
    while (status.ok() && under_way_ > 0) {
      status = uring_->SubmitAndWait();
      uring_->TakeCompletions(
          [this](const io_uring_cqe& completion) { Settle(completion); },
          completions_max);
    }
    return status.ok() ? failure_ : status;
  }

 private:
  void Queue(size_t index) {
    Relay* relay = &relays_[index];
    io_uring_sqe* entry = uring_->NextEntry();
    if (relay->step() == Relay::Step::kRead) {
      io_uring_prep_recv(entry, relay->descriptor(), relay->data(), relay->bytes(), 0);
    } else {
      io_uring_prep_send(entry, relay->descriptor(), relay->data(), relay->bytes(),
                         MSG_NOSIGNAL);
    }
    entry->user_data = index;
    ++under_way_;
  }

  void Settle(const io_uring_cqe& completion) {
    --under_way_;
    Relay* relay = &relays_[completion.user_data];
    const absl::Status status = relay->Settle(completion.res);
    if (!status.ok()) {
      failure_ = status;
      // Otherwise the client would wait for an echo that never comes.
      shutdown(relay->descriptor(), SHUT_RDWR);
    } else if (relay->step() != Relay::Step::kEnded) {
      Queue(completion.user_data);
    }
  }

  const Variant variant_;
  std::vector<Relay> relays_;
  const std::unique_ptr<Uring> uring_;
  int under_way_ = 0;  // Operations, queued or submitted.
  absl::Status failure_;
};

absl::Status Serve(EchoSession* session, const Variant& variant) {
  absl::StatusOr<std::vector<Descriptor>> connections = session->AcceptAll(0);
  if (!connections.ok()) return connections.status();
  absl::StatusOr<std::unique_ptr<Uring>> uring =
      Uring::Create({.entries = static_cast<unsigned>(session->connections()),
                     .sqpoll = variant.sqpoll});
  if (!uring.ok()) return uring.status();
  UringEcho echo(*connections, variant, *std::move(uring));
  session->Begin();
  absl::Status status = echo.Run();
  session->End();
  return status;
}

}  // namespace

absl::Status ServeEchoByUringOne(EchoSession* session) {
  return Serve(session, {.one_a_call = true});
}

absl::Status ServeEchoByUringBatched(EchoSession* session) { return Serve(session, {}); }

absl::Status ServeEchoByUringSqpoll(EchoSession* session) {
  return Serve(session, {.sqpoll = true});
}

}  // namespace ringcp::io_models
