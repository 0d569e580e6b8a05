// Which side of a copy a call concerns: whether the source or the target has to answer.
//
// Most kinds of ops tell it by themselves: only a source is read, and only a target is
// written. Others are asked of both, to open, to look at and to close a file. For these
// the thread says which side it deals with.
//
// Thread-safety: each thread has a side of its own.

#ifndef RINGCP_CORE_KERNEL_CALL_SIDE_H_
#define RINGCP_CORE_KERNEL_CALL_SIDE_H_

#include <cstdint>

#include "absl/types/span.h"
#include "core/kernel/op.h"

namespace ringcp {

enum class Side : uint8_t { kSource, kTarget };

// While it lives, what the calling thread asks of a kernel concerns `side`.
class OnSide {
 public:
  explicit OnSide(Side side) : before_(thread_side) { thread_side = side; }
  ~OnSide() { thread_side = before_; }
  OnSide(const OnSide&) = delete;
  OnSide& operator=(const OnSide&) = delete;

  // Of the calling thread: the source, if it has said nothing.
  static Side now() { return thread_side; }

 private:
  static inline thread_local Side thread_side = Side::kSource;

  const Side before_;
};

// Which side `op` concerns, if the calling thread is about to hand it to a kernel.
Side SideOf(const Op& op);

// A bit for each op of `chain`: it concerns the target.
uint32_t TargetMask(absl::Span<const Op> chain);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_CALL_SIDE_H_
