// Whether and how a user wants to see how far a job has come (--progress).
//
// Thread-safety: plain values.

#ifndef RINGCP_CLI_PROGRESS_MODE_H_
#define RINGCP_CLI_PROGRESS_MODE_H_

namespace ringcp {

enum class ProgressMode {
  kAuto,    // A live line if standard error is a terminal and the job takes a while.
  kAlways,  // A live line, from the start, whatever standard error is.
  kNever,
  kJson,  // Objects for scripts, one in each line.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_MODE_H_
