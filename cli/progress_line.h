// One line of text that shows how far a job has come:
//
//    42% [########>------------]   1.2 GiB/  2.9 GiB   1234/  2945 files 310.5 MiB/s 0:06
//   scan [    <=>              ]   1.2 GiB/ ~2.9 GiB   1234/ ~2945 files 310.5 MiB/s
//
// A percentage is shown once the totals are final; while the job still finds files they
// are marked "~" and a moving block stands in for the bar. Every field has a fixed width,
// so that the line does not jitter; a narrow terminal shows fewer fields.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_PROGRESS_LINE_H_
#define RINGCP_CLI_PROGRESS_LINE_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/job/progress.h"

namespace ringcp {

// The line for `progress` on a terminal `columns` wide. The moving block's place follows
// from `now`. A wide terminal also shows what limits the job, if that is known. ASCII
// without control characters, always shorter than `columns`, because some terminals wrap
// as soon as the last column is written. Empty if nothing fits.
std::string RenderProgressLine(const Progress& progress, int columns, absl::Time now,
                               std::string_view limited_by = "");

// The same for a job that waits for its turn in the agent.
std::string RenderWaitingLine(int columns, absl::Time now);

// How much is done in percent, 0 to 100, rounded down; 100 only if everything is done. -1
// if the totals are not known yet.
int PercentDone(const Progress& progress);

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_LINE_H_
