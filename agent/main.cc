// ringcpd, the resident agent of ringcp.

#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/agent_options.h"
#include "agent/agent_server.h"
#include "agent/file_shares.h"
#include "core/base/version.h"
#include "core/kernel/open_files.h"
#include "core/kernel/security_labels.h"
#include "core/kernel/standard_streams.h"
#include "core/kernel/start_thread.h"
#include "proto/address.h"

namespace {

// Prints one line on stderr, whole even if several threads print at the same time.
void PrintLine(std::string_view text) {
  const std::string line = absl::StrCat("ringcpd: ", std::string(text), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

// The umask can't be read without setting it, so main() calls this before there are other
// threads.
mode_t ReadUmask() {
  const mode_t mask = umask(022);
  umask(mask);
  return mask;
}

// Blocks the signals that end the agent, in this thread and those it starts, and returns
// them. The agent takes them with sigwait(), so that no code runs in a signal handler.
sigset_t BlockEndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // SIGHUP means that the terminal is gone; under nohup the agent has to ignore that.
  struct sigaction hang_up;
  if (sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) {
    sigaddset(&signals, SIGHUP);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // If a client or a reader of the log goes away, a write fails; the agent goes on.
  signal(SIGPIPE, SIG_IGN);
  // Beyond the limit on a file's size a write fails, and with it one file of one job; the
  // agent goes on.
  signal(SIGXFSZ, SIG_IGN);
  return signals;
}

int WaitForSignal(const sigset_t& signals) {
  int signal_number = 0;
  while (sigwait(&signals, &signal_number) != 0) {
  }
  return signal_number;
}

// Where to listen, and whether to make the directory, which is ours only for the default.
absl::Status ResolveAddresses(const ringcp::AgentOptions& options,
                              ringcp::AgentServer::Options* server_options) {
  std::vector<std::string> addresses = options.addresses;
  if (addresses.empty()) {
    absl::StatusOr<std::string> address = ringcp::DefaultAgentAddress();
    if (!address.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          address.status().message(), "; say where to listen with --listen unix:/path"));
    }
    addresses.push_back(*std::move(address));
    server_options->make_directories = true;
  }
  for (const std::string& address : addresses) {
    absl::StatusOr<std::string> path = ringcp::SocketPath(address);
    if (!path.ok()) return path.status();
    server_options->socket_paths.push_back(*std::move(path));
  }
  return absl::OkStatus();
}

// How many connections and jobs there may be at the same time, and how many files each
// job may open.
absl::Status ShareOutFiles(const ringcp::AgentOptions& options,
                           ringcp::AgentServer::Options* server_options) {
  const int files_max = ringcp::OpenFilesMax();
  const absl::StatusOr<ringcp::FileShares> shares =
      ringcp::ShareFiles(files_max, options.running_jobs_max);
  if (!shares.ok()) return shares.status();
  if (shares->running_jobs_max < options.running_jobs_max) {
    PrintLine(absl::StrCat("at most ", shares->running_jobs_max, " of ",
                           options.running_jobs_max,
                           " jobs run at the same time, because this process may have "
                           "only ",
                           files_max, " files open (ulimit -n)"));
  }
  server_options->connections_max = shares->connections_max;
  server_options->jobs.limits.running_jobs_max = shares->running_jobs_max;
  server_options->jobs.job_files_max = shares->job_files_max;
  return absl::OkStatus();
}

int Fail(const absl::Status& status) {
  PrintLine(std::string(status.message()));
  return EXIT_FAILURE;
}

}  // namespace

RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES

int main(int argc, char* argv[]) {
  const std::string program = argc > 0 ? argv[0] : "ringcpd";
  const auto options = ringcp::ParseAgentOptions(argc, argv);
  if (!options.has_value()) {
    std::fprintf(stderr, "Try '%s --help' for more information.\n", program.c_str());
    return EXIT_FAILURE;
  }
  if (options->help || options->version) {
    const std::string text = options->help
                                 ? ringcp::AgentHelp(program)
                                 : absl::StrCat("ringcpd ", ringcp::kVersion, "\n");
    return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
  }

  ringcp::LoadLibrariesBy({.open = dlopen, .find = dlsym});
  ringcp::AgentServer::Options server_options;
  absl::Status status = ResolveAddresses(*options, &server_options);
  if (!status.ok()) return Fail(status);
  server_options.jobs.umask = ReadUmask();
  server_options.jobs.log = PrintLine;
  ringcp::RaiseOpenFilesMax();
  status = ShareOutFiles(*options, &server_options);
  if (!status.ok()) return Fail(status);
  const sigset_t ending_signals = BlockEndingSignals();

  const std::string where =
      absl::StrCat("unix:", absl::StrJoin(server_options.socket_paths, ", unix:"));
  auto agent = ringcp::AgentServer::Start(std::move(server_options));
  if (!agent.ok()) return Fail(agent.status());
  PrintLine(absl::StrCat("listening on ", where));

  WaitForSignal(ending_signals);
  PrintLine("ending: jobs are cancelled; a second signal ends at once");
  // The second signal ends the process even if a device doesn't answer. If no thread can
  // be started for this, the jobs still end as they should.
  std::thread second_signal;
  if (ringcp::StartThread(
          [ending_signals] { _exit(128 + WaitForSignal(ending_signals)); },
          &second_signal)) {
    second_signal.detach();
  }
  agent->reset();
  return EXIT_SUCCESS;
}
