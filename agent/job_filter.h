// The filter of ListJobs: conditions joined by AND, a small subset of the filter language
// of AIP-160.
//
//   filter    = [ condition *( "AND" condition ) ]
//   condition = ( "state" | "labels." KEY ) "=" value
//   value     = word | '"' any text, '\' before '"' and '\' '"'
//
// White space may stand around every word. An empty filter matches every job.
//
// Thread-safety: a JobFilter is immutable.

#ifndef RINGCP_AGENT_JOB_FILTER_H_
#define RINGCP_AGENT_JOB_FILTER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

class JobFilter {
 public:
  // The most bytes of a filter: room for a dozen conditions with the longest labels.
  static constexpr size_t kBytesMax = 4096;

  // INVALID_ARGUMENT naming the field "filter" if `text` isn't a filter.
  static absl::StatusOr<JobFilter> Parse(std::string_view text);

  bool Matches(v1::Job::State state, const v1::JobSpec& spec) const;

 private:
  std::vector<v1::Job::State> states_;
  std::vector<std::pair<std::string, std::string>> labels_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_FILTER_H_
