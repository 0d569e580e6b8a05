#include "core/kernel/block_pool.h"

#include <sys/mman.h>

#include "core/base/check.h"

namespace ringcp {

namespace {

uint64_t SizeOf(int copies_max, int extra, uint32_t block_size_bytes) {
  return uint64_t{block_size_bytes} * static_cast<uint64_t>(copies_max + extra);
}

// The lowest `count` bits.
uint64_t Bits(int count) {
  RINGCP_CHECK(count >= 0 && count <= BlockPool::kExtraMax);
  return (uint64_t{1} << count) - 1;
}

// Returns nullptr if there is not enough memory.
char* Allocate(uint64_t size_bytes) {
  void* const memory = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

}  // namespace

std::unique_ptr<BlockPool> BlockPool::Create(int copies_max, int extra,
                                             uint32_t block_size_bytes,
                                             uint64_t spare_bytes) {
  const uint64_t size_bytes = SizeOf(copies_max, extra, block_size_bytes);
  char* const memory = Allocate(size_bytes + spare_bytes);
  if (memory == nullptr) return nullptr;
  if (spare_bytes > 0) munmap(memory + size_bytes, spare_bytes);
  return std::unique_ptr<BlockPool>(
      new BlockPool(copies_max, extra, block_size_bytes, memory));
}

BlockPool::BlockPool(int copies_max, int extra, uint32_t block_size_bytes)
    : BlockPool(copies_max, extra, block_size_bytes,
                Allocate(SizeOf(copies_max, extra, block_size_bytes))) {}

BlockPool::BlockPool(int copies_max, int extra, uint32_t block_size_bytes, char* memory)
    : block_size_bytes_(block_size_bytes),
      memory_(memory),
      size_bytes_(SizeOf(copies_max, extra, block_size_bytes)),
      extra_count_(extra),
      extra_(memory + SizeOf(copies_max, /*extra=*/0, block_size_bytes)),
      extra_free_(Bits(extra)) {
  RINGCP_CHECK(memory != nullptr);
  free_.reserve(copies_max);
  for (int i = copies_max - 1; i >= 0; --i) {
    free_.push_back(memory_ + uint64_t{block_size_bytes} * static_cast<uint64_t>(i));
  }
}

BlockPool::~BlockPool() { munmap(memory_, size_bytes_); }

char* BlockPool::Take() {
  RINGCP_CHECK(!free_.empty());
  char* block = free_.back();
  free_.pop_back();
  return block;
}

char* BlockPool::TakeExtra(int blocks) {
  RINGCP_CHECK(blocks >= 1);
  // The first ones that are free are the most likely to be in the CPU's cache.
  for (int first = 0; first + blocks <= kExtraMax; ++first) {
    const uint64_t taken = Bits(blocks) << first;
    if ((extra_free_ & taken) != taken) continue;
    extra_free_ &= ~taken;
    return extra_ + uint64_t{block_size_bytes_} * static_cast<uint64_t>(first);
  }
  return nullptr;
}

void BlockPool::GiveBack(char* block, int extra) {
  if (extra == 0) return free_.push_back(block);
  const auto first = static_cast<uint64_t>(block - extra_) / block_size_bytes_;
  const uint64_t given = Bits(extra) << first;
  RINGCP_CHECK((extra_free_ & given) == 0);
  extra_free_ |= given;
}

}  // namespace ringcp
