#include "cli/job_follower.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/progress_ticker.h"

namespace ringcp {
namespace {

constexpr int kErrorsPerPage = 1000;

// Prints each of a job's errors and warnings once. The events hold the beginning of the
// agent's list, in its order; the rest of the list is asked for at the end, because the
// last event has room for a thousand errors only.
class ErrorPrinter {
 public:
  explicit ErrorPrinter(JobOutput* output) : output_(output) {}

  void Print(const v1::JobEvent& event) {
    for (const v1::FileError& error : event.errors()) PrintOne(error);
    printed_ += event.errors_size();
  }

  // Prints the errors that only the agent's list has, and how many failures have no
  // message.
  void PrintRest(const v1::Job& job, AgentClient* client) {
    const int64_t failed = job.progress().files_failed();
    if (printed_ == 0 && failed == 0) return;
    v1::ListJobErrorsRequest request;
    request.set_name(job.name());
    request.set_page_size(kErrorsPerPage);
    int64_t listed = 0;
    int64_t listed_failures = 0;
    do {
      const absl::StatusOr<v1::ListJobErrorsResponse> page =
          client->ListJobErrors(request);
      if (!page.ok()) {
        output_->PrintWarning(absl::StrCat("warning: cannot list the errors of ",
                                           job.name(), ": ", page.status().message()));
        return;
      }
      for (const v1::FileError& error : page->errors()) {
        if (++listed > printed_) PrintOne(error);
        if (!error.is_warning()) ++listed_failures;
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    if (failed > listed_failures && job.error().empty()) {
      output_->PrintWarning(absl::StrCat("warning: ", failed - listed_failures,
                                         " more files were not copied, for which the "
                                         "agent kept no message"));
    }
  }

 private:
  void PrintOne(const v1::FileError& error) {
    if (error.is_warning()) {
      output_->PrintWarning(error.message());
    } else {
      output_->PrintError(error);
    }
  }

  JobOutput* const output_;
  int64_t printed_ = 0;
};

// The newest snapshot: one thread receives it, another one shows it.
class LatestJob {
 public:
  explicit LatestJob(JobOutput* output) : output_(output) {}

  void Set(v1::Job job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = std::move(job);
    }
    Show();
  }

  // Shows progress, but not of a job that has ended: Finish() reports the end, once.
  void Show() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!job_.has_value() || IsFinal(job_->state())) return;
    output_->ShowProgress(job_->state(), job_->progress(), absl::Now());
  }

  // REQUIRES: no other thread uses this any more.
  std::optional<v1::Job> Take() { return std::move(job_); }

 private:
  JobOutput* const output_;
  std::mutex mutex_;
  std::optional<v1::Job> job_;  // Protected by mutex_.
};

}  // namespace

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED ||
         state == v1::Job::CANCELLED;
}

absl::StatusOr<v1::Job> FollowJob(const std::string& name, AgentClient* client,
                                  JobOutput* output) {
  ErrorPrinter errors(output);
  LatestJob latest(output);
  absl::Status status;
  {
    // Events come only when something changes, but the line is redrawn in between, too.
    std::optional<ProgressTicker> ticker;
    if (output->WantsProgress()) ticker.emplace([&latest] { latest.Show(); });
    status = client->WatchJob(name, [&errors, &latest](const v1::JobEvent& event) {
      errors.Print(event);
      latest.Set(event.job());
    });
  }
  std::optional<v1::Job> job = latest.Take();
  if (!job.has_value() || !IsFinal(job->state())) {
    if (!status.ok()) return status;
    return absl::UnavailableError("the agent stopped telling before the job had ended");
  }
  errors.PrintRest(*job, client);
  return *std::move(job);
}

}  // namespace ringcp
