// A process marks the beginning and the end of its measured section for the tracer that
// counts its system calls. The mark is a system call that does nothing, and that nothing
// else makes.
//
// Thread-safety: pure system calls.

#ifndef RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_
#define RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_

#include <cstdint>

namespace ringcp::io_models {

// prctl() fails with EINVAL for this option, also without a tracer, because no option has
// so large a number. Container profiles allow prctl.
inline constexpr uint64_t kSectionMarkOption = 0x52494E47;

enum class SectionMark : uint64_t { kBegin = 1, kEnd = 2 };

void MarkSection(SectionMark mark);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_
