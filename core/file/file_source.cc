#include "core/file/file_source.h"

#include <algorithm>

#include "core/base/check.h"

namespace ringcp {

void FileSource::Start(uint64_t begin, uint64_t end) {
  shared_ = nullptr;
  end_ = end;
  next_offset_ = begin;
  ranges_added_ = ranges_begun_ = 0;
  reads_by_calls_ = false;
  end_found_ = false;
}

void FileSource::StartBehind(uint64_t begin) {
  Start(begin, kEndUnknown);
  reads_by_calls_ = !believes_ring_;
}

void FileSource::Start(SharedFile* file) {
  Start(0, 0);
  shared_ = file;
}

void FileSource::Add(uint64_t begin, uint64_t end) {
  RINGCP_CHECK(shared_ == nullptr && may_add() && begin < end);
  ranges_[ranges_added_++] = {begin, end};
}

bool FileSource::Take(uint32_t length_max, Block* block) {
  uint64_t offset = 0;
  uint32_t length = 0;
  if (shared_ != nullptr) {
    length = shared_->Take(length_max, &offset);
    if (length == 0) return false;  // The other worker took the last block.
  } else {
    if (next_offset_ >= end_) {
      next_offset_ = ranges_[ranges_begun_].begin;
      end_ = ranges_[ranges_begun_++].end;
    }
    offset = next_offset_;
    length = static_cast<uint32_t>(std::min<uint64_t>(length_max, end_ - next_offset_));
    next_offset_ += length;
  }
  block->Begin(offset, length);
  return true;
}

Op FileSource::Read(bool by_call, Block* block) const {
  Op op = ReadAt(file_, block->buffer, block->length, block->offset);
  io_.Prepare(*block, &op, &block->read);
  const bool asks_for_call = reads_by_calls_ || block->confirms_end;
  block->end_is_believed = by_call || asks_for_call;
  return asks_for_call ? ByCall(op) : op;
}

BlockResult FileSource::OnNothingRead(Block* block) {
  if (end_ == kEndUnknown && !block->end_is_believed && !believes_ring_) {
    block->confirms_end = true;
    return {.kind = BlockResult::Kind::kAgain};
  }
  end_offset_ = end_found_ ? std::min(end_offset_, block->offset) : block->offset;
  end_found_ = true;
  if (shared_ != nullptr) shared_->FindEnd(block->offset);
  return {.kind = BlockResult::Kind::kEnd};
}

}  // namespace ringcp
