// What a job does about SELinux's labels ("contexts"), which only a system with SELinux
// has.
//
// Thread-safety: the function may be called by any thread.

#ifndef RINGCP_CORE_JOB_SECURITY_CONTEXT_H_
#define RINGCP_CORE_JOB_SECURITY_CONTEXT_H_

#include "absl/status/statusor.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// Returns which labels targets get by `options` (FileCopyPolicy::preserve.context).
// Without SELinux, as in GNU cp, it is an error to preserve labels (FailedPrecondition);
// to set them does nothing, but `reporter` warns if a label was named. With SELinux it is
// an error if both are asked for, or if the label that was named can't be set; and
// `reporter` warns if the system's policy can't be read. Labels that are set or required
// are an error, too, if it can't be found out whether there is SELinux.
absl::StatusOr<Context> ChooseLabels(Kernel* kernel, const CopyOptions& options,
                                     Reporter* reporter);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_SECURITY_CONTEXT_H_
