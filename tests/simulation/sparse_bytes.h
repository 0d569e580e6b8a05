// The contents of a file in memory: pages, and holes between them, as tmpfs keeps them.
//
// Thread-safety: a plain value.

#ifndef RINGCP_TESTS_SIMULATION_SPARSE_BYTES_H_
#define RINGCP_TESTS_SIMULATION_SPARSE_BYTES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace ringcp {

class SparseBytes {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  uint64_t size() const { return size_; }
  // Pages that take room: those with data, and those that were set aside.
  uint64_t pages() const { return pages_.size() + set_aside_.size(); }
  uint64_t pages_with_data() const { return pages_.size(); }

  // Copies what is in [offset, offset + length) and returns how much that is: less at the
  // end.
  uint32_t Read(uint64_t offset, uint32_t length, char* buffer) const;
  // Stores as much of `bytes` as `pages_max` more pages allow, and returns how much.
  uint32_t Write(uint64_t offset, std::string_view bytes, uint64_t pages_max);
  void SetSize(uint64_t size);
  // Sets the pages of [0, size) aside; the size stays. False, and nothing is set aside,
  // if that takes more than `pages_max` pages.
  bool Preallocate(uint64_t size, uint64_t pages_max);

  // The first byte at or behind `offset` that is data; absent if only a hole follows.
  // REQUIRES: offset < size().
  std::optional<uint64_t> NextData(uint64_t offset) const;
  // The first one that is in a hole; the end counts as one. REQUIRES: offset < size().
  uint64_t NextHole(uint64_t offset) const;

  // All of it. REQUIRES: it fits into memory.
  std::string ToString() const;
  friend bool SameBytes(const SparseBytes& a, const SparseBytes& b);

 private:
  uint64_t size_ = 0;
  std::map<uint64_t, std::string> pages_;  // By number; each of kPageBytes.
  std::set<uint64_t> set_aside_;           // By number; without data.
};

// Whether one reads the same as the other, whatever of it is holes.
bool SameBytes(const SparseBytes& a, const SparseBytes& b);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SPARSE_BYTES_H_
