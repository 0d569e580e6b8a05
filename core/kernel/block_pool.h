// The buffers of one worker: blocks of one size, mapped once. Untouched blocks cost only
// address space, so a tree of small files uses a fraction of the memory.
//
// Every copy in flight is guaranteed one block of its own. Extra blocks, which make a
// large file faster, are lent while there are any, one alone or several side by side. So
// no copy ever waits for a block of another copy.
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_KERNEL_BLOCK_POOL_H_
#define RINGCP_CORE_KERNEL_BLOCK_POOL_H_

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace ringcp {

class BlockPool {
 public:
  // There are at most so many extra blocks: twice as many as workers ask for, and half
  // the bits of the word that tells which are free.
  static constexpr int kExtraMax = 32;

  // Maps blocks of `block_size_bytes`, a multiple of the page size: one for each of
  // `copies_max` copies, and `extra` ones to lend. Returns nullptr if there is no memory
  // for them and for `spare_bytes` more, which are left for other uses.
  static std::unique_ptr<BlockPool> Create(int copies_max, int extra,
                                           uint32_t block_size_bytes,
                                           uint64_t spare_bytes);
  // Like Create() without spare bytes; the program stops if there is no memory.
  BlockPool(int copies_max, int extra, uint32_t block_size_bytes);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  uint32_t block_size_bytes() const { return block_size_bytes_; }
  int extra() const { return extra_count_; }
  int extra_free() const { return std::popcount(extra_free_); }

  // Lends a copy its own block, page-aligned. The block that was given back last is lent
  // first, because it is the most likely to be in the CPU's cache. REQUIRES: the copy
  // holds no block of its own.
  char* Take();
  // Lends `blocks` extra blocks that lie side by side; returns nullptr if there are none.
  // REQUIRES: 1 to kExtraMax.
  char* TakeExtra(int blocks);
  // Takes back what Take() has lent (`extra` is 0), or TakeExtra(extra).
  void GiveBack(char* block, int extra);

 private:
  // Takes ownership of `memory`.
  BlockPool(int copies_max, int extra, uint32_t block_size_bytes, char* memory);

  const uint32_t block_size_bytes_;
  char* const memory_;
  const uint64_t size_bytes_;
  std::vector<char*> free_;  // Not the extra ones.
  const int extra_count_;
  char* const extra_;    // The first of them; behind the others.
  uint64_t extra_free_;  // A bit for each: it is not lent.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_BLOCK_POOL_H_
