#include "tests/job_table_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace ringcp {

using v1::Job;

JobTableFixture::JobTableFixture() {
  options_.log = [this](std::string_view line) { log_.Add(line); };
}

JobTable& JobTableFixture::table() {
  if (!table_.has_value()) table_.emplace(options_);
  return *table_;
}

Job JobTableFixture::Submit(const v1::JobSpec& spec, const std::string& request_id) {
  auto job = table().Submit(spec, request_id);
  EXPECT_TRUE(job.ok()) << job.status();
  return job.ok() ? *job : Job();
}

Job JobTableFixture::Get(const std::string& name) {
  auto job = table().Get(name);
  EXPECT_TRUE(job.ok()) << job.status();
  return job.ok() ? *job : Job();
}

std::unique_ptr<JobTable::Watch> JobTableFixture::OpenWatch(const std::string& name,
                                                            int64_t since_version) {
  auto watch = table().OpenWatch(name, since_version);
  EXPECT_TRUE(watch.ok()) << watch.status();
  return *std::move(watch);
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
