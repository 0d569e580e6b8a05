#include "bench/io_models/copy_work.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bench/io_models/errors.h"

namespace ringcp::io_models {

CopyWork::CopyWork(const Parameters& parameters, Recording* recording)
    : descriptors_({parameters.source, parameters.target}),
      size_(parameters.size),
      direct_(parameters.direct),
      recording_(recording),
      memory_(AllocateAligned(static_cast<size_t>(parameters.lanes * kBlockBytes))),
      lanes_(parameters.lanes) {}

bool CopyWork::Start(int lane) {
  if (failed_) return false;
  const int64_t block = next_block_++;
  if (block >= Blocks(size_)) return false;
  lanes_[lane].block = block;
  lanes_[lane].end = std::min((block + 1) * kBlockBytes, size_);
  lanes_[lane].start_nanoseconds = NowNanoseconds();
  AskToRead(lane, block * kBlockBytes);
  return true;
}

bool CopyWork::Settle(int lane, ssize_t result) {
  if (result == -EINTR || result == -EAGAIN) return true;
  const bool is_write = lanes_[lane].op.is_write;
  return is_write ? SettleWrite(lane, result) : SettleRead(&lanes_[lane], result);
}

absl::Status CopyWork::status() const {
  for (const Lane& lane : lanes_) {
    if (!lane.status.ok()) return lane.status;
  }
  return absl::OkStatus();
}

void CopyWork::AskToRead(int lane, off_t position) {
  const int64_t left = lanes_[lane].end - position;
  lanes_[lane].op = {
      .is_write = false,
      .file = kSource,
      .data = memory_.get() + lane * kBlockBytes + position % kBlockBytes,
      .bytes = static_cast<size_t>(direct_ ? AlignUp(left) : left),
      .position = position,
  };
}

void CopyWork::AskToWrite(Lane* lane, off_t position, int64_t bytes) const {
  lane->op.data += position - lane->op.position;
  lane->op.position = position;
  lane->op.bytes = static_cast<size_t>(direct_ ? AlignUp(bytes) : bytes);
  lane->op.is_write = true;
  lane->op.file = kTarget;
}

bool CopyWork::SettleRead(Lane* lane, ssize_t result) {
  if (result < 0) return Fail(lane, Failure("read", static_cast<int>(-result)));
  const off_t position = lane->op.position;
  const int64_t bytes = Usable(position, result, lane->end);
  if (bytes == 0) {
    return Fail(lane, absl::DataLossError("read: the source was cut short"));
  }
  AskToWrite(lane, position, bytes);
  return true;
}

bool CopyWork::SettleWrite(int index, ssize_t result) {
  Lane* lane = &lanes_[index];
  if (result < 0) return Fail(lane, Failure("write", static_cast<int>(-result)));
  const off_t position = lane->op.position;
  const int64_t piece = std::min(static_cast<int64_t>(lane->op.bytes),
                                 static_cast<int64_t>(lane->end - position));
  const int64_t bytes = Usable(position, result, position + piece);
  if (bytes == 0) {
    return Fail(lane, absl::DataLossError("write: nothing was written"));
  }
  if (bytes < piece) {
    AskToWrite(lane, position + bytes, piece - bytes);
    return true;
  }
  if (position + bytes < lane->end) {
    AskToRead(index, position + bytes);
    return true;
  }
  recording_->RecordLatency(lane->block, lane->start_nanoseconds);
  return Start(index);
}

bool CopyWork::Fail(Lane* lane, absl::Status status) {
  lane->status = std::move(status);
  failed_ = true;
  return false;
}

int64_t CopyWork::Usable(off_t position, int64_t bytes, int64_t end) const {
  // A length that was rounded up may transfer more than was needed.
  if (position + bytes >= end) return end - position;
  // O_DIRECT can continue only at a multiple, so the remainder is transferred again.
  return direct_ ? AlignDown(bytes) : bytes;
}

}  // namespace ringcp::io_models
