// A job table, jobs to put into it, and the questions that a test has about them. A job
// that must keep running copies a FIFO (see job_specs.h), so a test can hold every state
// for as long as it needs, and nothing waits for a fixed time.

#ifndef RINGCP_TESTS_JOB_TABLE_FIXTURE_H_
#define RINGCP_TESTS_JOB_TABLE_FIXTURE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "agent/job_table.h"
#include "agent/watch_hub.h"
#include "core/base/mutex.h"
#include "gtest/gtest.h"
#include "proto/ringcp.pb.h"
#include "tests/job_specs.h"
#include "tests/scratch_directory.h"

namespace ringcp {

// The log of a table, which may be written and read at the same time.
class LogLines {
 public:
  void Add(std::string_view line) {
    MutexLock lock(&mutex_);
    lines_.emplace_back(line);
  }
  std::vector<std::string> Get() {
    MutexLock lock(&mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

// A watch that a test can wait for.
class AwaitedWatch {
 public:
  explicit AwaitedWatch(std::unique_ptr<JobTable::Watch> watch);

  // The next event, or nothing if there is none until `until`.
  std::optional<v1::JobEvent> Next(SteadyTime until);
  bool ended() const { return watch_->ended(); }

 private:
  class News;

  const std::shared_ptr<News> news_;
  const std::unique_ptr<JobTable::Watch> watch_;
};

class JobTableFixture : public testing::Test {
 protected:
  // Far longer than anything takes: a test that waits this long fails.
  static constexpr std::chrono::seconds kPatience{60};

  static SteadyTime Now() { return std::chrono::steady_clock::now(); }

  JobTableFixture();

  // The table under test. The first call makes it, with options_.
  JobTable& table();

  // Submits a job. Returns it when it has started, or has to wait for another one.
  v1::Job Submit(const v1::JobSpec& spec, const std::string& request_id = "");
  v1::Job Get(const std::string& name);
  std::unique_ptr<AwaitedWatch> OpenWatch(const std::string& name,
                                          int64_t since_version = 0);

  // Waits until the job called `name` is in `state`, and returns the job.
  v1::Job WaitFor(const std::string& name, v1::Job::State state);

  // Lets the job that reads the FIFO of `job` finish.
  void Release(const v1::Job& job);

  v1::ListJobsResponse List(int page_size, const std::string& filter = "",
                            const std::string& page_token = "");
  static std::vector<std::string> Names(const v1::ListJobsResponse& response);

  ScratchDirectory directory_;
  JobSpecs specs_{&directory_};
  LogLines log_;
  JobTable::Options options_;

 private:
  // Whether `job` waits, as far as is known, for room or for another job.
  bool MustWait(const v1::Job& job);

  std::optional<JobTable> table_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_JOB_TABLE_FIXTURE_H_
