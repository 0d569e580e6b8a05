#include "core/file/block_pump.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/check.h"

namespace ringcp {

namespace {

bool IsZero(const char* bytes, uint32_t length) {
  // The first byte is, and each is like the one before it.
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, length - 1) == 0;
}

}  // namespace

BlockPump::~BlockPump() {
  for (Lane& lane : lanes_) Release(&lane);
}

void BlockPump::Start(uint64_t begin, uint64_t end) {
  RINGCP_CHECK(!busy());
  for (Lane& lane : lanes_) Release(&lane);
  shared_ = nullptr;
  end_ = end;
  bytes_written_ = 0;
  next_offset_ = begin;
  ranges_added_ = ranges_begun_ = 0;
  reads_by_calls_ = false;
  end_found_ = false;
  stopped_ = false;
  block_dropped_ = false;
  error_number_ = 0;
}

void BlockPump::StartBehind(uint64_t begin) {
  Start(begin, kEndUnknown);
  reads_by_calls_ = !believes_ring_;
}

void BlockPump::Add(uint64_t begin, uint64_t end) {
  RINGCP_CHECK(shared_ == nullptr && may_add() && begin < end);
  ranges_[ranges_added_++] = {begin, end};
}

void BlockPump::Start(SharedFile* file) {
  Start(0, 0);
  shared_ = file;
}

void BlockPump::Stop() {
  stopped_ = true;
  if (shared_ != nullptr) shared_->Stop();
}

bool BlockPump::complete() const {
  if (busy() || lanes_with_block_ > 0) return false;
  if (shared_ != nullptr) return shared_->complete();
  return !failed() && !block_dropped_ && nothing_left();
}

int BlockPump::lanes_max() const {
  if (one_lane_) return 1;
  return shared_ != nullptr ? std::min(shared_->lanes_max(), kLanesMax) : kLanesMax;
}

uint32_t BlockPump::TakeRange(uint32_t length_max, uint64_t* offset) {
  if (shared_ != nullptr) return shared_->Take(length_max, offset);
  if (next_offset_ >= end_) {
    next_offset_ = ranges_[ranges_begun_].begin;
    end_ = ranges_[ranges_begun_++].end;
  }
  *offset = next_offset_;
  const auto length =
      static_cast<uint32_t>(std::min<uint64_t>(length_max, end_ - next_offset_));
  next_offset_ += length;
  return length;
}

bool BlockPump::TakeBlock(Lane* lane) {
  if (nothing_left() || stopped_ || failed()) return false;
  // Of an unknown size only one block is on its way: where the next one starts is not
  // known before it has been read.
  const bool end_known = end_ != kEndUnknown;
  if (!end_known && lanes_with_block_ > 0) return false;
  const bool extra = own_block_taken_;
  char* const buffer = extra ? pool_->TakeExtra() : pool_->Take();
  if (buffer == nullptr) return false;
  lane->length = TakeRange(pool_->block_size_bytes(), &lane->offset);
  if (lane->length == 0) {  // Another worker was faster.
    pool_->GiveBack(buffer, extra);
    return false;
  }
  lane->buffer = buffer;
  lane->buffer_is_extra = extra;
  if (!extra) own_block_taken_ = true;
  ++lanes_with_block_;
  lane->filled = 0;
  lane->written = 0;
  lane->retries = 0;
  lane->poll_error = 0;
  lane->confirms_end = false;
  lane->state = end_known && !skips_zeros_ ? LaneState::kReadWrite : LaneState::kRead;
  return true;
}

Op BlockPump::Read(FileRef source, Lane* lane) const {
  Op op = ReadAt(source, lane->buffer, lane->length, lane->offset);
  // What is polled has O_DIRECT: it leaves nothing in the page cache anyway, and which of
  // the two was refused would not be known.
  op.io.polled = lane->polled = polls(*lane);
  if (op.io.polled) op.io.length = std::min(op.io.length, polled_length_);
  lane->asked = op.io.length;
  lane->read_uncached =
      reads_uncached_ && !op.io.polled && !source_file_system_->refuses_uncached_reads();
  if (lane->read_uncached) op.io.flags = kDontCache;
  lane->read_by_call = one_lane_ || reads_by_calls_ || lane->confirms_end;
  return reads_by_calls_ || lane->confirms_end ? AtOnce(op) : op;
}

Op BlockPump::Write(FileRef target, uint32_t begin, uint32_t end, Lane* lane) const {
  Op op = WriteAt(target, lane->buffer + begin, end - begin, lane->offset + begin);
  op.io.polled = lane->polled = polls(*lane);
  if (op.io.polled) op.io.length = std::min(op.io.length, polled_length_);
  lane->asked = op.io.length;
  lane->write_uncached = writes_uncached_ && !op.io.polled &&
                         !target_file_system_->refuses_uncached_writes();
  if (lane->write_uncached) op.io.flags = kDontCache;
  return op;
}

void BlockPump::Advance(FileRef source, FileRef target, NextChains* next) {
  if (stopped_ || failed()) return DropBlocks();
  const int lanes = lanes_max();
  for (int i = 0; i < kLanesMax; ++i) {
    Lane& lane = lanes_[i];
    if (lane.in_flight) continue;
    if (lane.state == LaneState::kIdle &&
        (lanes_with_block_ >= lanes || !TakeBlock(&lane))) {
      continue;
    }
    Chain& chain = next->Add(i);
    if (lane.state == LaneState::kReadWrite && polls(lane)) {
      lane.state = LaneState::kRead;
    } else if (lane.state == LaneState::kRead && !polls(lane) && end_ != kEndUnknown &&
               !skips_zeros_) {
      lane.state = LaneState::kReadWrite;
    }
    if (lane.state == LaneState::kReadWrite || lane.state == LaneState::kRead) {
      chain.Add(Read(source, &lane));
    }
    if (lane.state == LaneState::kReadWrite) {
      chain.Add(Write(target, 0, lane.length, &lane));
    }
    if (lane.state == LaneState::kWrite) {
      chain.Add(Write(target, lane.written, WriteEnd(lane), &lane));
    }
    lane.in_flight = true;
    ++lanes_in_flight_;
  }
}

void BlockPump::DropBlocks() {
  for (Lane& lane : lanes_) {
    if (lane.in_flight || lane.state == LaneState::kIdle) continue;
    block_dropped_ = true;
    if (shared_ != nullptr) shared_->DropBlock();
    Release(&lane);
  }
}

void BlockPump::Settle(int index, int32_t read_result, int32_t write_result) {
  Lane& lane = lanes_[index];
  RINGCP_CHECK(lane.in_flight);
  lane.in_flight = false;
  --lanes_in_flight_;
  switch (lane.state) {
    case LaneState::kReadWrite:
      OnRead(&lane, read_result);
      // Only a full read lets the linked write run.
      if (lane.state == LaneState::kWrite && lane.filled == lane.length) {
        OnWrite(&lane, write_result);
      }
      return;
    case LaneState::kRead:
      OnRead(&lane, read_result);
      return;
    case LaneState::kWrite:
      OnWrite(&lane, write_result);
      return;
    case LaneState::kIdle:
      break;
  }
  RINGCP_CHECK(lane.state != LaneState::kIdle);
}

void BlockPump::BeginPolling(uint32_t read_length_max, uint32_t write_length_max) {
  polled_length_ = std::min(read_length_max, write_length_max);
  if (polled_length_ > 0) return;
  NotePollRefusal(read_length_max == 0 ? Operation::kRead : Operation::kWrite,
                  EOPNOTSUPP);
}

void BlockPump::NotePollRefusal(Operation operation, int error_number) {
  // Of two on one file the other one is left for the next file to find out, and to tell.
  if (poll_refusal_.error_number != 0) return;
  FileSystem* const refusing =
      operation == Operation::kRead ? source_file_system_ : target_file_system_;
  if (!refusing->NotePollingRefused()) return;
  poll_refusal_ = {.operation = operation, .error_number = error_number};
}

void BlockPump::OnPolled(Lane* lane, Operation operation, int32_t result) {
  if (lane->polled) {
    lane->poll_error = std::max(0, -result);
    return;
  }
  if (result < 0 || lane->poll_error == 0) return;
  // It was polling that it failed by.
  if (MayRefusePolling(-lane->poll_error)) {
    NotePollRefusal(operation, lane->poll_error);
  }
  lane->poll_error = 0;
}

void BlockPump::OnRead(Lane* lane, int32_t result) {
  OnPolled(lane, Operation::kRead, result);
  if (result < 0) {
    if (lane->polled && MayRefusePolling(result)) return;
    if (lane->read_uncached && RefusesDontCache(result)) {
      reads_uncached_ = false;
      refused_uncached_ = true;
      source_file_system_->NoteUncachedReadsRefused();
      return;
    }
    if (!ShouldRetry(result, &lane->retries, counters_)) {
      Fail(lane, Operation::kRead, -result);
    }
    return;
  }
  if (result == 0 && end_ == kEndUnknown && !lane->read_by_call && !believes_ring_) {
    lane->confirms_end = true;
    return;
  }
  if (result == 0) {
    end_offset_ = end_found_ ? std::min(end_offset_, lane->offset) : lane->offset;
    end_found_ = true;
    if (shared_ != nullptr) shared_->FindEnd(lane->offset);
    Release(lane);
    return;
  }
  lane->confirms_end = false;
  if (static_cast<uint32_t>(result) < lane->asked && end_ != kEndUnknown) {
    counters_->short_reads.Add(1);
  }
  lane->filled = result;
  lane->written = 0;
  lane->state = LaneState::kWrite;
  if (!skips_zeros_) return;
  SkipZeros(lane);
  if (lane->written == lane->filled) OnBlockWritten(lane);
}

void BlockPump::SkipZeros(Lane* lane) {
  const uint32_t begin = lane->written;
  while (lane->written < lane->filled) {
    const char* const bytes = lane->buffer + lane->written;
    const uint32_t length = std::min(kZerosBytes, lane->filled - lane->written);
    if (!IsZero(bytes, length)) break;
    lane->written += length;
  }
  Count(lane->written - begin);
}

void BlockPump::Count(int64_t bytes) {
  counters_->bytes_done.Add(bytes);
  bytes_written_ += bytes;
  if (shared_ != nullptr) {
    shared_->Count(bytes);
  } else {
    bytes_counted_ += bytes;
  }
}

uint32_t BlockPump::WriteEnd(const Lane& lane) const {
  if (!skips_zeros_) return lane.filled;
  uint32_t end = lane.written;
  while (end < lane.filled) {
    const uint32_t length = std::min(kZerosBytes, lane.filled - end);
    if (IsZero(lane.buffer + end, length)) break;
    end += length;
  }
  return end;
}

void BlockPump::OnWrite(Lane* lane, int32_t result) {
  // Cancelled with a full read before it can't be (see kernel.h); 0 bytes written is not
  // an answer that a regular file gives. Both are tried again as if interrupted.
  if (result == 0 || result == -ECANCELED) result = -EINTR;
  OnPolled(lane, Operation::kWrite, result);
  if (result < 0) {
    if (lane->polled && MayRefusePolling(result)) return;
    if (lane->write_uncached && RefusesDontCache(result)) {
      writes_uncached_ = false;
      refused_uncached_ = true;
      target_file_system_->NoteUncachedWritesRefused();
      return;
    }
    if (!ShouldRetry(result, &lane->retries, counters_)) {
      Fail(lane, Operation::kWrite, result == -EINTR ? EIO : -result);
    }
    return;
  }
  Count(result);
  lane->retries = 0;
  lane->written += result;
  if (skips_zeros_) SkipZeros(lane);
  if (lane->written < lane->filled) {
    if (static_cast<uint32_t>(result) < lane->asked) counters_->short_writes.Add(1);
    return;
  }
  OnBlockWritten(lane);
}

void BlockPump::OnBlockWritten(Lane* lane) {
  if (end_ == kEndUnknown) {
    // The next block starts where this one's bytes ended.
    next_offset_ = lane->offset + lane->filled;
    Release(lane);
    return;
  }
  if (lane->filled == lane->length) {
    Release(lane);
    return;
  }
  lane->offset += lane->filled;
  lane->length -= lane->filled;
  lane->filled = 0;
  lane->state = skips_zeros_ ? LaneState::kRead : LaneState::kReadWrite;
}

void BlockPump::Release(Lane* lane) {
  if (lane->state == LaneState::kIdle) return;
  pool_->GiveBack(lane->buffer, lane->buffer_is_extra);
  if (!lane->buffer_is_extra) own_block_taken_ = false;
  lane->buffer = nullptr;
  lane->state = LaneState::kIdle;
  --lanes_with_block_;
}

void BlockPump::Fail(Lane* lane, Operation operation, int error_number) {
  if (shared_ != nullptr) {
    shared_->Fail(operation, error_number);
  } else if (!failed()) {
    failed_operation_ = operation;
    error_number_ = error_number;
  }
  Release(lane);
}

}  // namespace ringcp
