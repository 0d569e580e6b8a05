// The contents of a file in memory, kept like tmpfs does: pages, with holes between them.
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
  // The pages that take space: those with data and those that are preallocated.
  uint64_t pages() const { return pages_.size() + set_aside_.size(); }
  uint64_t pages_with_data() const { return pages_.size(); }
  // Those whose data are all zeros.
  uint64_t pages_of_zeros() const;

  // Copies the bytes in [offset, offset + length) and returns how many they are, which is
  // fewer at the end.
  uint32_t Read(uint64_t offset, uint32_t length, char* buffer) const;
  // Stores as much of `bytes` as `pages_max` more pages allow, and returns how much.
  uint32_t Write(uint64_t offset, std::string_view bytes, uint64_t pages_max);
  void SetSize(uint64_t size);
  // Preallocates the pages of [0, size) and leaves the file's size. Returns false, and
  // does nothing, if that takes more than `pages_max` pages.
  bool Preallocate(uint64_t size, uint64_t pages_max);

  // The first byte from `offset` on that is data; absent if only a hole follows.
  // REQUIRES: offset < size().
  std::optional<uint64_t> NextData(uint64_t offset) const;
  // The first byte from `offset` on that is in a hole; the end counts as a hole.
  // REQUIRES: offset < size().
  uint64_t NextHole(uint64_t offset) const;

  // All contents. REQUIRES: they fit into memory.
  std::string ToString() const;
  friend bool SameBytes(const SparseBytes& a, const SparseBytes& b);

 private:
  uint64_t size_ = 0;
  std::map<uint64_t, std::string> pages_;  // By number; each has kPageBytes.
  std::set<uint64_t> set_aside_;           // Preallocated ones without data, by number.
};

// Whether both read the same, wherever their holes are.
bool SameBytes(const SparseBytes& a, const SparseBytes& b);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SPARSE_BYTES_H_
