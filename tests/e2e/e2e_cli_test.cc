// Tests ringcp as a user runs it: the real program, which copies in its own process.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/file_tree.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr char kEraseLine[] = "\r\033[K";

class CliTest : public testing::Test {
 protected:
  // How to run ringcp with `arguments` in the scratch directory.
  Subprocess::Options Ringcp(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ringcp");
    Subprocess::Options options;
    options.program = ProgramPath("cli/ringcp");
    options.arguments = std::move(arguments);
    options.environment = {"TERM=xterm"};
    options.directory = scratch_.path();
    return options;
  }

  // How to run `script` in a shell there; "$@" is ringcp with `arguments`.
  Subprocess::Options RingcpInShell(const std::string& script,
                                    const std::vector<std::string>& arguments) {
    Subprocess::Options options;
    options.program = "/bin/sh";
    options.arguments = {"sh", "-c", script, "sh", ProgramPath("cli/ringcp")};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.directory = scratch_.path();
    return options;
  }

  // Opens the FIFO `name` for writing, which waits until the copy reads it.
  int OpenFifo(const std::string& name) {
    const int fifo = open(scratch_.Path(name).c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_NE(fifo, -1);
    return fifo;
  }

  ScratchDirectory scratch_;
};

class CliEngineTest : public CliTest, public testing::WithParamInterface<std::string> {
 protected:
  // Whether this engine can run here. If not, reason_ says why, and the test is skipped.
  bool CanRun() {
    scratch_.WriteFile("probe", "");
    const Subprocess::Result result =
        RunProgram(Ringcp({"--engine=" + GetParam(), "probe", "probed"}));
    reason_ = result.error;
    return result.exit_code == 0;
  }

  std::string reason_;
};

TEST_P(CliEngineTest, ArchivesARealTreeStatForStat) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  Subprocess::Options options =
      Ringcp({"--engine=" + GetParam(), "-a", "/usr/include", "copy"});
  const Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  const FileTreeOptions exact = {.recent_as_now = false};
  const std::vector<std::string> source = ListFileTree("/usr/include", exact);
  EXPECT_GT(source.size(), 100u);
  EXPECT_EQ(DifferenceOfTrees(source, ListFileTree(scratch_.Path("copy"), exact)), "");
}

TEST_P(CliEngineTest, OpensMoreFilesThanTheSoftLimitOfTheShell) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  std::string path = "deep";
  for (int i = 0; i < 60; ++i) path += "/d";
  std::filesystem::create_directories(scratch_.Path(path));
  scratch_.WriteFile(path + "/file", "at the bottom");
  // All directories down to the file, on both sides, are more than the soft limit.
  Subprocess::Options options = Ringcp({"--engine=" + GetParam(), "-r", "deep", "copy"});
  const std::string program = options.program;
  options.program = "/bin/sh";
  options.arguments[0] = program;
  options.arguments.insert(options.arguments.begin(),
                           {"sh", "-c", R"(ulimit -S -n 64; exec "$0" "$@")"});
  const Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  path.replace(0, 4, "copy");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path(path + "/file")), "at the bottom");
}

// How many blocks of 512 bytes the file has, written out first so that its holes show.
int64_t BlocksOf(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat stat = {};
  EXPECT_EQ(fsync(fd), 0);
  EXPECT_EQ(fstat(fd, &stat), 0);
  close(fd);
  return stat.st_blocks;
}

TEST_P(CliEngineTest, KeepsTheHolesBetweenThousandsOfExtentsAsGnuCpDoes) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  constexpr int kExtents = 3000;
  constexpr int kPage = 4096;
  const std::string source = scratch_.WriteFile("source", "");
  const int fd = open(source.c_str(), O_WRONLY | O_CLOEXEC);
  std::mt19937 random(TestSeed());
  off_t end = 0;
  for (int i = 0; i < kExtents; ++i) {
    const auto pages = static_cast<int>(1 + random() % 4);
    std::string contents(static_cast<size_t>(pages) * kPage, '\0');
    for (char& byte : contents) byte = static_cast<char>(random());
    const off_t begin = end + static_cast<off_t>(1 + random() % 4) * kPage;
    ASSERT_EQ(pwrite(fd, contents.data(), contents.size(), begin),
              static_cast<ssize_t>(contents.size()));
    end = begin + pages * kPage;
  }
  ASSERT_EQ(ftruncate(fd, end + kPage), 0);  // The file ends in a hole.
  close(fd);
  const Subprocess::Result result =
      RunProgram(Ringcp({"--engine=" + GetParam(), "--reflink=never", "source", "copy"}));
  EXPECT_EQ(result.exit_code, 0) << result.error;
  PrepareWithShell(scratch_.path(), "cp --sparse=auto --reflink=never source gnu");
  EXPECT_TRUE(ReadFileOrNone(scratch_.Path("copy")) == ReadFileOrNone(source));
  const int64_t blocks = BlocksOf(scratch_.Path("gnu"));
  // The list of extents is counted, too, and may need a block more.
  EXPECT_LE(BlocksOf(scratch_.Path("copy")), blocks + blocks / 100);
}

TEST_P(CliEngineTest, CancelsWhileItWaitsForAFifo) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  scratch_.MakeFifo("fifo");
  for (const int number : {SIGINT, SIGTERM}) {
    Subprocess copy(
        Ringcp({"--engine=" + GetParam(), "--progress=json", "fifo", "target"}));
    ASSERT_TRUE(copy.WaitForError("RUNNING"));
    copy.Signal(number);
    const Subprocess::Result result = copy.Wait();
    EXPECT_EQ(result.signal, number);
    EXPECT_TRUE(absl::StrContains(result.error, R"({"state":"CANCELLED")"))
        << result.error;
    EXPECT_FALSE(Exists(scratch_.Path("target")));
  }
}

TEST_P(CliEngineTest, LeavesNothingHalfCopiedWhenItIsCancelled) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  scratch_.MakeFifo("fifo");
  scratch_.WriteFile("file", "whole");
  scratch_.MakeDirectory("target");
  Subprocess copy(
      Ringcp({"--engine=" + GetParam(), "--progress=json", "file", "fifo", "target"}));
  const int fifo = OpenFifo("fifo");
  const std::string data(4096, 'x');
  ASSERT_EQ(write(fifo, data.data(), data.size()), static_cast<ssize_t>(data.size()));
  ASSERT_TRUE(copy.WaitForError(R"("bytesDone":"4)"));
  copy.Signal(SIGINT);
  EXPECT_EQ(copy.Wait().signal, SIGINT);
  EXPECT_FALSE(Exists(scratch_.Path("target/fifo")));
  const std::string other = ReadFileOrNone(scratch_.Path("target/file"));
  EXPECT_TRUE(other == "whole" || other == "(none)") << other;
  close(fifo);
}

INSTANTIATE_TEST_SUITE_P(Engines, CliEngineTest,
                         testing::Values("auto", "uring", "threads"),
                         [](const auto& info) { return info.param; });

TEST_F(CliTest, CopiesTheOtherFilesWhenOneFails) {
  scratch_.WriteFile("a", "alpha");
  scratch_.WriteFile("b", "beta");
  scratch_.MakeDirectory("target");
  const Subprocess::Result result = RunProgram(Ringcp({"a", "nope", "b", "target"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error, "ringcp: cannot stat 'nope': No such file or directory\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/a")), "alpha");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/b")), "beta");
}

TEST_F(CliTest, TellsAScriptEverythingInJson) {
  scratch_.WriteFile("a", "alpha");
  scratch_.MakeDirectory("target");
  const Subprocess::Result result =
      RunProgram(Ringcp({"--progress=json", "-v", "a", "nope", "target"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  const std::vector<std::string> lines =
      absl::StrSplit(result.error, '\n', absl::SkipEmpty());
  ASSERT_GE(lines.size(), 3u);
  for (const std::string& line : lines) {
    EXPECT_TRUE(line.starts_with('{') && line.ends_with('}')) << line;
  }
  EXPECT_TRUE(
      lines.back().starts_with(R"({"state":"FAILED","progress":{"bytesDone":"5",)"))
      << lines.back();
  EXPECT_TRUE(absl::StrContains(
      result.error,
      absl::StrCat(R"({"error":{"path":")", scratch_.Path("nope"),
                   R"(","operation":"stat","errnoName":"ENOENT","message":"cannot stat )"
                   R"('nope': No such file or directory","isWarning":false}})")))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, R"({"copied":"'a' )")) << result.error;
}

// People are told of it as by GNU cp (-v), before the error.
TEST_F(CliTest, AScriptIsNotToldThatWhatFailedWasCopied) {
  scratch_.WriteFile("a", "alpha");
  ASSERT_EQ(symlink("gone", scratch_.Path("dangling").c_str()), 0);
  EXPECT_EQ(RunProgram(Ringcp({"-v", "a", "dangling"})).output, "'a' -> 'dangling'\n");
  const Subprocess::Result result =
      RunProgram(Ringcp({"--progress=json", "-v", "a", "dangling"}));
  EXPECT_TRUE(absl::StrContains(result.error, R"({"error":{)")) << result.error;
  EXPECT_FALSE(absl::StrContains(result.error, "copied")) << result.error;
}

TEST_F(CliTest, DrawsOneLineOnATerminalAndTakesItAwayAtTheEnd) {
  scratch_.MakeFifo("fifo");
  Subprocess::Options options = Ringcp({"fifo", "target"});
  options.terminal_columns = 60;
  Subprocess copy(options);
  const int fifo = OpenFifo("fifo");
  ASSERT_TRUE(copy.WaitForError("/s"));
  EXPECT_FALSE(absl::StrContains(copy.error(), "\n"));
  close(fifo);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.error.starts_with('\r'));
  EXPECT_TRUE(result.error.ends_with(kEraseLine));
  for (const std::string& drawn :
       std::vector<std::string>(absl::StrSplit(result.error, '\r'))) {
    EXPECT_LT(drawn.size(), 60 + sizeof("\033[K"));
  }
}

TEST_F(CliTest, TakesTheLineAwayWhenItIsCancelled) {
  scratch_.MakeFifo("fifo");
  Subprocess::Options options = Ringcp({"fifo", "target"});
  options.terminal_columns = 80;
  Subprocess copy(options);
  ASSERT_TRUE(copy.WaitForError("/s"));
  copy.Signal(SIGINT);
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.signal, SIGINT);
  EXPECT_TRUE(result.error.ends_with(kEraseLine));
}

TEST_F(CliTest, DrawsNothingIfAskedNotTo) {
  scratch_.MakeFifo("fifo");
  Subprocess::Options options = Ringcp({"--progress=never", "fifo", "target"});
  options.terminal_columns = 80;
  Subprocess copy(options);
  close(OpenFifo("fifo"));
  const Subprocess::Result result = copy.Wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
}

TEST_F(CliTest, DrawsAlsoIntoAPipeIfAskedTo) {
  scratch_.MakeFifo("fifo");
  Subprocess copy(Ringcp({"--progress=always", "fifo", "target"}));
  const int fifo = OpenFifo("fifo");
  ASSERT_TRUE(copy.WaitForError("/s"));
  close(fifo);
  EXPECT_TRUE(copy.Wait().error.ends_with(kEraseLine));
}

TEST_F(CliTest, LeavesAnIgnoredInterruptIgnored) {
  scratch_.MakeFifo("fifo");
  Subprocess copy(
      RingcpInShell("trap '' INT; exec \"$@\"", {"--progress=json", "fifo", "target"}));
  ASSERT_TRUE(copy.WaitForError("RUNNING"));
  copy.Signal(SIGINT);
  close(OpenFifo("fifo"));
  EXPECT_EQ(copy.Wait().exit_code, 0);
  EXPECT_TRUE(Exists(scratch_.Path("target")));
}

TEST_F(CliTest, FinishesTheCopyWhenNobodyReadsItsOutput) {
  scratch_.MakeDirectory("source");
  for (int i = 0; i < 100; ++i) scratch_.WriteFile(absl::StrCat("source/", i), "x");
  // The copy starts only when nobody reads from the pipe any more.
  const Subprocess::Result result = RunProgram(
      RingcpInShell("mkfifo no-reader; { read x < no-reader; \"$@\"; echo $? > code; } |"
                    " { exec <&-; echo > no-reader; }",
                    {"-rv", "source", "target"}));
  EXPECT_TRUE(result.error.ends_with(": write error: Broken pipe\n")) << result.error;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("code")), "1\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/99")), "x");
}

TEST_F(CliTest, TellsWhichEngineCopiedAndWhatItDid) {
  scratch_.WriteFile("a", "alpha");
  const Subprocess::Result result =
      RunProgram(Ringcp({"--debug", "--engine=threads", "a", "b"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(result.error, "ringcp: engine threads: "))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, " 1 files, ")) << result.error;
}

// As in GNU cp from 9.5 on; 9.1 refuses it.
TEST_F(CliTest, ABackupMakesWayForADirectory) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p d/e t; touch d/e/x; echo 1 >f; ln -s .. t/e; echo 2 >u");
  const Subprocess::Result backed_up = RunProgram(Ringcp({"-rbv", "d", "f"}));
  EXPECT_EQ(backed_up.exit_code, 0) << backed_up.error;
  EXPECT_EQ(backed_up.output,
            "'d' -> 'f' (backup: 'f~')\n'd/e' -> 'f/e'\n'd/e/x' -> 'f/e/x'\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("f~")), "1\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("f/e/x")), "");
  const Subprocess::Result below = RunProgram(Ringcp({"-ab", "d/.", "t"}));
  EXPECT_EQ(below.exit_code, 0) << below.error;
  EXPECT_TRUE(std::filesystem::is_symlink(scratch_.Path("t/e~")));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/e/x")), "");
  // Without --backup it is refused, and nothing is touched.
  EXPECT_EQ(RunProgram(Ringcp({"-r", "d", "u"})).exit_code, 1);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("u")), "2\n");
}

// As GNU cp's --debug does from 9.4 on, which also prints what -v prints.
TEST_F(CliTest, TellsHowEachFileWasCopied) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p d t; echo x >d/a; head -c 3000000 /dev/zero >zeros;"
                   " truncate -s 1M holes; echo x >>holes; ln -s nowhere d/link");
  const auto debug = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--debug");
    return RunProgram(Ringcp(arguments)).output;
  };
  EXPECT_EQ(debug({"--reflink=never", "holes", "t"}),
            "'holes' -> 't/holes'\n"
            "copy offload: avoided, reflink: no, sparse detection: SEEK_HOLE\n");
  EXPECT_EQ(debug({"--reflink=never", "--sparse=always", "zeros", "t"}),
            "'zeros' -> 't/zeros'\n"
            "copy offload: avoided, reflink: no, sparse detection: zeros\n");
  EXPECT_EQ(debug({"--reflink=never", "d/a", "t"}),
            "'d/a' -> 't/a'\n"
            "copy offload: avoided, reflink: no, sparse detection: no\n");
  EXPECT_EQ(debug({"--attributes-only", "d/a", "t"}), "'d/a' -> 't/a'\n");
  EXPECT_EQ(debug({"-n", "d/a", "t"}), "skipped 't/a'\n");
  EXPECT_EQ(debug({"-u", "d/a", "t"}), "skipped 't/a'\n");
  EXPECT_EQ(debug({"-P", "d/link", "t"}), "'d/link' -> 't/link'\n");
  EXPECT_EQ(debug({"-l", "d/a", "t/linked"}), "'d/a' -> 't/linked'\n");
}

TEST_P(CliEngineTest, AFileBeyondTheLimitFailsAloneAndLeavesNothing) {
#ifdef _GLIBCXX_TSAN
  GTEST_SKIP()
      << "ThreadSanitizer keeps a file of its own that the limit is too small for";
#endif
  if (!CanRun()) GTEST_SKIP() << reason_;
  PrepareWithShell(scratch_.path(),
                   "mkdir s; for i in 1 2 3; do echo $i >s/$i; done;"
                   " head -c 12000000 /dev/urandom >s/large;"
                   " head -c 200000 /dev/urandom >s/small");
  const Subprocess::Result result = RunProgram(RingcpInShell(
      "ulimit -f 100; exec \"$@\"", {"--engine=" + GetParam(), "-r", "s", "t"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, "t/large': File too large"))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, "t/small': File too large"))
      << result.error;
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("t/large")));
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("t/small")));
  for (const char* name : {"1", "2", "3"}) {
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("t/", name))),
              absl::StrCat(name, "\n"));
  }
}

TEST_P(CliEngineTest, ABackupGetsItsNameBackIfTheCopyFails) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; printf old > t/small; printf old > t/large;"
                   " printf new > s/small; head -c 12000000 /dev/urandom > s/large");
  const Subprocess::Result result = RunProgram(RingcpInShell(
      "ulimit -f 100; exec \"$@\"", {"--engine=" + GetParam(), "-rTbv", "s", "t"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, "t/large': File too large"))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.output, "'t/large~' -> 't/large' (unbackup)\n"))
      << result.output;
  EXPECT_TRUE(
      absl::StrContains(result.output, "'s/small' -> 't/small' (backup: 't/small~')\n"))
      << result.output;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/large")), "old");
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("t/large~")));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/small")), "new");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/small~")), "old");
}

// Editors leave such pairs everywhere.
TEST_P(CliEngineTest, ABackupNeverTakesTheNameOfAnotherFileOfTheTree) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; for i in $(seq 200); do printf new > s/$i;"
                   " printf tilde > s/$i~; printf old > t/$i; done; ln s/1 s/1.h~;"
                   " printf older > t/1.h; ln s/1 s/1.h");
  const Subprocess::Result result =
      RunProgram(Ringcp({"--engine=" + GetParam(), "-aTb", "s", "t"}));
  EXPECT_EQ(result.error, "");
  for (int i = 1; i <= 200; ++i) {
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("t/", i))), "new");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("t/", i, "~"))), "tilde");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("t/", i, ".~1~"))), "old");
  }
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/1.h~")), "new");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/1.h")), "new");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/1.h.~1~")), "older");
}

TEST_P(CliEngineTest, SparseSaysWhichZerosTakeRoom) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  // A small and a large file with zeros and a hole each, and one that ends with zeros.
  PrepareWithShell(scratch_.path(),
                   "printf x > small; head -c 40000 /dev/zero >> small;"
                   " printf y >> small; truncate -s 100000 small;"
                   " head -c 3000000 /dev/urandom > large;"
                   " head -c 3000000 /dev/zero >> large; truncate -s 9000000 large;"
                   " printf x > zeros; head -c 400000 /dev/zero >> zeros");
  for (const char* name : {"small", "large", "zeros"}) {
    const std::string source = scratch_.Path(name);
    const auto blocks_of_copy = [&](const std::string& when) {
      const std::string copy = absl::StrCat(name, ".", when);
      const Subprocess::Result result = RunProgram(Ringcp(
          {"--engine=" + GetParam(), "--reflink=never", "--sparse=" + when, name, copy}));
      EXPECT_EQ(result.error, "");
      EXPECT_EQ(ReadFileOrNone(scratch_.Path(copy)), ReadFileOrNone(source));
      return BlocksOf(scratch_.Path(copy));
    };
    const auto size = static_cast<int64_t>(std::filesystem::file_size(source));
    EXPECT_GE(blocks_of_copy("never"), size / 512) << name;
    EXPECT_EQ(blocks_of_copy("auto"), BlocksOf(source)) << name;
    EXPECT_LT(blocks_of_copy("always"), BlocksOf(source)) << name;
  }
}

TEST_F(CliTest, WithKeepDirectorySymlinkATreeGoesWhereTheLinkLeads) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/d/e real; printf x > s/d/e/f; mkdir t; ln -s ../real t/d;"
                   " ln -s ../s/d/e/f t/g; mkdir s/g");
  EXPECT_TRUE(absl::StrContains(
      RunProgram(Ringcp({"-rT", "s", "t"})).error,
      "ringcp: cannot overwrite non-directory 't/d' with directory 's/d'\n"));
  const Subprocess::Result result =
      RunProgram(Ringcp({"-rT", "--keep-directory-symlink", "s", "t"}));
  EXPECT_EQ(result.error,
            "ringcp: cannot overwrite non-directory 't/g' with directory 's/g'\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("real/e/f")), "x");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch_.Path("t/d")));
}

// There is no thread but the program's own, or little memory, or next to none.
TEST_P(CliEngineTest, CopiesWithWhatThreadsAndMemoryThereAre) {
#if defined(__SANITIZE_ADDRESS__) || defined(_GLIBCXX_TSAN)
  GTEST_SKIP() << "sanitizers need much more address space, and threads";
#endif
  if (!CanRun()) GTEST_SKIP() << reason_;
  PrepareWithShell(scratch_.path(),
                   "mkdir s; for i in $(seq 300); do echo $i >s/$i; done;"
                   " head -c 3000000 /dev/urandom >s/large; chmod 755 .");
  // Root's threads are not limited, so the test becomes another user, who may not be able
  // to reach the program where it lies. The user must have no other processes, because
  // the limit would count those, too.
  const std::string as_nobody =
      geteuid() == 0
          ? "cp \"$1\" ringcp; shift; set -- setpriv --reuid=$((1000000 + $$)) "
            "--clear-groups --reset-env ./ringcp \"$@\"; "
          : "";
  for (const char* limit : {"-v 12000", "-v 14000", "-v 20000", "-v 26000", "-v 40000",
                            "-v 100000", "-p 1"}) {
    const bool limits_threads = limit[1] == 'p';
    const Subprocess::Result result = RunProgram(RingcpInShell(
        absl::StrCat("rm -rf t; mkdir -m 777 t; ", limits_threads ? as_nobody : "",
                     "(ulimit ", limit, "; exec \"$@\") && diff -r s t/t"),
        {"--engine=" + GetParam(), "-r", "s", "t/t"}));
    if (GetParam() == "uring" && result.exit_code == 1) {
      EXPECT_TRUE(absl::StrContains(result.error, "io_uring")) << result.error;
      continue;
    }
    EXPECT_EQ(result.exit_code, 0) << limit << ": " << result.error << result.output;
  }
}

TEST_P(CliEngineTest, AHangUpLeavesNoHalfWrittenFile) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  scratch_.MakeFifo("fifo");
  Subprocess copy(
      Ringcp({"--engine=" + GetParam(), "--progress=json", "fifo", "target"}));
  const int fifo = OpenFifo("fifo");
  ASSERT_TRUE(copy.WaitForError("\n"));
  copy.Signal(SIGHUP);
  EXPECT_EQ(copy.Wait().signal, SIGHUP);
  close(fifo);
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("target")));
}

// /proc/self/pagemap has hundreds of gigabytes, but its size reads as 0.
TEST_P(CliEngineTest, CanBeInterruptedInAFileThatTellsNoSize) {
  if (!CanRun()) GTEST_SKIP() << reason_;
  Subprocess copy(
      Ringcp({"--engine=" + GetParam(), "--progress=json", "/proc/self/pagemap", "t"}));
  while (!std::filesystem::exists(scratch_.Path("t")) ||
         std::filesystem::file_size(scratch_.Path("t")) < 1'000'000) {
  }
  copy.Signal(SIGINT);
  EXPECT_EQ(copy.Wait().signal, SIGINT);
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("t")));
}

// Most devices can't be polled, which must not fail the copy.
TEST_F(CliTest, PollsOrWarnsThatItDoesNot) {
  const std::string contents(3 * 1024 * 1024 + 1, 'x');
  scratch_.WriteFile("large", contents);
  const Subprocess::Result result =
      RunProgram(Ringcp({"--direct", "--iopoll", "large", "copy"}));
  if (absl::StartsWith(result.error, "ringcp: cannot use io_uring with --iopoll: ")) {
    GTEST_SKIP() << result.error;
  }
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(ReadFileOrNone(scratch_.Path("copy")) == contents);
  if (!result.error.empty()) {
    EXPECT_EQ(result.error,
              "ringcp: warning: cannot poll the device of 'large': Operation not "
              "supported; copying without --iopoll (the device needs poll queues, such "
              "as nvme.poll_queues=2)\n");
  }
}

TEST_F(CliTest, HelpsAndTellsItsVersion) {
  const Subprocess::Result help = RunProgram(Ringcp({"--help"}));
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.output.starts_with("Usage: ringcp [OPTION]... [-T] SOURCE TARGET\n"));
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(help.output, '\n'))) {
    EXPECT_LT(line.size(), 85u) << line;
  }
  const Subprocess::Result version = RunProgram(Ringcp({"--version"}));
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.output.starts_with("ringcp 0.1.0\n"));

  Subprocess::Options full = Ringcp({"--version"});
  full.closed_descriptors = {STDOUT_FILENO};
  const Subprocess::Result failed = RunProgram(full);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_EQ(failed.error, "ringcp: write error: Bad file descriptor\n");
}

TEST_F(CliTest, CopiesWithoutItsNeighbourAndNamesItWhereAnAgentIsWanted) {
  std::filesystem::copy(ProgramPath("cli/ringcp"), scratch_.Path("moved"));
  scratch_.WriteFile("a", "alpha");
  Subprocess::Options options = Ringcp({"a", "b"});
  options.program = scratch_.Path("moved");
  EXPECT_EQ(RunProgram(options).exit_code, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("b")), "alpha");
  options.arguments = {"ringcp", "--agent=unix:socket", "a", "c"};
  const Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error,
            absl::StrCat("ringcp: cannot run '", scratch_.Path("ringcp-submit"),
                         "', which talks to the agent and belongs beside ringcp: No such"
                         " file or directory\n"));
}

TEST_F(CliTest, RunsNoNeighbourThatOthersMayHavePutThere) {
  std::filesystem::copy(ProgramPath("cli/ringcp"), scratch_.Path("ringcp"));
  const std::string submit = scratch_.Path("ringcp-submit");
  std::filesystem::copy("/bin/echo", submit);
  ASSERT_EQ(chmod(submit.c_str(), 0755), 0);
  Subprocess::Options options = Ringcp({"--agent=unix:socket", "a", "b"});
  options.program = scratch_.Path("ringcp");
  EXPECT_EQ(RunProgram(options).output, "--agent=unix:socket a b\n");
  ASSERT_EQ(chmod(submit.c_str(), 0775), 0);
  Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(absl::StrContains(result.error, "others than the owner")) << result.error;
  if (geteuid() == 0) {
    ASSERT_EQ(chmod(submit.c_str(), 0755), 0);
    ASSERT_EQ(chown(submit.c_str(), 65534, 65534), 0);
    EXPECT_EQ(RunProgram(options).output, "");
  }
}

TEST_F(CliTest, LeavesRpcToItsNeighbour) {
  // gRPC is what makes a program slow to start.
  constexpr char kFromGrpc[] = "grpc_completion_queue";
  EXPECT_TRUE(
      absl::StrContains(ReadFileOrNone(ProgramPath("cli/ringcp-submit")), kFromGrpc));
  EXPECT_FALSE(absl::StrContains(ReadFileOrNone(ProgramPath("cli/ringcp")), kFromGrpc));
}

TEST_F(CliTest, SubmitsToAnAgentThatIsNamed) {
  scratch_.WriteFile("a", "alpha");
  Subprocess::Options options = Ringcp({"a", "b"});
  options.program = ProgramPath("cli/ringcp-submit");
  options.arguments[0] = "ringcp-submit";
  const Subprocess::Result result = RunProgram(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error,
            "ringcp-submit: no agent is named; run ringcp to copy without one\n"
            "Try 'ringcp-submit --help' for more information.\n");
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("b")));
}

TEST_F(CliTest, TakesNoDirectoryThatIsGone) {
  scratch_.MakeDirectory("gone");
  const Subprocess::Result result = RunProgram(
      RingcpInShell("cd gone; rmdir ../gone; exec \"$@\"", {"nope", "target"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, "cannot stat 'nope'")) << result.error;
}

}  // namespace
}  // namespace ringcp
