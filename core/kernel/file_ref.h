// The file that an op works on.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_KERNEL_FILE_REF_H_
#define RINGCP_CORE_KERNEL_FILE_REF_H_

#include <cassert>
#include <cstdint>

namespace ringcp {

// An ordinary descriptor of the process, or a slot in the ring's own table (io_uring's
// "direct descriptor"). Copies hand it from one op to the next without knowing which
// number it has; only kernels look inside.
//
// A directory is a plain `int`, because io_uring's openat, mkdirat, ... take only
// ordinary descriptors as their directory, so a directory can never be in a slot.
class FileRef {
 public:
  constexpr FileRef() = default;  // No file.
  static constexpr FileRef Descriptor(int fd) { return {Kind::kDescriptor, fd}; }
  static constexpr FileRef Slot(int slot) { return {Kind::kSlot, slot}; }

  constexpr bool is_slot() const { return kind_ == Kind::kSlot; }

  // For kernels only: the ordinary descriptor; -1 for no file. REQUIRES: !is_slot().
  int descriptor() const {
    assert(!is_slot());
    return index_;
  }
  // For kernels only: the number of the slot. REQUIRES: is_slot().
  int slot() const {
    assert(is_slot());
    return index_;
  }

  friend bool operator==(const FileRef&, const FileRef&) = default;

 private:
  enum class Kind : uint8_t { kNone, kDescriptor, kSlot };

  constexpr FileRef(Kind kind, int index) : kind_(kind), index_(index) {}

  Kind kind_ = Kind::kNone;
  int index_ = -1;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_REF_H_
