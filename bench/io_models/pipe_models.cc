#include "bench/io_models/pipe_models.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/part_process.h"
#include "bench/io_models/pattern.h"
#include "bench/io_models/relay.h"
#include "bench/io_models/relay_loop.h"

namespace ringcp::io_models {
namespace {

constexpr std::array kModels = {
    PipeModel{
        .name = "blocking", .description = "blocking in read and write", .make = nullptr},
    PipeModel{.name = "nonblock-retry",
              .description = "O_NONBLOCK, asking over and over",
              .make = MakeRetryReadiness},
    PipeModel{.name = "select",
              .description = "waiting with select",
              .make = MakeSelectReadiness},
    PipeModel{
        .name = "poll", .description = "waiting with poll", .make = MakePollReadiness},
    PipeModel{.name = "epoll",
              .description = "waiting with epoll, level-triggered",
              .make = MakeEpollReadiness},
    PipeModel{.name = "sigio",
              .description = "a queued real-time signal for each readiness",
              .make = MakeSignalReadiness},
};

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failure("pipe2", errno);
  return Pipe{.reading = Descriptor(ends[0]), .writing = Descriptor(ends[1])};
}

absl::Status SetNonblocking(const Descriptor& descriptor) {
  const int flags = fcntl(descriptor.get(), F_GETFL);
  if (flags >= 0 && fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) == 0) {
    return absl::OkStatus();
  }
  return Failure("fcntl(F_SETFL, O_NONBLOCK)", errno);
}

using Buffer = std::array<char, 64 * 1024>;  // A pipe's default capacity.

absl::StatusOr<Measurement> Feed(int descriptor, int64_t size, uint64_t seed) {
  Buffer buffer;
  for (int64_t at = 0; at < size;) {
    const auto bytes = static_cast<size_t>(std::min<int64_t>(buffer.size(), size - at));
    FillPattern(seed, at, buffer.data(), bytes);
    for (size_t done = 0; done < bytes;) {
      const ssize_t count = write(descriptor, buffer.data() + done, bytes - done);
      if (count < 0 && errno != EINTR) return Failure("write to the first pipe", errno);
      if (count > 0) done += static_cast<size_t>(count);
    }
    at += static_cast<int64_t>(bytes);
  }
  return Measurement{};
}

absl::StatusOr<Measurement> Check(int descriptor, int64_t size, uint64_t seed) {
  Buffer buffer;
  int64_t at = 0;
  for (bool ended = false; !ended;) {
    size_t bytes = 0;
    while (bytes < buffer.size() && !ended) {
      const ssize_t count =
          read(descriptor, buffer.data() + bytes, buffer.size() - bytes);
      if (count < 0 && errno != EINTR) return Failure("read of the second pipe", errno);
      if (count > 0) bytes += static_cast<size_t>(count);
      ended = count == 0;
    }
    if (!MatchesPattern(seed, at, buffer.data(), bytes)) {
      return absl::DataLossError("the stream came out changed");
    }
    at += static_cast<int64_t>(bytes);
  }
  if (at == size) return Measurement{};
  return absl::DataLossError("the stream came out with another length");
}

absl::Status Pass(const PipeModel& model, const Pipe& first, const Pipe& second,
                  Recording* recording) {
  std::vector<Relay> relays = {Relay(first.reading.get(), second.writing.get())};
  if (model.make == nullptr) {
    recording->Begin();
    absl::StatusOr<bool> called = false;
    while (called.ok() && relays[0].step() != Relay::Step::kEnded) {
      called = relays[0].Call();
    }
    recording->End();
    return called.status();
  }
  absl::Status status = SetNonblocking(first.reading);
  if (status.ok()) status = SetNonblocking(second.writing);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Readiness>> readiness = model.make();
  if (!readiness.ok()) return readiness.status();
  recording->Begin();
  const absl::StatusOr<int64_t> retries = ServeRelays(&relays, readiness->get());
  recording->End();
  if (!retries.ok()) return retries.status();
  recording->AddRetries(*retries);
  return absl::OkStatus();
}

}  // namespace

std::span<const PipeModel> PipeModels() { return kModels; }

absl::StatusOr<Measurement> RunPipe(const PipeModel& model, int64_t size, uint64_t seed) {
  absl::StatusOr<Pipe> first = MakePipe();
  if (!first.ok()) return first.status();
  absl::StatusOr<Pipe> second = MakePipe();
  if (!second.ok()) return second.status();
  // Each process keeps only the end that it uses, so that the others see their streams
  // end.
  absl::StatusOr<PartProcess> feeder = PartProcess::Start(
      [&] {
        first->reading.Close();
        second->reading.Close();
        second->writing.Close();
        return Feed(first->writing.get(), size, seed);
      },
      /*traced=*/false);
  if (!feeder.ok()) return feeder.status();
  first->writing.Close();
  absl::StatusOr<PartProcess> checker = PartProcess::Start(
      [&] {
        first->reading.Close();
        second->writing.Close();
        return Check(second->reading.get(), size, seed);
      },
      /*traced=*/false);
  second->reading.Close();

  // If the checker gives up, its result reports that; SIGPIPE must not end this process.
  const auto handler = signal(SIGPIPE, SIG_IGN);
  Recording recording(0);
  absl::Status status = checker.status();
  if (status.ok()) status = Pass(model, *first, *second, &recording);
  signal(SIGPIPE, handler);
  first->reading.Close();
  second->writing.Close();
  const absl::Status fed = feeder->Wait().status();
  const absl::Status checked = checker.ok() ? checker->Wait().status() : checker.status();
  // The first failure causes the others, and the checker's message is the most useful
  // one.
  for (const absl::Status& outcome : {status, checked, fed}) {
    if (!outcome.ok()) return outcome;
  }
  Measurement measurement = recording.Finish();
  measurement.operations = (size + Relay::kBufferBytes - 1) / Relay::kBufferBytes;
  measurement.bytes = size;
  return measurement;
}

}  // namespace ringcp::io_models
