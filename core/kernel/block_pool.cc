#include "core/kernel/block_pool.h"

#include <sys/mman.h>

#include "core/base/check.h"

namespace ringcp {

namespace {

uint64_t SizeOf(int copies_max, int extra, uint32_t block_size_bytes) {
  return uint64_t{block_size_bytes} * static_cast<uint64_t>(copies_max + extra);
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
      extra_left_(extra) {
  RINGCP_CHECK(memory != nullptr);
  const int count = copies_max + extra;
  free_.reserve(count);
  for (int i = count - 1; i >= 0; --i) {
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

char* BlockPool::TakeExtra() {
  if (extra_left_ == 0) return nullptr;
  --extra_left_;
  return Take();
}

void BlockPool::GiveBack(char* block, bool extra) {
  if (extra) ++extra_left_;
  free_.push_back(block);
}

}  // namespace ringcp
