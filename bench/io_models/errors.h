// How the parts of io_models report errors: what was tried, on what, and the kernel's
// answer. A refusal (Unavailable) is a result to show in the table, because this kernel
// or this place does not offer something. So is FailedPrecondition: the model can't do
// this kind of work. Every other error is a failure of the run.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_ERRORS_H_
#define RINGCP_BENCH_IO_MODELS_ERRORS_H_

#include <string>

#include "absl/status/status.h"

namespace ringcp::io_models {

// "EPERM (Operation not permitted)"; `error_number` is an errno value.
std::string ErrnoText(int error_number);

// "OPERATION: ENOSPC (No space left on device)". `operation` also names the object, if
// there is one.
absl::Status Failure(const std::string& operation, int error_number);
absl::Status Refusal(const std::string& operation, int error_number);

bool IsRefusal(const absl::Status& status);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ERRORS_H_
