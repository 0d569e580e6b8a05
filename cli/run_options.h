// The options that say what is told, and how and where a job runs: rows of the table of
// options (copy_options.h).
//
// Thread-safety: constant.

#ifndef RINGCP_CLI_RUN_OPTIONS_H_
#define RINGCP_CLI_RUN_OPTIONS_H_

#include "absl/types/span.h"
#include "cli/copy_options.h"

namespace ringcp {

absl::Span<const CopyOptionRow> RunOptionRows();

}  // namespace ringcp

#endif  // RINGCP_CLI_RUN_OPTIONS_H_
