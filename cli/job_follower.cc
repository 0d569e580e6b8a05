#include "cli/job_follower.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/progress_ticker.h"
#include "core/base/mutex.h"

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
  }

  // Prints the errors that only the agent's list has, and how many failures have no
  // message.
  void PrintRest(const v1::Job& job, AgentClient* client) {
    if (printed_ < job.errors_count() && !PrintListed(job.name(), client)) return;
    const int64_t untold = job.progress().files_failed() - failures_;
    if (untold > 0 && job.error().empty()) {
      output_->PrintWarning(absl::StrCat("warning: ", untold,
                                         " more files were not copied, for which the "
                                         "agent kept no message"));
    }
  }

 private:
  void PrintOne(const v1::FileError& error) {
    ++printed_;
    if (error.is_warning()) {
      output_->PrintWarning(error.message());
    } else {
      ++failures_;
      output_->PrintError(error);
    }
  }

  // Prints what the agent's list has beyond what was printed. False, after a warning, if
  // it can't be asked.
  bool PrintListed(const std::string& job, AgentClient* client) {
    v1::ListJobErrorsRequest request;
    request.set_name(job);
    request.set_page_size(kErrorsPerPage);
    int64_t to_skip = printed_;
    do {
      const absl::StatusOr<v1::ListJobErrorsResponse> page =
          client->ListJobErrors(request);
      if (!page.ok()) {
        output_->PrintWarning(absl::StrCat("warning: cannot list the errors of ", job,
                                           ": ", page.status().message()));
        return false;
      }
      for (const v1::FileError& error : page->errors()) {
        if (--to_skip < 0) PrintOne(error);
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return true;
  }

  JobOutput* const output_;
  int64_t printed_ = 0;
  int64_t failures_ = 0;  // Of those, not warnings.
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

// How long to wait before a connection is made anew: at first, and at most.
constexpr absl::Duration kReconnectPauseMin = absl::Milliseconds(50);
constexpr absl::Duration kReconnectPauseMax = absl::Seconds(1);

// How often an agent is asked that takes no further watchers.
constexpr absl::Duration kPollInterval = absl::Seconds(1);

// The events of a job, from one or several streams of WatchJob.
class EventStreams {
 public:
  EventStreams(const std::string& name, AgentClient* client,
               const std::function<void(const v1::JobEvent&)>& on_event)
      : name_(name), client_(client), on_event_(on_event) {}

  // Watches until the stream ends.
  absl::Status Watch() {
    has_news_ = false;
    errors_of_stream_ = 0;
    return client_->WatchJob(name_, [this](const v1::JobEvent& event) { Take(event); });
  }

  // Asks once. The errors come with the next stream, or stay in the agent's list.
  absl::Status Ask() {
    absl::StatusOr<v1::Job> job = client_->GetJob(name_);
    if (!job.ok()) return job.status();
    v1::JobEvent event;
    *event.mutable_job() = *std::move(job);
    Tell(event);
    return absl::OkStatus();
  }

  bool has_ended() const { return has_ended_; }
  // Whether the last stream told of a change that was not known.
  bool has_news() const { return has_news_; }
  // Whether any event has come at all.
  bool is_known() const { return is_known_; }

 private:
  // Each stream begins with the first error.
  void Take(const v1::JobEvent& event) {
    const int64_t known = errors_told_ - errors_of_stream_;
    errors_of_stream_ += event.errors_size();
    if (known <= 0) return Tell(event);
    v1::JobEvent rest = event;
    rest.mutable_errors()->DeleteSubrange(
        0, static_cast<int>(std::min<int64_t>(known, event.errors_size())));
    Tell(rest);
  }

  void Tell(const v1::JobEvent& event) {
    is_known_ = true;
    has_news_ = has_news_ || event.job().version() > version_;
    version_ = event.job().version();
    errors_told_ += event.errors_size();
    has_ended_ = IsFinal(event.job().state());
    on_event_(event);
  }

  const std::string& name_;
  AgentClient* const client_;
  const std::function<void(const v1::JobEvent&)>& on_event_;
  bool has_news_ = false;
  bool has_ended_ = false;
  bool is_known_ = false;
  int64_t version_ = 0;
  int64_t errors_told_ = 0;
  int64_t errors_of_stream_ = 0;
};

}  // namespace

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED ||
         state == v1::Job::CANCELLED;
}

absl::Status FollowEvents(const std::string& name, AgentClient* client,
                          const std::function<void(const v1::JobEvent&)>& on_event) {
  EventStreams streams(name, client, on_event);
  SteadyTime lost_since = SteadyTime::max();  // Not lost.
  absl::Duration pause = kReconnectPauseMin;
  const auto patience = absl::ToChronoNanoseconds(kReconnectPatience);
  while (true) {
    const SteadyTime start = std::chrono::steady_clock::now();
    absl::Status status = streams.Watch();
    // A connection that breaks at once again and again is as good as none.
    const bool has_lasted = std::chrono::steady_clock::now() - start > patience;
    if (absl::IsResourceExhausted(status)) {
      status = streams.Ask();
      if (status.ok()) pause = kPollInterval;
      // A watcher would wait as well for an agent that takes its time.
      if (absl::IsDeadlineExceeded(status)) status = absl::OkStatus();
      lost_since = SteadyTime::max();
    } else if (streams.has_news() || has_lasted) {
      lost_since = SteadyTime::max();
      pause = kReconnectPauseMin;
    }
    if (streams.has_ended()) return absl::OkStatus();
    if (absl::IsNotFound(status) && streams.is_known()) {
      return absl::UnavailableError("the agent does not know the job any more");
    }
    if (!status.ok() && !absl::IsUnavailable(status)) return status;
    const SteadyTime now = std::chrono::steady_clock::now();
    lost_since = std::min(lost_since, now);
    if (now - lost_since > patience) {
      return absl::UnavailableError("the agent stopped telling before the job had ended");
    }
    if (!client->Wait(pause)) return absl::CancelledError("given up");
    pause = std::min(2 * pause, kReconnectPauseMax);
  }
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
    status = FollowEvents(name, client, [&errors, &latest](const v1::JobEvent& event) {
      errors.Print(event);
      latest.Set(event.job());
    });
  }
  if (!status.ok()) return status;
  std::optional<v1::Job> job = latest.Take();
  errors.PrintRest(*job, client);
  return *std::move(job);
}

}  // namespace ringcp
