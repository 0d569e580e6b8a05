#include "core/block_pool.h"

#include <sys/mman.h>

#include "core/check.h"

namespace ringcp {

BlockPool::BlockPool(int copies_max, int extra, uint32_t block_size_bytes)
    : block_size_bytes_(block_size_bytes),
      size_bytes_(uint64_t{block_size_bytes} * static_cast<uint64_t>(copies_max + extra)),
      extra_left_(extra) {
  const int count = copies_max + extra;
  void* memory = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  RINGCP_CHECK(memory != MAP_FAILED);
  memory_ = static_cast<char*>(memory);
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
