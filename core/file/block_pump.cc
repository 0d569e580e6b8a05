#include "core/file/block_pump.h"

#include <algorithm>
#include <cstdint>

#include "core/base/check.h"

namespace ringcp {

BlockPump::~BlockPump() {
  for (Lane& lane : lanes_) Release(&lane);
}

void BlockPump::Start() {
  RINGCP_CHECK(!busy());
  for (Lane& lane : lanes_) Release(&lane);
  shared_ = source_->shared_file();
  sink_->Start();
  stopped_ = false;
  block_dropped_ = false;
  error_number_ = 0;
}

void BlockPump::Stop() {
  stopped_ = true;
  if (shared_ != nullptr) shared_->Stop();
}

bool BlockPump::complete() const {
  if (busy() || lanes_with_block_ > 0) return false;
  if (shared_ != nullptr) return shared_->complete();
  return !failed() && !block_dropped_ && source_->exhausted();
}

bool BlockPump::TakeBlock(Lane* lane) {
  if (source_->exhausted() || stopped_ || failed()) return false;
  if (!TakeBuffer(lane)) return false;
  const uint32_t length_max = pool_->block_size_bytes() * std::max(1, lane->extra_blocks);
  if (!source_->Take(length_max, &lane->block)) {
    GiveBuffer(lane);
    return false;
  }
  ++lanes_with_block_;
  lane->state = LaneState::kRead;
  return true;
}

bool BlockPump::may_take_large_block() const {
  // Polled reads and writes are cut to smaller pieces anyway, one after the other.
  return large_blocks_ && source_->next_length() > pool_->block_size_bytes() &&
         !source_->io().is_polling() && !sink_->io().is_polling();
}

bool BlockPump::TakeBuffer(Lane* lane) {
  const bool is_large = may_take_large_block();
  char* buffer = is_large ? pool_->TakeExtra(kLargeBlock) : nullptr;
  lane->extra_blocks = kLargeBlock;
  // While all lanes take single blocks, none come to lie side by side. So all but two
  // wait.
  if (buffer == nullptr && is_large && lanes_with_block_ >= kLanesBesideLarge) {
    return false;
  }
  if (buffer == nullptr) {
    lane->extra_blocks = own_block_taken_ ? 1 : 0;
    buffer = own_block_taken_ ? pool_->TakeExtra(1) : pool_->Take();
  }
  if (buffer == nullptr) return false;
  if (lane->extra_blocks == 0) own_block_taken_ = true;
  lane->block.buffer = buffer;
  return true;
}

void BlockPump::GiveBuffer(Lane* lane) {
  pool_->GiveBack(lane->block.buffer, lane->extra_blocks);
  if (lane->extra_blocks == 0) own_block_taken_ = false;
  lane->block.buffer = nullptr;
}

void BlockPump::Advance(NextChains* next) {
  if (stopped_ || failed()) return DropBlocks();
  const int lanes = lanes_max();
  for (int i = 0; i < kLanesMax; ++i) {
    Lane& lane = lanes_[i];
    if (lane.in_flight) continue;
    if (lane.state == LaneState::kIdle &&
        (lanes_with_block_ >= lanes || !TakeBlock(&lane))) {
      continue;
    }
    AddOps(&lane, &next->Add(i));
    lane.in_flight = true;
    ++lanes_in_flight_;
  }
}

void BlockPump::AddOps(Lane* lane, Chain* chain) const {
  Block& block = lane->block;
  if (lane->state == LaneState::kWrite) {
    chain->Add(sink_->Write(&block));
    return;
  }
  lane->is_linked = source_->fills_blocks() && sink_->takes_unseen() &&
                    !source_->io().polls(block) && !sink_->io().polls(block);
  chain->Add(source_->Read(/*by_call=*/one_lane_, &block));
  if (lane->is_linked) chain->Add(sink_->WriteUnseen(&block));
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
  RINGCP_CHECK(lane.in_flight && lane.state != LaneState::kIdle);
  lane.in_flight = false;
  --lanes_in_flight_;
  if (lane.state == LaneState::kWrite) return OnWrite(&lane, write_result);
  OnRead(&lane, read_result);
  // The write behind it in the chain has run only if the read filled the block.
  if (lane.is_linked && lane.state == LaneState::kWrite &&
      lane.block.filled == lane.block.length) {
    OnWrite(&lane, write_result);
  }
}

void BlockPump::OnRead(Lane* lane, int32_t result) {
  const BlockResult outcome = source_->OnRead(result, &lane->block);
  switch (outcome.kind) {
    case BlockResult::Kind::kAgain:
      return;
    case BlockResult::Kind::kEnd:
      return Release(lane);
    case BlockResult::Kind::kFailed:
      return Fail(lane, Operation::kRead, outcome.error_number);
    case BlockResult::Kind::kDone:
      break;
  }
  lane->state = LaneState::kWrite;
  sink_->OnFilled(&lane->block);
  if (lane->block.is_written()) OnBlockWritten(lane);
}

void BlockPump::OnWrite(Lane* lane, int32_t result) {
  const BlockResult outcome = sink_->OnWrite(result, &lane->block);
  if (outcome.kind == BlockResult::Kind::kFailed) {
    return Fail(lane, Operation::kWrite, outcome.error_number);
  }
  if (lane->block.is_written()) OnBlockWritten(lane);
}

void BlockPump::OnBlockWritten(Lane* lane) {
  if (source_->TakeRest(&lane->block)) {
    lane->state = LaneState::kRead;
  } else {
    Release(lane);
  }
}

void BlockPump::Release(Lane* lane) {
  if (lane->state == LaneState::kIdle) return;
  GiveBuffer(lane);
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
