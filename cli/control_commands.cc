#include "cli/control_commands.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/agent_client.h"
#include "cli/engine_report_lines.h"
#include "cli/exit_code.h"
#include "cli/interrupt_waiter.h"
#include "cli/job_follower.h"
#include "cli/job_table_format.h"
#include "cli/line_writer.h"
#include "cli/message_json.h"
#include "cli/progress_mode.h"
#include "cli/text_job_output.h"
#include "cli/write_all.h"
#include "proto/job_conversion.h"
#include "proto/ringcp.pb.h"

namespace ringcp {
namespace {

// How many errors and warnings `show` prints; --json and the API offer all of them.
constexpr int kErrorsShownMax = 100;
constexpr int kJobsPerPage = 1000;
constexpr int kErrorsPerPage = 1000;

class ControlCommand {
 public:
  ControlCommand(const ControlCommandLine& command_line, const std::string& program,
                 AgentClient* client)
      : command_line_(command_line),
        program_(program),
        client_(*client),
        standard_output_(STDOUT_FILENO) {}

  int Run() {
    const absl::StatusOr<v1::AgentInfo> info = client_.Connect();
    if (!info.ok()) return Fail(info.status());
    const int exit_code = RunConnected(*info);
    if (standard_output_.Flush()) return exit_code;
    PrintError(absl::StrCat("write error: ", strerror(standard_output_.error_number())));
    return kExitFailure;
  }

 private:
  int RunConnected(const v1::AgentInfo& info) {
    switch (command_line_.command) {
      case ControlCommandLine::Command::kJobs:
        return command_line_.json ? PrintJobs() : PrintJobTable();
      case ControlCommandLine::Command::kShow:
        return Show();
      case ControlCommandLine::Command::kWatch:
        return command_line_.json ? WatchEvents() : Watch();
      case ControlCommandLine::Command::kCancel:
        return Cancel();
      case ControlCommandLine::Command::kInfo:
        standard_output_.WriteLine(command_line_.json
                                       ? MessageJson(info)
                                       : FormatAgentInfo(info, client_.address()));
        return kExitSuccess;
      case ControlCommandLine::Command::kShowHelp:
      case ControlCommandLine::Command::kShowVersion:
        break;
    }
    return kExitFailure;
  }

  void PrintError(const std::string& message) {
    WriteAll(STDERR_FILENO, absl::StrCat(program_, ": ", message, "\n"));
  }

  // Connect()'s message is complete; UNAVAILABLE from another call means a lost agent.
  int Fail(const absl::Status& status) {
    PrintError(std::string(status.message()));
    return absl::IsUnavailable(status) ? kExitAgentUnreachable : kExitFailure;
  }

  // Calls `on_job` for each job of the list.
  template <typename OnJob>
  absl::Status ForEachJob(const OnJob& on_job) {
    v1::ListJobsRequest request;
    request.set_page_size(kJobsPerPage);
    // The table needs no sources.
    request.set_view(command_line_.json ? v1::JOB_VIEW_FULL : v1::JOB_VIEW_BASIC);
    do {
      const absl::StatusOr<v1::ListJobsResponse> page = client_.ListJobs(request);
      if (!page.ok()) return page.status();
      for (const v1::Job& job : page->jobs()) on_job(job);
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return absl::OkStatus();
  }

  int PrintJobs() {
    const absl::Status status = ForEachJob(
        [this](const v1::Job& job) { standard_output_.WriteLine(MessageJson(job)); });
    return status.ok() ? kExitSuccess : Fail(status);
  }

  int PrintJobTable() {
    JobTable table(absl::Now());
    const absl::Status status =
        ForEachJob([&table](const v1::Job& job) { table.Add(job); });
    if (!status.ok()) return Fail(status);
    standard_output_.WriteLine(table.Format());
    return kExitSuccess;
  }

  int Show() {
    const absl::StatusOr<v1::Job> job = client_.GetJob(command_line_.job_name);
    if (!job.ok()) return Fail(job.status());
    if (command_line_.json) {
      standard_output_.WriteLine(MessageJson(*job));
      const absl::StatusOr<bool> all = ForEachError(
          std::numeric_limits<int64_t>::max(), [this](const v1::FileError& error) {
            standard_output_.WriteLine(MessageJson(error));
          });
      return all.ok() ? kExitSuccess : Fail(all.status());
    }
    standard_output_.WriteLine(FormatJob(*job, absl::Now(), absl::LocalTimeZone()));
    std::string heading = "\nErrors and warnings:\n";
    const absl::StatusOr<bool> all =
        ForEachError(kErrorsShownMax, [this, &heading](const v1::FileError& error) {
          standard_output_.WriteLine(
              absl::StrCat(std::exchange(heading, ""), "  ", error.message()));
        });
    if (!all.ok()) return Fail(all.status());
    if (!*all) {
      standard_output_.WriteLine(absl::StrCat("  and more, of which '--json show ",
                                              command_line_.job_name, "' prints all"));
    }
    return kExitSuccess;
  }

  // Calls `on_error` for the job's first `most` errors. Returns whether these were all.
  template <typename OnError>
  absl::StatusOr<bool> ForEachError(int64_t most, const OnError& on_error) {
    v1::ListJobErrorsRequest request;
    request.set_name(command_line_.job_name);
    request.set_page_size(static_cast<int>(std::min<int64_t>(most, kErrorsPerPage)));
    do {
      const absl::StatusOr<v1::ListJobErrorsResponse> page =
          client_.ListJobErrors(request);
      if (!page.ok()) return page.status();
      for (const v1::FileError& error : page->errors()) on_error(error);
      most -= page->errors_size();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty() && most > 0);
    return request.page_token().empty();
  }

  int Cancel() {
    const absl::StatusOr<v1::Job> job = client_.CancelJob(command_line_.job_name);
    if (!job.ok()) return Fail(job.status());
    if (command_line_.json) {
      standard_output_.WriteLine(MessageJson(*job));
    } else {
      standard_output_.WriteLine(absl::StrCat(
          job->name(), IsFinal(job->state()) ? " has ended: " : " was asked to stop: ",
          v1::Job::State_Name(job->state())));
    }
    return kExitSuccess;
  }

  int Watch() {
    TextJobOutput output(program_, ProgressMode::kAuto, absl::Now());
    const InterruptWaiter interrupt = GiveUpOnInterrupt();
    const absl::StatusOr<v1::Job> job =
        FollowJob(command_line_.job_name, &client_, &output);
    if (!job.ok()) {
      output.Finish(v1::Job::STATE_UNSPECIFIED, v1::Progress());
      return EndOfWatch(interrupt.caught(), job.status());
    }
    if (!job->error().empty()) output.PrintFailure(job->error());
    output.Finish(job->state(), job->progress());
    const std::string limit = LimitLine(EngineReportFromApi(job->progress().engine()));
    if (!limit.empty()) standard_output_.WriteLine(limit);
    standard_output_.WriteLine(
        absl::StrCat(job->name(), " has ended: ", v1::Job::State_Name(job->state())));
    return ExitCodeOf(job->state());
  }

  int WatchEvents() {
    const InterruptWaiter interrupt = GiveUpOnInterrupt();
    v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
    const absl::Status status = FollowEvents(
        command_line_.job_name, &client_, [this, &state](const v1::JobEvent& event) {
          standard_output_.WriteLine(MessageJson(event));
          standard_output_.Flush();
          state = event.job().state();
        });
    return IsFinal(state) ? ExitCodeOf(state) : EndOfWatch(interrupt.caught(), status);
  }

  InterruptWaiter GiveUpOnInterrupt() {
    return InterruptWaiter([this] { client_.GiveUp(); }, std::chrono::milliseconds(0),
                           [] {});
  }

  static int ExitCodeOf(v1::Job::State state) {
    return state == v1::Job::SUCCEEDED ? kExitSuccess : kExitFailure;
  }

  // The exit code of a watch that ended before the job; `caught` is the signal, or 0.
  int EndOfWatch(int caught, const absl::Status& status) {
    if (caught != 0) return ExitCodeOfSignal(caught);
    if (!absl::IsUnavailable(status)) return Fail(status);
    PrintError(absl::StrCat("lost the connection to the agent at ", client_.address(),
                            "; ", command_line_.job_name, " may have stopped with it"));
    return kExitAgentUnreachable;
  }

  const ControlCommandLine& command_line_;
  const std::string program_;
  AgentClient& client_;
  LineWriter standard_output_;
};

}  // namespace

int RunControlCommand(const ControlCommandLine& command_line,
                      const std::string& program) {
  const absl::StatusOr<std::unique_ptr<AgentClient>> client =
      AgentClient::Create(command_line.agent_address, command_line.agent_user);
  if (!client.ok()) {
    WriteAll(STDERR_FILENO,
             absl::StrCat(program, ": ", std::string(client.status().message()), "\n"));
    return kExitFailure;
  }
  return ControlCommand(command_line, program, client->get()).Run();
}

}  // namespace ringcp
