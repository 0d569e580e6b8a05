// The marks by which a process tells the tracer that counts its system calls where the
// measured section begins and ends: a system call that does nothing, and that nobody else
// makes.
//
// Thread-safety: pure system calls.

#ifndef RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_
#define RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_

#include <cstdint>

namespace ringcp::io_models {

// prctl() with this option answers EINVAL, untraced as well: no option has so large a
// number, and container profiles let prctl pass.
inline constexpr uint64_t kSectionMarkOption = 0x52494E47;

enum class SectionMark : uint64_t { kBegin = 1, kEnd = 2 };

void MarkSection(SectionMark mark);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SECTION_MARK_H_
