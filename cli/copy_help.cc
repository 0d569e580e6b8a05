#include "cli/copy_help.h"

#include "absl/strings/str_cat.h"
#include "cli/copy_options.h"
#include "core/base/version.h"

namespace ringcp {

Manual CopyManual() {
  return {
      .program = "ringcp",
      .summary = "copy files and directories",
      .usages = {"[OPTION]... [-T] SOURCE TARGET", "[OPTION]... SOURCE... DIRECTORY",
                 "[OPTION]... -t DIRECTORY SOURCE..."},
      .description =
          "Copy SOURCE to TARGET, or several SOURCEs into DIRECTORY, as GNU cp does. "
          "Where versions of GNU cp differ, ringcp does what 9.5 and later ones do.",
      .options = CopyOptionTexts(),
      .notes =
          {"If nobody reads -v's lines any more (\"ringcp -rv a b | head\"), the copy is "
           "completed all the same, and the exit code is 1; GNU cp is ended half-way.",
           "With -i the files of a directory are asked about before those of directories "
           "below it. Of two SOURCEs with one name, the second is refused without a "
           "question.",
           "With --progress=auto a job that takes a while draws one line if standard "
           "error is a terminal; with 'always' it is drawn whatever standard error is. "
           "With 'json' standard error has one JSON object a line: "
           "{\"state\":...,\"progress\":{...}} at most ten times a second, "
           "{\"error\":{...}} for each file that was not copied, and as the last line "
           "one whose state is SUCCEEDED, FAILED or CANCELLED, unless an agent did not "
           "take the job or was lost; also \"warning\", \"failure\" (then, and of the "
           "job as a whole), \"copied\", \"removed\" and \"unbackup\" (-v), \"question\" "
           "(-i; the answer is read from standard input) and \"debug\", each with a "
           "text. Fields are those of ringcp.v1.Progress and FileError, 64-bit numbers "
           "are strings. A command line that is wrong is told of in plain text.",
           "An agent gets absolute paths and copies with its own rights and umask. It "
           "does not report each file and has no terminal, so -v and -i can't be had "
           "from it. With --parents it takes SOURCEs that "
           "begin with a slash only, and it takes none that is another file for each "
           "process, such as /dev/stdin."},
      .environment = {{"RINGCP_AGENT",
                       "the ADDRESS of the agent to use without --agent; empty or unset: "
                       "copy in this process"},
                      {"XDG_RUNTIME_DIR",
                       "the default address is unix:$XDG_RUNTIME_DIR/ringcp/agent.sock, "
                       "and unix:/run/ringcp/agent.sock for root without it"},
                      {"VERSION_CONTROL", "what kind of backups --backup makes"},
                      {"SIMPLE_BACKUP_SUFFIX", "the suffix of simple backups"},
                      {"POSIXLY_CORRECT",
                       "options end at the first operand; a symbolic link to nowhere is "
                       "written through"},
                      {"LD_PRELOAD",
                       "libraries that stand in for the C library's calls, such as "
                       "fakeroot's: ringcp becomes ringcp-dynamic, which lies beside it "
                       "and copies by calls that they see, on one thread. What an agent "
                       "copies they don't see"},
                      {"COLUMNS",
                       "how wide the line of --progress=always is where standard error "
                       "does not tell"}},
      .exit_statuses =
          {{"0", "everything was copied"},
           {"1",
            "something was not copied, -i was answered with no, or the command line was "
            "wrong; what -n and -u leave alone is no failure"},
           {"69", "the agent can't be reached, or was lost"},
           {"75", "the agent takes no job at the moment"},
           {"130",
            "ended by SIGINT (Ctrl-C), 143 by SIGTERM, 129 by SIGHUP: no half-written "
            "file is left. A second signal ends ringcp at once, without cleaning up. "
            "With an agent, SIGHUP leaves the job to it."}},
  };
}

std::string CopyHelp(const std::string& program) {
  return HelpText(CopyManual(), program);
}

std::string VersionText(const std::string& name) {
  return absl::StrCat(name, " ", kVersion, R"(
License Apache-2.0: <https://www.apache.org/licenses/LICENSE-2.0>
This is free software: you are free to change and redistribute it.
There is NO WARRANTY, to the extent permitted by law.)");
}

}  // namespace ringcp
