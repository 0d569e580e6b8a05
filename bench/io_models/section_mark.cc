#include "bench/io_models/section_mark.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace ringcp::io_models {

void MarkSection(SectionMark mark) {
  syscall(SYS_prctl, kSectionMarkOption, static_cast<uint64_t>(mark), 0, 0, 0);
}

}  // namespace ringcp::io_models
