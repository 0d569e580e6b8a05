#include "bench/io_models/thread_echo.h"

#include <sys/socket.h>

#include <latch>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/relay.h"

namespace ringcp::io_models {
namespace {

absl::Status ServeOne(int connection) {
  Relay relay(connection, connection);
  while (relay.step() != Relay::Step::kEnded) {
    const absl::StatusOr<bool> called = relay.Call();
    if (!called.ok()) {
      // Otherwise the client would wait for an echo that never comes.
      shutdown(connection, SHUT_RDWR);
      return called.status();
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ServeEchoByThreads(EchoSession* session) {
  absl::StatusOr<std::vector<Descriptor>> connections = session->AcceptAll(0);
  if (!connections.ok()) return connections.status();
  // Starting and ending threads is not measured.
  const auto count = static_cast<std::ptrdiff_t>(connections->size());
  std::latch ready(count);
  std::latch done(count);
  std::latch end(1);
  std::vector<absl::Status> statuses(connections->size());
  std::vector<std::thread> threads;
  threads.reserve(connections->size());
  for (size_t i = 0; i < connections->size(); ++i) {
    threads.emplace_back([&, i] {
      ready.count_down();
      statuses[i] = ServeOne((*connections)[i].get());
      done.count_down();
      end.wait();
    });
  }
  ready.wait();
  session->Begin();
  done.wait();
  session->End();
  end.count_down();
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ringcp::io_models
