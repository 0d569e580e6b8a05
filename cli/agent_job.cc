#include "cli/agent_job.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/absolute_path.h"
#include "cli/agent_client.h"
#include "cli/engine_report_lines.h"
#include "cli/exit_code.h"
#include "cli/interrupt_waiter.h"
#include "cli/job_follower.h"
#include "cli/job_output.h"
#include "cli/line_writer.h"
#include "cli/make_job_output.h"
#include "core/base/engine_report.h"
#include "proto/job_conversion.h"
#include "proto/job_spec.h"
#include "proto/ringcp.pb.h"

namespace ringcp {
namespace {

// A job stops within a second after it is cancelled; an agent that takes longer than this
// has other trouble.
constexpr std::chrono::milliseconds kCancelGrace{5000};

// How long the agent may take to answer that the job was cancelled: less than the grace.
constexpr absl::Duration kCancelTimeout = absl::Seconds(4);

// The job's specification, with paths made absolute, so that the agent understands them
// as this process does.
absl::StatusOr<v1::JobSpec> MakeSpec(CopyRequest request) {
  const absl::StatusOr<std::string> directory = CurrentDirectory();
  if (!directory.ok()) return directory.status();
  for (std::string& source : request.sources) source = AbsolutePath(*directory, source);
  request.target = AbsolutePath(*directory, request.target);
  return SpecFromCopyRequest(request);
}

// A random id makes each submission unique, so that sending it twice submits one job.
std::string RandomRequestId() {
  std::array<char, 16> bytes = {};
  // Can neither fail nor return fewer bytes once the kernel has booted, for so few bytes.
  [[maybe_unused]] const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
  return absl::BytesToHexString(std::string(bytes.data(), bytes.size()));
}

// Whether it is not known what became of a call that was answered so.
bool IsUndecided(const absl::Status& status) {
  const bool is_refusal = status.GetPayload(AgentClient::kDetails).has_value();
  return absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
         (absl::IsUnavailable(status) && !is_refusal);
}

absl::StatusOr<v1::Job> Submit(v1::JobSpec spec, AgentClient* client) {
  v1::SubmitJobRequest request;
  *request.mutable_spec() = std::move(spec);
  request.set_request_id(RandomRequestId());
  absl::StatusOr<v1::Job> job = client->SubmitJob(request);
  // Sent again, because the agent may have accepted the job, and only its answer is
  // missing. It returns the same job then.
  if (IsUndecided(job.status())) job = client->SubmitJob(request);
  return job;
}

// Prints why there is no job, or none that is known, and returns the exit code. `caught`
// is the signal that came meanwhile, or 0.
int ReportRefusal(const absl::Status& status, int caught, const AgentClient& client,
                  JobOutput* output) {
  if (IsUndecided(status)) {
    output->PrintFailure(absl::StrCat("no answer from the agent at ", client.address(),
                                      ", which may have taken the job; 'ringcpctl jobs' "
                                      "tells once it answers again"));
    return caught != 0 ? ExitCodeOfSignal(caught) : kExitAgentUnreachable;
  }
  const bool for_now = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  output->PrintFailure(absl::StrCat("the agent refused the job",
                                    for_now ? " for now: " : ": ", status.message()));
  return for_now ? kExitAgentRefusedForNow : kExitFailure;
}

int PrintName(const v1::Job& job, JobOutput* output) {
  LineWriter standard_output(STDOUT_FILENO);
  standard_output.WriteLine(job.name());
  if (standard_output.Flush()) return kExitSuccess;
  output->PrintFailure(absl::StrCat("write error; the job is ", job.name()));
  return kExitFailure;
}

// A job that may have to be cancelled before its name is known.
class CancellableJob {
 public:
  explicit CancellableJob(AgentClient* client) : client_(client) {}

  void SetName(const std::string& name) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      name_ = name;
      if (!cancelled_) return;
    }
    client_->CancelJob(name, kCancelTimeout).IgnoreError();
  }

  void Cancel() {
    std::string name;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      cancelled_ = true;
      name = name_;
    }
    if (!name.empty()) client_->CancelJob(name, kCancelTimeout).IgnoreError();
  }

 private:
  AgentClient* const client_;
  std::mutex mutex_;
  // Protected by mutex_:
  std::string name_;  // Empty until the agent has returned it.
  bool cancelled_ = false;
};

// Prints how `job` ended and returns the exit code; `caught` is the signal that cancelled
// the job, or 0.
int ReportEnd(const v1::Job& job, int caught, JobOutput* output) {
  const bool ended_by_signal = job.state() == v1::Job::CANCELLED && caught != 0;
  if (job.state() == v1::Job::CANCELLED && !ended_by_signal) {
    output->PrintFailure(absl::StrCat(job.name(), " was cancelled",
                                      job.error().empty() ? "" : ": ", job.error()));
  } else if (job.state() == v1::Job::FAILED && !job.error().empty()) {
    output->PrintFailure(job.error());
  }
  const bool all_written = output->Finish(job.state(), job.progress());
  if (ended_by_signal) return ExitCodeOfSignal(caught);
  return job.state() == v1::Job::SUCCEEDED && all_written ? kExitSuccess : kExitFailure;
}

// Prints why job `name` could not be followed to its end, and returns the exit code.
int ReportLoss(const std::string& name, const absl::Status& status, int caught,
               const AgentClient& client, JobOutput* output) {
  output->StopProgress();
  if (caught != 0) {
    output->PrintFailure(absl::StrCat(name, " was asked to stop, but the agent at ",
                                      client.address(), " has not said that it did"));
    return ExitCodeOfSignal(caught);
  }
  // An agent that was started anew does not know the job.
  if (absl::IsUnavailable(status) || absl::IsNotFound(status)) {
    output->PrintFailure(absl::StrCat("lost the connection to the agent at ",
                                      client.address(), "; ", name,
                                      " may have stopped with it"));
    return kExitAgentUnreachable;
  }
  output->PrintFailure(absl::StrCat("cannot watch ", name, ": ", status.message()));
  return kExitFailure;
}

}  // namespace

int RunAgentJob(const CopyCommandLine& command_line, const std::string& program) {
  const std::unique_ptr<JobOutput> output =
      MakeJobOutput(command_line.progress, program, absl::Now());
  absl::StatusOr<v1::JobSpec> spec = MakeSpec(command_line.request);
  if (!spec.ok()) {
    output->PrintFailure(std::string(spec.status().message()));
    return kExitFailure;
  }

  const absl::StatusOr<std::unique_ptr<AgentClient>> created =
      AgentClient::Create(*command_line.agent_address, command_line.agent_user);
  if (!created.ok()) {
    output->PrintFailure(std::string(created.status().message()));
    return kExitFailure;
  }
  AgentClient& client = **created;
  const absl::StatusOr<v1::AgentInfo> agent = client.Connect();
  if (!agent.ok()) {
    output->PrintFailure(std::string(agent.status().message()));
    return absl::IsUnavailable(agent.status()) ? kExitAgentUnreachable : kExitFailure;
  }
  if (command_line.debug) {
    output->PrintDebug(absl::StrCat("agent ", agent->version(), " at ", client.address(),
                                    ", kernel ", agent->kernel(), ", engine ",
                                    agent->engine(), ": ", agent->engine_reason()));
  }
  if (command_line.detach) {
    const absl::StatusOr<v1::Job> job = Submit(*std::move(spec), &client);
    return job.ok() ? PrintName(*job, output.get())
                    : ReportRefusal(job.status(), /*caught=*/0, client, output.get());
  }

  CancellableJob cancellable(&client);
  const InterruptWaiter interrupt([&cancellable] { cancellable.Cancel(); }, kCancelGrace,
                                  [&client] { client.GiveUp(); });
  const absl::StatusOr<v1::Job> submitted = Submit(*std::move(spec), &client);
  if (!submitted.ok()) {
    return ReportRefusal(submitted.status(), interrupt.caught(), client, output.get());
  }
  cancellable.SetName(submitted->name());
  const absl::StatusOr<v1::Job> ended =
      FollowJob(submitted->name(), &client, output.get());
  if (!ended.ok()) {
    return ReportLoss(submitted->name(), ended.status(), interrupt.caught(), client,
                      output.get());
  }
  if (command_line.debug) {
    const EngineReport report = EngineReportFromApi(ended->progress().engine());
    for (const std::string& line : EngineSummaryLines(report)) output->PrintDebug(line);
  }
  return ReportEnd(*ended, interrupt.caught(), output.get());
}

}  // namespace ringcp
