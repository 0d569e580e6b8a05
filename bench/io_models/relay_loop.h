// Serves many relays on one thread that waits for readiness: the loop of every server
// that is built on select, poll, epoll or SIGIO.
//
// Thread-safety: belongs to the thread that made `readiness`.

#ifndef RINGCP_BENCH_IO_MODELS_RELAY_LOOP_H_
#define RINGCP_BENCH_IO_MODELS_RELAY_LOOP_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/readiness.h"
#include "bench/io_models/relay.h"

namespace ringcp::io_models {

// Serves `relays`, whose descriptors are O_NONBLOCK, until all of them have ended.
// Returns how many calls returned EAGAIN. Unavailable if the descriptors can't be
// watched.
absl::StatusOr<int64_t> ServeRelays(std::vector<Relay>* relays, Readiness* readiness);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_RELAY_LOOP_H_
