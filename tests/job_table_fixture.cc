#include "tests/job_table_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/match.h"

namespace ringcp {

using v1::Job;

JobTableFixture::JobTableFixture() {
  options_.log = [this](std::string_view line) { log_.Add(line); };
}

JobTable& JobTableFixture::table() {
  if (!table_.has_value()) table_.emplace(options_);
  return *table_;
}

class AwaitedWatch::News final : public Watcher {
 public:
  void OnNews() override {
    MutexLock lock(&mutex_);
    has_come_ = true;
    come_.NotifyAll();
  }

  void Await(SteadyTime until) {
    MutexLock lock(&mutex_);
    while (!has_come_ && come_.WaitUntil(&mutex_, until)) {
    }
    has_come_ = false;
  }

 private:
  Mutex mutex_;
  CondVar come_;
  bool has_come_ ABSL_GUARDED_BY(mutex_) = false;
};

AwaitedWatch::AwaitedWatch(std::unique_ptr<JobTable::Watch> watch)
    : news_(std::make_shared<News>()), watch_(std::move(watch)) {
  watch_->Tell(news_);
}

std::optional<v1::JobEvent> AwaitedWatch::Next(SteadyTime until) {
  while (true) {
    std::optional<v1::JobEvent> event = watch_->Next();
    if (event.has_value() || std::chrono::steady_clock::now() >= until) return event;
    news_->Await(until);
  }
}

Job JobTableFixture::Submit(const v1::JobSpec& spec, const std::string& request_id) {
  const auto submitted = table().Submit(spec, request_id);
  EXPECT_TRUE(submitted.ok()) << submitted.status();
  if (!submitted.ok()) return Job();
  const SteadyTime give_up = Now() + kPatience;
  while (Now() < give_up) {
    // Asked before its state, because the job itself may be the one that leaves no room.
    const bool must_wait = MustWait(*submitted);
    Job job = Get(submitted->name());
    if (job.state() != Job::QUEUED || must_wait) return job;
    std::this_thread::yield();
  }
  ADD_FAILURE() << submitted->name() << " neither runs nor waits";
  return *submitted;
}

bool JobTableFixture::MustWait(const Job& job) {
  if (table().counts().running == options_.limits.running_jobs_max) return true;
  const std::vector<std::string> lines = log_.Get();
  return std::any_of(lines.begin(), lines.end(), [&job](const std::string& line) {
    return absl::StartsWith(line, job.name() + " waits for ");
  });
}

Job JobTableFixture::Get(const std::string& name) {
  auto job = table().Get(name);
  EXPECT_TRUE(job.ok()) << job.status();
  return job.ok() ? *job : Job();
}

std::unique_ptr<AwaitedWatch> JobTableFixture::OpenWatch(const std::string& name,
                                                         int64_t since_version) {
  auto watch = table().OpenWatch(name, since_version);
  EXPECT_TRUE(watch.ok()) << watch.status();
  return std::make_unique<AwaitedWatch>(*std::move(watch));
}

Job JobTableFixture::WaitFor(const std::string& name, Job::State state) {
  const auto watch = OpenWatch(name);
  const SteadyTime give_up = Now() + kPatience;
  while (Now() < give_up) {
    const auto event = watch->Next(give_up);
    if (event.has_value() && event->job().state() == state) return event->job();
    if (watch->ended()) break;
  }
  ADD_FAILURE() << name << " did not become " << Job::State_Name(state);
  return Job();
}

void JobTableFixture::Release(const Job& job) {
  // Waits until the job opens the FIFO as well.
  const int fd = open(job.spec().sources(0).c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  close(fd);
}

v1::ListJobsResponse JobTableFixture::List(int page_size, const std::string& filter,
                                           const std::string& page_token) {
  v1::ListJobsRequest request;
  request.set_page_size(page_size);
  request.set_filter(filter);
  request.set_page_token(page_token);
  auto response = table().List(request);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *response : v1::ListJobsResponse();
}

std::vector<std::string> JobTableFixture::Names(const v1::ListJobsResponse& response) {
  std::vector<std::string> names;
  for (const Job& job : response.jobs()) names.push_back(job.name());
  return names;
}

}  // namespace ringcp
