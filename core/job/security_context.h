// What a job does about SELinux's labels ("contexts"), which only a system with SELinux
// has. A label is an extended attribute, so --preserve=context copies it like the others.
//
// Thread-safety: the function may be called by any thread.

#ifndef RINGCP_CORE_JOB_SECURITY_CONTEXT_H_
#define RINGCP_CORE_JOB_SECURITY_CONTEXT_H_

#include "absl/status/status.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// Checks what `options` want of labels. Without SELinux, as in GNU cp, it is an error to
// preserve them (FailedPrecondition); to set them does nothing, but `reporter` warns if a
// label was named. With SELinux, setting them is refused.
absl::Status CheckSecurityContext(Kernel* kernel, const CopyOptions& options,
                                  Reporter* reporter);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_SECURITY_CONTEXT_H_
