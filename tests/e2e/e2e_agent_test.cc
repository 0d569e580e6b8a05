// Tests the real ringcp, ringcpctl and ringcpd together, on a socket of their own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/file_tree.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

class AgentTest : public testing::Test {
 protected:
  void TearDown() override {
    if (agent_ != nullptr) agent_->Signal(SIGKILL);
  }

  std::string Address() const { return "unix:" + scratch_.Path("agent.sock"); }

  void StartAgent(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"ringcpd", "--listen", Address()});
    Subprocess::Options options;
    options.program = ProgramPath("agent/ringcpd");
    options.arguments = std::move(arguments);
    agent_ = std::make_unique<Subprocess>(options);
    ASSERT_TRUE(agent_->WaitForError("listening on")) << agent_->error();
  }

  // Starts an agent that may have at most `files` files open.
  Subprocess::Options AgentWithFewFiles(int files) const {
    Subprocess::Options options;
    options.program = "/bin/sh";
    options.arguments = {"sh",
                         "-c",
                         absl::StrCat("ulimit -n ", files, "; exec \"$0\" \"$@\""),
                         ProgramPath("agent/ringcpd"),
                         "--listen",
                         Address()};
    return options;
  }

  Subprocess::Options Program(const std::string& name,
                              std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), name);
    Subprocess::Options options;
    options.program = ProgramPath("cli/" + name);
    options.arguments = std::move(arguments);
    options.environment = {"TERM=xterm", "RINGCP_AGENT=" + Address()};
    options.directory = scratch_.path();
    return options;
  }

  Subprocess::Options Ringcp(std::vector<std::string> arguments) {
    return Program("ringcp", std::move(arguments));
  }

  Subprocess::Options Ctl(std::vector<std::string> arguments) {
    return Program("ringcpctl", std::move(arguments));
  }

  // Runs ringcpctl again and again until its output contains `text`.
  void WaitForCtl(const std::vector<std::string>& arguments, const std::string& text) {
    for (;;) {
      const Subprocess::Result result = RunProgram(Ctl(arguments));
      if (absl::StrContains(result.output, text)) return;
      ASSERT_EQ(result.exit_code, 0) << result.error;
    }
  }

  // Submits a job with --detach and returns its name.
  std::string Submit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--detach");
    const Subprocess::Result result = RunProgram(Ringcp(std::move(arguments)));
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_TRUE(result.output.starts_with("jobs/")) << result.output;
    return std::string(absl::StripSuffix(result.output, "\n"));
  }

  // Opens the FIFO `name` for writing, which waits until a job reads it.
  int OpenFifo(const std::string& name) {
    const int fifo = open(scratch_.Path(name).c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_NE(fifo, -1);
    return fifo;
  }

  static void Write(int fifo, const std::string& text) {
    ASSERT_EQ(write(fifo, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Subprocess> agent_;
};

TEST_F(AgentTest, CopiesATreeWithAWatcher) {
  StartAgent();
  const Subprocess::Result result =
      RunProgram(Ringcp({"-a", "/usr/include/linux", "copy"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  const FileTreeOptions exact = {.recent_as_now = false};
  EXPECT_EQ(DifferenceOfTrees(ListFileTree("/usr/include/linux", exact),
                              ListFileTree(scratch_.Path("copy"), exact)),
            "");
}

TEST_F(AgentTest, TakesRelativePathsFromTheCallersDirectory) {
  StartAgent();
  scratch_.MakeDirectory("source");
  scratch_.WriteFile("source/caf\xe9", "text");
  EXPECT_EQ(RunProgram(Ringcp({"-r", "source/.", "target"})).exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/caf\xe9")), "text");
  EXPECT_EQ(RunProgram(Ringcp({"target/caf\xe9", "./new"})).exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("new")), "text");
}

TEST_F(AgentTest, ReportsWhatWasNotCopiedLikeACopyOfItsOwn) {
  StartAgent();
  scratch_.WriteFile("a", "alpha");
  scratch_.MakeDirectory("target");
  const Subprocess::Result result = RunProgram(Ringcp({"nope", "a", "target"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error, absl::StrCat("ringcp: cannot stat '", scratch_.Path("nope"),
                                       "': No such file or directory\n"));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/a")), "alpha");
}

TEST_F(AgentTest, WarnsTheSubmitterLikeACopyOfItsOwn) {
  StartAgent();
  scratch_.WriteFile("a", "alpha");
  scratch_.MakeDirectory("target");
  const Subprocess::Result result = RunProgram(Ringcp({"a", "a", "target"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error,
            absl::StrCat("ringcp: warning: source file '", scratch_.Path("a"),
                         "' specified more than once\n"));
}

// In the agent such links would lead to what is the agent's own.
TEST_F(AgentTest, TakesNoLinksToWhatEachProcessHasOfItsOwn) {
  StartAgent();
  ASSERT_EQ(symlink("/dev/stdin", scratch_.Path("input").c_str()), 0);
  ASSERT_EQ(symlink("/proc/self", scratch_.Path("process").c_str()), 0);
  scratch_.WriteFile("kept", "old");
  for (const std::string source : {"input", "process/status"}) {
    const Subprocess::Result result = RunProgram(Ringcp({source, "kept"}));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.error,
              absl::StrCat("ringcp: '", scratch_.Path(source),
                           "' leads to what is the agent's own there (such as its "
                           "/dev/stdin); copy it without an agent\n"));
  }
  EXPECT_EQ(RunProgram(Ringcp({"kept", "input"})).exit_code, 1);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("kept")), "old");
}

TEST_F(AgentTest, ReportsWhyAJobFailedAsAWhole) {
  StartAgent();
  const Subprocess::Result result = RunProgram(Ringcp({"a", "b", "nope"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error, absl::StrCat("ringcp: target '", scratch_.Path("nope"),
                                       "': No such file or directory\n"));
}

TEST_F(AgentTest, PrintsEveryErrorOnceAlsoWhenThereAreThousands) {
  constexpr int kMissing = 2500;
  StartAgent();
  scratch_.MakeDirectory("target");
  std::vector<std::string> arguments;
  for (int i = 0; i < kMissing; ++i) arguments.push_back(absl::StrCat("nope", i));
  arguments.push_back("target");
  const Subprocess::Result result = RunProgram(Ringcp(arguments));
  EXPECT_EQ(result.exit_code, 1);
  const std::vector<std::string> lines =
      absl::StrSplit(result.error, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), static_cast<size_t>(kMissing));
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
}

TEST_F(AgentTest, DrawsALineAndTakesItAway) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess::Options options = Ringcp({"fifo", "target"});
  options.terminal_columns = 80;
  Subprocess copy(options);
  const int fifo = OpenFifo("fifo");
  ASSERT_TRUE(copy.WaitForError("/s"));
  close(fifo);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.error.ends_with("\r\033[K")) << result.error;
}

TEST_F(AgentTest, CancelsTheJobOnCtrlCAndLeavesNothing) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=json", "fifo", "target"}));
  const int fifo = OpenFifo("fifo");
  Write(fifo, std::string(4096, 'x'));
  ASSERT_TRUE(copy.WaitForError(R"("bytesDone":"4096")"));
  copy.Signal(SIGINT);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.signal, SIGINT);
  EXPECT_TRUE(absl::StrContains(result.error, R"({"state":"CANCELLED")")) << result.error;
  EXPECT_FALSE(Exists(scratch_.Path("target")));
  EXPECT_TRUE(absl::StrContains(RunProgram(Ctl({"jobs"})).output, "CANCELLED"));
  close(fifo);
}

// The answer to a cancellation may take longer than anybody waits.
TEST_F(AgentTest, CtrlCEndsTheClientOfAHungAgent) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=json", "fifo", "target"}));
  ASSERT_TRUE(copy.WaitForError("RUNNING"));
  agent_->Signal(SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  copy.Signal(SIGINT);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.signal, SIGINT);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_TRUE(absl::StrContains(result.error, "has not said that it did"))
      << result.error;
  agent_->Signal(SIGCONT);
}

TEST_F(AgentTest, EndsTheWatcherWhenSomebodyElseCancels) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  const std::string job = Submit({"fifo", "target"});
  Subprocess watch(Ctl({"--json", "watch", job}));
  ASSERT_TRUE(watch.WaitForOutput("RUNNING"));
  const Subprocess::Result cancel = RunProgram(Ctl({"cancel", job}));
  EXPECT_EQ(cancel.exit_code, 0) << cancel.error;
  const Subprocess::Result watched = watch.Wait();
  EXPECT_EQ(watched.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(watched.output, "CANCELLED")) << watched.output;
  EXPECT_FALSE(Exists(scratch_.Path("target")));
  EXPECT_EQ(RunProgram(Ctl({"cancel", job})).output, job + " has ended: CANCELLED\n");
}

TEST_F(AgentTest, TellsTheSubmitterThatSomebodyElseCancelled) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=json", "fifo", "target"}));
  ASSERT_TRUE(copy.WaitForError("RUNNING"));
  const Subprocess::Result jobs = RunProgram(Ctl({"jobs"}));
  const std::vector<std::string> lines = absl::StrSplit(jobs.output, '\n');
  ASSERT_GE(lines.size(), 2u);
  const std::string job = lines[1].substr(0, lines[1].find(' '));
  EXPECT_EQ(RunProgram(Ctl({"cancel", job})).exit_code, 0);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, job + " was cancelled")) << result.error;
}

TEST_F(AgentTest, RunsTwoJobsSideBySide) {
  StartAgent();
  scratch_.MakeFifo("one");
  scratch_.MakeFifo("two");
  Subprocess first(Ringcp({"--progress=json", "one", "target1"}));
  Subprocess second(Ringcp({"--progress=json", "two", "target2"}));
  const int one = OpenFifo("one");
  const int two = OpenFifo("two");
  Write(two, "second");
  Write(one, "first");
  ASSERT_TRUE(first.WaitForError(R"("bytesDone":"5")"));
  ASSERT_TRUE(second.WaitForError(R"("bytesDone":"6")"));
  EXPECT_TRUE(absl::StrContains(RunProgram(Ctl({"info"})).output, "2 of at most"));
  close(two);
  EXPECT_EQ(second.Wait().exit_code, 0);
  close(one);
  EXPECT_EQ(first.Wait().exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target1")), "first");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target2")), "second");
}

TEST_F(AgentTest, ShowsThatAJobWaitsForItsTurn) {
  StartAgent({"--max-running-jobs", "1"});
  scratch_.MakeFifo("fifo");
  scratch_.WriteFile("a", "alpha");
  const std::string running = Submit({"fifo", "target"});
  Subprocess waiting(Ringcp({"--progress=json", "a", "b"}));
  ASSERT_TRUE(waiting.WaitForError("QUEUED"));
  EXPECT_FALSE(Exists(scratch_.Path("b")));
  close(OpenFifo("fifo"));
  EXPECT_EQ(waiting.Wait().exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("b")), "alpha");
}

TEST_F(AgentTest, CancellingAJobLeavesTheFileOfAnotherOneForTheSameTarget) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  scratch_.WriteFile("new", "new");
  Subprocess slow(Ringcp({"--progress=json", "fifo", "target"}));
  const int fifo = OpenFifo("fifo");
  Write(fifo, std::string(4096, 'x'));
  ASSERT_TRUE(slow.WaitForError(R"("bytesDone":"4096")"));
  // It waits for the slow job, so that neither finds the other's half-written file.
  const std::string job = Submit({"new", "target"});
  EXPECT_TRUE(absl::StrContains(RunProgram(Ctl({"show", job})).output, "QUEUED"));
  EXPECT_TRUE(agent_->WaitForError(job + " waits for "));
  slow.Signal(SIGINT);
  EXPECT_EQ(slow.Wait().signal, SIGINT);
  EXPECT_EQ(RunProgram(Ctl({"watch", job})).exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target")), "new");
  close(fifo);
}

TEST_F(AgentTest, JobsShareTheFilesThatTheAgentMayHaveOpen) {
  constexpr int kJobs = 4;
  PrepareWithShell(scratch_.path(),
                   "mkdir tree; cd tree; for i in $(seq 100); do "
                   "mkdir a d && echo $i >a/f && echo $i >f && cd d; done");
  const std::vector<std::string> expected = ListFileTree(scratch_.Path("tree"));
  for (const int files : {1024, 256, 64}) {
    agent_ = std::make_unique<Subprocess>(AgentWithFewFiles(files));
    ASSERT_TRUE(agent_->WaitForError("listening on")) << agent_->error();
    EXPECT_EQ(absl::StrContains(agent_->error(), "jobs run at the same time, because"),
              files < 1024)
        << agent_->error();
    std::vector<std::unique_ptr<Subprocess>> copies;
    for (int i = 0; i < kJobs; ++i) {
      copies.push_back(std::make_unique<Subprocess>(
          Ringcp({"-a", "tree", absl::StrCat("copy", files, "-", i)})));
    }
    for (int i = 0; i < kJobs; ++i) {
      const Subprocess::Result result = copies[i]->Wait();
      const std::string copied = scratch_.Path(absl::StrCat("copy", files, "-", i));
      EXPECT_EQ(result.exit_code, 0) << files << " files: " << result.error;
      EXPECT_EQ(ListFileTree(copied), expected) << files << " files";
    }
    agent_->Signal(SIGTERM);
    EXPECT_EQ(agent_->Wait().exit_code, 0);
  }
}

TEST_F(AgentTest, WithTooFewFilesForAJobItDoesNotStart) {
  const Subprocess::Result result = RunProgram(AgentWithFewFiles(40));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error,
            "ringcpd: this process may have only 40 files open, and an agent needs 56 "
            "(ulimit -n)\n");
}

TEST_F(AgentTest, TellsWhenTheAgentDiesUnderAWatcher) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=json", "fifo", "target"}));
  ASSERT_TRUE(copy.WaitForError("RUNNING"));
  agent_->Signal(SIGKILL);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_TRUE(absl::StrContains(
      result.error, absl::StrCat("lost the connection to the agent at ", Address())))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, " may have stopped with it"));
}

TEST_F(AgentTest, TellsWhenTheAgentIsShutDownUnderAWatcher) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=json", "fifo", "target"}));
  ASSERT_TRUE(copy.WaitForError("RUNNING"));
  agent_->Signal(SIGTERM);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, " was cancelled: ")) << result.error;
  EXPECT_FALSE(Exists(scratch_.Path("target")));
}

TEST_F(AgentTest, TellsWhenThereIsNoAgent) {
  const std::string message =
      absl::StrCat(": cannot reach the agent at ", Address(),
                   ": No such file or directory; is ringcpd running?\n");
  const Subprocess::Result copy = RunProgram(Ringcp({"a", "b"}));
  EXPECT_EQ(copy.exit_code, 69);
  EXPECT_EQ(copy.error, "ringcp" + message);
  const Subprocess::Result jobs = RunProgram(Ctl({"jobs"}));
  EXPECT_EQ(jobs.exit_code, 69);
  EXPECT_EQ(jobs.error, "ringcpctl" + message);
}

TEST_F(AgentTest, TellsWhenAFormerAgentsSocketIsLeft) {
  StartAgent();
  agent_->Signal(SIGKILL);
  agent_->Wait();
  const Subprocess::Result result = RunProgram(Ringcp({"a", "b"}));
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_TRUE(absl::StrContains(result.error, "Connection refused; is ringcpd running?"))
      << result.error;
}

TEST_F(AgentTest, RefusesWhatIsNoAddress) {
  const Subprocess::Result result = RunProgram(Ringcp({"--agent=nonsense", "a", "b"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.error.starts_with("ringcp: nonsense: ")) << result.error;
}

TEST_F(AgentTest, SubmitsAndShowsAndWatchesADetachedJob) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  const std::string job = Submit({"fifo", "target"});
  WaitForCtl({"jobs"}, "RUNNING");
  const Subprocess::Result show = RunProgram(Ctl({"show", job}));
  EXPECT_EQ(show.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(show.output, job)) << show.output;
  EXPECT_TRUE(absl::StrContains(show.output, scratch_.Path("target"))) << show.output;
  const Subprocess::Result json = RunProgram(Ctl({"--json", "show", job}));
  EXPECT_TRUE(json.output.starts_with(
      absl::StrCat(R"({"name":")", job, R"(","state":"RUNNING",)")))
      << json.output;

  Subprocess::Options options =
      Ctl({"watch", std::string(absl::StripPrefix(job, "jobs/"))});
  options.terminal_columns = 80;
  Subprocess watch(options);
  const int fifo = OpenFifo("fifo");
  Write(fifo, "text");
  ASSERT_TRUE(watch.WaitForError("4 B/"));
  close(fifo);
  const Subprocess::Result watched = watch.Wait();
  EXPECT_EQ(watched.exit_code, 0);
  EXPECT_TRUE(watched.error.ends_with(job + " has ended: SUCCEEDED\r\n"))
      << watched.error;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target")), "text");
  EXPECT_TRUE(
      RunProgram(Ctl({"watch", job})).output.ends_with(job + " has ended: SUCCEEDED\n"));
}

TEST_F(AgentTest, TellsWhatLimitsAJob) {
  constexpr int kFiles = 80;
  scratch_.MakeDirectory("backing");
  scratch_.MakeDirectory("backing/source");
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("backing/source/", i), "contents");
  }
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=20"});
  ASSERT_EQ(odd.why_not(), "");
  StartAgent();
  const std::string job = Submit({"-r", "odd/source", "target"});
  // While it runs and when it has ended.
  WaitForCtl({"show", job}, "the source");
  EXPECT_TRUE(absl::StrContains(RunProgram(Ctl({"watch", job})).output,
                                " in flight on average; limited by "));
  const Subprocess::Result show = RunProgram(Ctl({"show", job}));
  EXPECT_TRUE(absl::StrContains(show.output, "\nIn flight: ")) << show.output;
  EXPECT_TRUE(absl::StrContains(show.output, "\nLimited by: ")) << show.output;
  EXPECT_TRUE(absl::StrContains(show.output, "the source")) << show.output;

  const Subprocess::Result debug =
      RunProgram(Ringcp({"--debug", "-r", "odd/source", "target2"}));
  EXPECT_EQ(debug.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(debug.error, " in flight on average; limited by "))
      << debug.error;
  EXPECT_TRUE(debug.error.ends_with("the source\n")) << debug.error;
  const Subprocess::Result json =
      RunProgram(Ringcp({"--progress=json", "-r", "odd/source", "target3"}));
  EXPECT_TRUE(absl::StrContains(json.error, "the source\"")) << json.error;
  EXPECT_TRUE(absl::StrContains(json.error, "\"limitedBy\":\"")) << json.error;
}

TEST_F(AgentTest, LeavesAWatchedJobAloneOnCtrlC) {
  StartAgent();
  scratch_.MakeFifo("fifo");
  const std::string job = Submit({"fifo", "target"});
  Subprocess watch(Ctl({"--json", "watch", job}));
  ASSERT_TRUE(watch.WaitForOutput("RUNNING"));
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait().signal, SIGINT);
  close(OpenFifo("fifo"));
  EXPECT_EQ(RunProgram(Ctl({"watch", job})).exit_code, 0);
}

TEST_F(AgentTest, ShowsWhatAJobCouldNotCopy) {
  StartAgent();
  scratch_.MakeDirectory("target");
  const std::string job = Submit({"nope", "target"});
  const Subprocess::Result watched = RunProgram(Ctl({"watch", job}));
  EXPECT_EQ(watched.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(watched.error, "ringcpctl: cannot stat "))
      << watched.error;
  const Subprocess::Result show = RunProgram(Ctl({"show", job}));
  EXPECT_EQ(show.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(show.output, "Errors and warnings:\n  cannot stat "))
      << show.output;
}

TEST_F(AgentTest, ShowsInJsonAllThatAJobCouldNotCopy) {
  constexpr int kMissing = 1100;  // More than one page.
  StartAgent();
  scratch_.MakeDirectory("target");
  std::vector<std::string> arguments;
  for (int i = 0; i < kMissing; ++i) arguments.push_back(absl::StrCat("nope", i));
  arguments.push_back("target");
  const std::string job = Submit(arguments);
  RunProgram(Ctl({"watch", job}));
  const Subprocess::Result show = RunProgram(Ctl({"--json", "show", job}));
  EXPECT_EQ(show.exit_code, 0);
  const std::vector<std::string> lines =
      absl::StrSplit(show.output, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 1u + kMissing);
  EXPECT_TRUE(lines[0].starts_with("{\"name\":\"jobs/")) << lines[0];
  EXPECT_TRUE(absl::StrContains(lines.back(), "/nope1099")) << lines.back();
  const Subprocess::Result text = RunProgram(Ctl({"show", job}));
  EXPECT_TRUE(absl::StrContains(text.output, "/nope99': No such file")) << text.output;
  EXPECT_FALSE(
      absl::StrContains(text.output, "cannot stat '" + scratch_.Path("nope100'")))
      << text.output;
  EXPECT_TRUE(absl::StrContains(text.output, "and more, of which '--json show "))
      << text.output;
}

TEST_F(AgentTest, NamesAJobThatDoesNotExist) {
  StartAgent();
  for (const std::string command : {"show", "watch", "cancel"}) {
    const Subprocess::Result result = RunProgram(Ctl({command, "nope"}));
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_TRUE(absl::StrContains(result.error, "jobs/nope")) << result.error;
  }
}

TEST_F(AgentTest, TellsWhatTheAgentIs) {
  StartAgent({"--max-running-jobs", "3"});
  const Subprocess::Result info = RunProgram(Ctl({"info"}));
  EXPECT_EQ(info.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(info.output, Address())) << info.output;
  EXPECT_TRUE(absl::StrContains(info.output, "0 of at most 3 jobs")) << info.output;
  const Subprocess::Result json = RunProgram(Ctl({"--json", "info"}));
  EXPECT_TRUE(absl::StrContains(json.output, R"("maxRunningJobs":3)")) << json.output;
}

}  // namespace
}  // namespace ringcp
