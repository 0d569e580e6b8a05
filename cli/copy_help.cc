#include "cli/copy_help.h"

#include "absl/strings/str_cat.h"
#include "core/base/version.h"

namespace ringcp {

std::string CopyHelp(const std::string& program) {
  return absl::StrCat("Usage: ", program,
                      " [OPTION]... [-T] SOURCE TARGET\n"
                      "  or:  ",
                      program,
                      " [OPTION]... SOURCE... DIRECTORY\n"
                      "  or:  ",
                      program,
                      R"( [OPTION]... -t DIRECTORY SOURCE...
Copy SOURCE to TARGET, or several SOURCEs into DIRECTORY, as GNU cp does.

Mandatory arguments to long options are mandatory for short options too.

What is copied:
  -r, -R, --recursive          copy directories with what is in them
  -x, --one-file-system        stay on the file system of each SOURCE
  -H                           follow symbolic links that are named as SOURCE
  -L, --dereference            always follow symbolic links in SOURCE
  -P, --no-dereference         never follow symbolic links in SOURCE
  -d                           same as --no-dereference --preserve=links

What is kept of it:
  -a, --archive                same as -dR --preserve=all
  -p                           same as --preserve=mode,ownership,timestamps
      --preserve[=ATTR_LIST]   preserve the attributes of the comma-separated list
                                 (default: mode,ownership,timestamps), if
                                 possible; further: links, all
      --no-preserve=ATTR_LIST  don't preserve the attributes of the list

Where it goes:
  -t, --target-directory=DIRECTORY  copy all SOURCE arguments into DIRECTORY
  -T, --no-target-directory    treat TARGET as a normal file
  -f, --force                  if an existing target can't be opened, remove it
                                 and try again (not with -n)
  -n, --no-clobber             don't overwrite an existing file
      --remove-destination     remove each existing target file before it is copied
                                 to (not with -n)
      --reflink[=WHEN]         clone files, so that they share their blocks until
                                 one is written to: 'auto' (default; copy where
                                 that can't be), 'always' (fail there; also without
                                 WHEN), or 'never'
      --direct                 copy files of more than a block past the page cache
                                 (O_DIRECT), where the file systems can, and
                                 leave nothing of the others in it
      --no-cache               leave nothing of what is copied in the page cache

What is told:
  -v, --verbose                print what was copied, and what was removed for it
      --progress=WHEN          show progress on standard error: 'auto' (default),
                                 'always', 'never', or 'json'; see below
      --debug                  tell which engine copied, why, and what it did

How and where it runs:
      --engine=ENGINE          'uring', 'threads' (plain system calls), or 'auto'
                                 (default): uring where the kernel permits it, but
                                 plain system calls for files that are in memory
      --workers=N              at most N threads that copy, 1 to 16, each with its
                                 ring (default: one for each CPU)
      --queue-depth=N          at most N files in flight for each of them, 1 to 256,
                                 as far as 64 MiB of blocks last (default: up to
                                 112); fewer where more gain nothing
      --block-size=SIZE        bytes of each read and write, 4K to 4M, a multiple
                                 of 4K (default: 256K, and up to 1M for files
                                 whose contents come slowly)
      --sqpoll                 a kernel thread takes in what is submitted: fewer
                                 system calls, one more busy CPU; only with uring
      --iopoll                 with --direct: ask the device for what is done, over
                                 and over, instead of waiting for it, where the
                                 device has poll queues (NVMe); only with uring
      --agent=ADDRESS          let the agent (ringcpd) at ADDRESS copy, and follow
                                 the job: unix:/PATH, or '' for the default address
      --detach                 with an agent: print the job's name and don't wait
      --help                   display this help and exit
      --version                output version information and exit

Extended attributes, ACLs and SELinux contexts are not copied. An agent's warnings
are in its log.

With --progress=auto a job that takes a while draws one line if standard error is
a terminal; with 'always' it is drawn whatever standard error is. With 'json'
standard error has one JSON object a line: {"state":...,"progress":{...}} at most
ten times a second, {"error":{...}} for each file that was not copied, and as the
last line one whose state is SUCCEEDED, FAILED or CANCELLED, unless an agent did
not take the job or was lost; also "warning", "failure" (then, and of the job as a
whole), "copied" and "removed" (-v) and "debug", each with a text. Fields are those
of ringcp.v1.Progress and FileError, 64-bit numbers are strings. A command line that
is wrong is told of in plain text.

An agent gets absolute paths and copies with its own rights and umask. It does not
report each file, so -v can't be had from it.

Environment:
  RINGCP_AGENT     the ADDRESS of the agent to use without --agent; empty or unset:
                     copy in this process
  XDG_RUNTIME_DIR  the default address is unix:$XDG_RUNTIME_DIR/ringcp/agent.sock,
                     and unix:/run/ringcp/agent.sock for root without it
  POSIXLY_CORRECT  options end at the first operand
  COLUMNS          how wide the line of --progress=always is where standard error
                     does not tell

Exit status:
  0    everything was copied
  1    something was not copied, or the command line was wrong
  69   the agent can't be reached, or was lost
  75   the agent takes no job at the moment
  130  ended by SIGINT (Ctrl-C), 143 by SIGTERM, 129 by SIGHUP: no half-written file
         is left. A second signal ends ringcp at once, without cleaning up. With an
         agent, SIGHUP leaves the job to it.)");
}

std::string VersionText(const std::string& name) {
  return absl::StrCat(name, " ", kVersion, R"(
License Apache-2.0: <https://www.apache.org/licenses/LICENSE-2.0>
This is free software: you are free to change and redistribute it.
There is NO WARRANTY, to the extent permitted by law.)");
}

}  // namespace ringcp
