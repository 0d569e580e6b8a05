#include "cli/make_job_output.h"

#include <unistd.h>

#include "cli/json_job_output.h"
#include "cli/text_job_output.h"

namespace ringcp {

std::unique_ptr<JobOutput> MakeJobOutput(ProgressMode mode, const std::string& program,
                                         absl::Time start) {
  if (mode == ProgressMode::kJson) return std::make_unique<JsonJobOutput>(STDERR_FILENO);
  return std::make_unique<TextJobOutput>(program, mode, start);
}

}  // namespace ringcp
