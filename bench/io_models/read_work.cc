#include "bench/io_models/read_work.h"

#include <cerrno>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/pattern.h"
#include "core/base/check.h"

namespace ringcp::io_models {

ReadWork::ReadWork(const Parameters& parameters, Recording* recording)
    : descriptors_({parameters.source}),
      direct_(parameters.direct),
      seed_(parameters.seed),
      recording_(recording),
      positions_(parameters.reads),
      memory_(AllocateAligned(static_cast<size_t>(parameters.lanes * kReadBytes))),
      lanes_(parameters.lanes) {
  RINGCP_CHECK(parameters.size >= kReadBytes);
  std::mt19937_64 random(parameters.seed);
  std::uniform_int_distribution<off_t> block(0, parameters.size / kReadBytes - 1);
  for (off_t& position : positions_) position = block(random) * kReadBytes;
}

bool ReadWork::Start(int lane) {
  if (failed_) return false;
  const int64_t read = next_read_++;
  if (read >= static_cast<int64_t>(positions_.size())) return false;
  lanes_[lane].read = read;
  lanes_[lane].start_nanoseconds = NowNanoseconds();
  AskFor(lane, 0);
  return true;
}

bool ReadWork::Settle(int index, ssize_t result) {
  if (result == -EINTR || result == -EAGAIN) return true;
  Lane* lane = &lanes_[index];
  const off_t begin = positions_[lane->read];
  if (result < 0) return Fail(lane, Failure("read", static_cast<int>(-result)));
  if (result == 0) return Fail(lane, absl::DataLossError("read: the source ended"));
  const int64_t have_bytes = lane->op.position - begin + result;
  if (have_bytes < kReadBytes) {
    AskFor(index, direct_ ? AlignDown(have_bytes) : have_bytes);
    return true;
  }
  recording_->RecordLatency(lane->read, lane->start_nanoseconds);
  char* const data = memory_.get() + index * kReadBytes;
  if (!SamplesMatchPattern(seed_, begin, data, kReadBytes)) {
    return Fail(lane, absl::DataLossError(
                          absl::StrCat("read: wrong contents at offset ", begin)));
  }
  return Start(index);
}

absl::Status ReadWork::status() const {
  for (const Lane& lane : lanes_) {
    if (!lane.status.ok()) return lane.status;
  }
  return absl::OkStatus();
}

void ReadWork::AskFor(int lane, int64_t have_bytes) {
  lanes_[lane].op = {
      .is_write = false,
      .file = kSource,
      .data = memory_.get() + lane * kReadBytes + have_bytes,
      .bytes = static_cast<size_t>(kReadBytes - have_bytes),
      .position = positions_[lanes_[lane].read] + have_bytes,
  };
}

bool ReadWork::Fail(Lane* lane, absl::Status status) {
  lane->status = std::move(status);
  failed_ = true;
  return false;
}

}  // namespace ringcp::io_models
