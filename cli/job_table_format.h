// Jobs and agents as text for people: tables with aligned columns.
//
// Thread-safety: pure functions; a JobTable belongs to one thread at a time.

#ifndef RINGCP_CLI_JOB_TABLE_FORMAT_H_
#define RINGCP_CLI_JOB_TABLE_FORMAT_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// One line for each job, under a heading. Keeps the texts of the lines, not the jobs,
// which may be large.
class JobTable {
 public:
  // Ages are computed as of `now`.
  explicit JobTable(absl::Time now) : now_(now) {}

  void Add(const v1::Job& job);

  // The heading and the jobs in the order they were added, without the last newline.
  std::string Format() const;

 private:
  static constexpr size_t kColumns = 8;
  using Row = std::array<std::string, kColumns>;

  const absl::Time now_;
  std::vector<Row> rows_;
};

// Everything known about `job`, one field in a line, without the last newline. Times are
// written in `zone`.
std::string FormatJob(const v1::Job& job, absl::Time now, absl::TimeZone zone);

// The agent at `address`, one field in a line, without the last newline.
std::string FormatAgentInfo(const v1::AgentInfo& info, const std::string& address);

// A path of the API for people and shells: quoted; a URI as the bytes it stands for.
std::string DisplayPath(std::string_view api_path);

}  // namespace ringcp

#endif  // RINGCP_CLI_JOB_TABLE_FORMAT_H_
