#include "bench/io_models/echo_models.h"

#include <array>
#include <memory>

#include "bench/io_models/readiness.h"
#include "bench/io_models/readiness_echo.h"
#include "bench/io_models/thread_echo.h"
#include "bench/io_models/uring_echo.h"
#include "bench/io_models/uring_multishot_echo.h"

namespace ringcp::io_models {
namespace {

template <auto kMake>
absl::Status Serve(EchoSession* session) {
  return ServeEchoByReadiness(session, kMake);
}

constexpr std::array kModels = {
    EchoModel{.name = "thread-per-connection",
              .description = "a thread for each, blocking in read and write",
              .serve = ServeEchoByThreads},
    EchoModel{.name = "nonblock-retry",
              .description = "O_NONBLOCK, asking every connection over and over",
              .serve = Serve<MakeRetryReadiness>},
    EchoModel{.name = "select",
              .description = "waiting with select",
              .serve = Serve<MakeSelectReadiness>},
    EchoModel{.name = "poll",
              .description = "waiting with poll",
              .serve = Serve<MakePollReadiness>},
    EchoModel{.name = "epoll",
              .description = "waiting with epoll, level-triggered",
              .serve = Serve<MakeEpollReadiness>},
    EchoModel{.name = "sigio",
              .description = "a queued real-time signal for each readiness",
              .serve = Serve<MakeSignalReadiness>},
    EchoModel{.name = "uring-one",
              .description = "io_uring, one operation and one completion a call",
              .serve = ServeEchoByUringOne},
    EchoModel{.name = "uring-batched",
              .description = "io_uring, all that is there in one call",
              .serve = ServeEchoByUringBatched},
    EchoModel{.name = "uring-multishot",
              .description = "as batched, one accept and one recv for many",
              .serve = ServeEchoByUringMultishot},
    EchoModel{.name = "uring-sqpoll",
              .description = "as batched, a kernel thread fetches the operations",
              .serve = ServeEchoByUringSqpoll},
};

}  // namespace

std::span<const EchoModel> EchoModels() { return kModels; }

absl::StatusOr<Measurement> RunEcho(const EchoModel& model, const EchoRun& run) {
  absl::StatusOr<std::unique_ptr<EchoSession>> session = EchoSession::Start(run);
  if (!session.ok()) return session.status();
  absl::Status status = model.serve(session->get());
  if (!status.ok()) return status;
  return (*session)->Finish();
}

}  // namespace ringcp::io_models
