#include "cli/control_help.h"

#include "absl/strings/str_cat.h"

namespace ringcp {

std::string ControlHelp(const std::string& program) {
  return absl::StrCat("Usage: ", program,
                      R"( [OPTION]... COMMAND [JOB]
See and end the jobs of a copy agent (ringcpd).

Commands:
  jobs         list the jobs that the agent remembers, newest first
  show JOB     show one job, with what it could not copy and its warnings
  watch JOB    follow a job to its end; the exit status is the job's
  cancel JOB   ask a job to stop, and don't wait for it
  info         show what the agent is: version, engine, limits

JOB is a job's name, as 'ringcp --detach' prints it, with or without 'jobs/'.

Options:
      --agent=ADDRESS  the agent's address: unix:/PATH, or '' for the default
      --agent-user=USER  whose agent it may be; without this root's and your own
      --json           print messages of ringcp.v1 in protobuf's JSON mapping, one a
                         line: Job for jobs, show and cancel, after it for show
                         a FileError for each error, JobEvent for watch,
                         AgentInfo for info
      --help           display this help and exit
      --version        output version information and exit

Environment:
  RINGCP_AGENT     the ADDRESS to use without --agent
  XDG_RUNTIME_DIR  the default address is unix:$XDG_RUNTIME_DIR/ringcp/agent.sock,
                     and unix:/run/ringcp/agent.sock for root without it
  POSIXLY_CORRECT  options end at the first operand

Exit status:
  0    done; with watch: the job copied everything
  1    failed, or the command line was wrong; with watch: the job did not copy
         everything, or was cancelled
  69   the agent can't be reached, or was lost
  130  ended by SIGINT (Ctrl-C), 143 by SIGTERM; a watched job goes on)");
}

}  // namespace ringcp
