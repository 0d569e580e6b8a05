// The buffers of one worker: blocks of one size, mapped once. Untouched blocks cost
// address space only, so a tree of small files uses a fraction of them.
//
// Every copy in flight is sure of one block; further ones, which make a large file
// faster, are lent as long as there are any. So no copy ever waits for another's.
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_KERNEL_BLOCK_POOL_H_
#define RINGCP_CORE_KERNEL_BLOCK_POOL_H_

#include <cstdint>
#include <memory>
#include <vector>

namespace ringcp {

class BlockPool {
 public:
  // Blocks of `block_size_bytes`, a multiple of the page size: one for each of
  // `copies_max` copies and `extra` to lend. nullptr where there is no memory for them
  // and for `spare_bytes` more, which are left to others.
  static std::unique_ptr<BlockPool> Create(int copies_max, int extra,
                                           uint32_t block_size_bytes,
                                           uint64_t spare_bytes);
  // The same; without memory for it the program stops.
  BlockPool(int copies_max, int extra, uint32_t block_size_bytes);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  uint32_t block_size_bytes() const { return block_size_bytes_; }

  // A copy's own block, page-aligned. The one given back last comes first: it is the one
  // most likely in the CPU's cache. REQUIRES: the copy holds no such block.
  char* Take();
  // One more block; nullptr when all are lent.
  char* TakeExtra();
  void GiveBack(char* block, bool extra);

 private:
  // Takes over `memory`.
  BlockPool(int copies_max, int extra, uint32_t block_size_bytes, char* memory);

  const uint32_t block_size_bytes_;
  char* const memory_;
  const uint64_t size_bytes_;
  int extra_left_;
  std::vector<char*> free_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_BLOCK_POOL_H_
