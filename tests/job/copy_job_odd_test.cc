// Tests jobs on file systems that do less than they are asked to, or something else. A
// copy must be complete, or reported as failed.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using testing::HasSubstr;

class CopyJobOddTest : public EngineTest {
 protected:
  // A copy of the tree `source` that becomes the directory `target` itself.
  CopyRequest TreeRequest(const std::string& source, const std::string& target,
                          const std::string& letters) const {
    CopyRequest request = Request({source}, target, letters);
    request.options.target_kind = TargetKind::kNotDirectory;
    return request;
  }
};

// Files of less than a kilobyte, of less than a block, of some blocks, and with holes.
constexpr char kMakeTree[] =
    "mkdir -p odd backing/s/sub; cd backing/s; : >empty; printf x >one; seq 150 >small;"
    " seq 20000 >sub/medium; seq 100000 >sub/large; truncate -s 300k holes;"
    " seq 1000 >>holes; truncate -s 600k holes";

constexpr const char* kNames[] = {"empty",      "one",       "small",
                                  "sub/medium", "sub/large", "holes"};

TEST_P(CopyJobOddTest, WhatIsReadAndWrittenInPiecesIsWhole) {
  PrepareWithShell(scratch_.path(), kMakeTree);
  for (const std::vector<std::string>& oddities : std::vector<std::vector<std::string>>{
           {"short-writes"},
           {"short-writes", "direct-io"},
           {"short-reads", "direct-io"},
           {"short-reads", "short-writes", "direct-io"}}) {
    const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), oddities);
    if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
    for (const char* options : {"r", "a"}) {
      SCOPED_TRACE(absl::StrCat(oddities.front(), " ", oddities.back(), " -", options));
      // Copies into new files, and over existing ones that are longer.
      for (const bool over : {false, true}) {
        if (over) {
          PrepareWithShell(scratch_.path(),
                           "find backing/t -type f | while read f; do"
                           " head -c 700k /dev/zero >$f; done");
        }
        const CopyRequest request = TreeRequest("odd/s", "odd/t", options);
        EXPECT_EQ(RunJob(request).Messages(), "");
        for (const char* name : kNames) {
          EXPECT_TRUE(ReadFileOrNone(scratch_.Path(absl::StrCat("backing/t/", name))) ==
                      ReadFileOrNone(scratch_.Path(absl::StrCat("backing/s/", name))))
              << name << (over ? ", over an old one" : "");
        }
      }
      PrepareWithShell(scratch_.path(), "rm -r backing/t");
    }
  }
}

// An error of write-behind is reported only once, by whichever call comes next.
TEST_P(CopyJobOddTest, AnErrorAboutAnEarlierWriteIsNotTakenForOneAboutTheLast) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s backing odd; seq 200000 >s/large; seq 1000 >s/small");
  for (const bool is_direct : {false, true}) {
    const std::string target = is_direct ? "odd/direct" : "odd/cached";
    std::vector<std::string> oddities = {"loses-a-write"};
    if (is_direct) oddities.push_back("direct-io");
    const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), oddities);
    if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
    const JobRun run = RunJob(Request({"s"}, target, "r"));
    for (const char* name : {"large", "small"}) {
      const bool is_whole =
          ReadFileOrNone(scratch_.Path(absl::StrCat(target, "/", name))) ==
          ReadFileOrNone(scratch_.Path(absl::StrCat("s/", name)));
      EXPECT_TRUE(is_whole || absl::StrContains(run.Messages(), name)) << name;
    }
  }
}

TEST_P(CopyJobOddTest, AFileThatOpensOnlyToTruncateIsOverwrittenInPlace) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/t odd; seq 200000 >s/large; seq 1000 >s/small;"
                   " echo old >backing/t/large; echo old >backing/t/small;"
                   " ln backing/t/small backing/other");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"opens-to-truncate"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (const char* options : {"r", "rf"}) {
    EXPECT_EQ(RunJob(Request({"s/large", "s/small"}, "odd/t", options)).Messages(), "");
    EXPECT_TRUE(ReadFileOrNone(scratch_.Path("backing/t/large")) ==
                ReadFileOrNone(scratch_.Path("s/large")));
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/other")),
              ReadFileOrNone(scratch_.Path("s/small")));
    PrepareWithShell(scratch_.path(), "echo old >backing/f; ln -sf f backing/link");
    EXPECT_EQ(RunJob(Request({"s/small"}, "odd/link", options)).Messages(), "");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/f")),
              ReadFileOrNone(scratch_.Path("s/small")));
  }
}

// Makes sure that the file is read from its device the next time.
void Evict(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_EQ(fdatasync(fd), 0);
  EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(fd);
}

// Some file systems on object stores accept only such writes.
TEST_P(CopyJobOddTest, WhereFilesMustBeWrittenInOrderLargeOnesAreWholeToo) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/old odd; seq 3000000 >s/large; seq 1000 >s/small;"
                   " seq 9 >backing/old/large; seq 9 >backing/old/small");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"writes-in-order", "opens-to-truncate", "fail-rename=ENOSYS"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (const char* target : {"new", "old"}) {
    SCOPED_TRACE(target);
    const CopyRequest request =
        Request({"s/large", "s/small"}, absl::StrCat("odd/", target), "r");
    PrepareWithShell(scratch_.path(), absl::StrCat("mkdir -p backing/", target));
    for (const bool is_cached : {true, false}) {
      // A source that must be read from the device is read with O_DIRECT.
      if (!is_cached) Evict(scratch_.Path("s/large"));
      CopyRequest direct = request;
      if (!is_cached) direct.options.page_cache = PageCache::kBypass;
      EXPECT_EQ(RunJob(request).Messages(), "");
      EXPECT_EQ(RunJob(direct).Messages(), "");
      for (const char* name : {"large", "small"}) {
        const std::string path = absl::StrCat("backing/", target, "/", name);
        EXPECT_TRUE(ReadFileOrNone(scratch_.Path(path)) ==
                    ReadFileOrNone(scratch_.Path(absl::StrCat("s/", name))))
            << name;
      }
    }
  }
}

// The link belongs to the user and stays: the file that it leads to is overwritten.
TEST_P(CopyJobOddTest, AFileThatOpensOnlyToTruncateIsOverwrittenThroughALinkToo) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing odd t; seq 1000 >s/f; echo old >backing/f;"
                   " ln -s ../odd/f t/f");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"opens-to-truncate"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (const char* options : {"r", "rf"}) {
    EXPECT_EQ(RunJob(Request({"s/f"}, "t/f", options)).Messages(), "");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/f")),
              ReadFileOrNone(scratch_.Path("s/f")));
    EXPECT_TRUE(std::filesystem::is_symlink(scratch_.Path("t/f"))) << options;
    PrepareWithShell(scratch_.path(), "echo old >backing/f");
  }
}

TEST_P(CopyJobOddTest, AStreamIsWrittenToAFileThatOpensOnlyToTruncate) {
  for (const char* oddity : {"opens-to-truncate", "fail-truncate=EOPNOTSUPP"}) {
    PrepareWithShell(scratch_.path(),
                     "mkdir -p backing odd t; seq 100000 >backing/f;"
                     " ln -sf ../odd/f t/f; rm -f pipe; mkfifo pipe");
    const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {oddity});
    if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
    for (const char* target : {"odd/f", "t/f"}) {
      SCOPED_TRACE(absl::StrCat(oddity, " ", target));
      JobHooks hooks;
      hooks.meanwhile = [&](CopyJob*) {
        std::ofstream(scratch_.Path("pipe")) << "from a pipe";
      };
      const JobRun run = RunJob(Request({"pipe"}, target, "f"), hooks);
      EXPECT_EQ(run.Messages(), "");
      EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/f")), "from a pipe");
      PrepareWithShell(scratch_.path(), "seq 100000 >backing/f");
    }
    EXPECT_TRUE(std::filesystem::is_symlink(scratch_.Path("t/f")));
  }
}

TEST_P(CopyJobOddTest, WhereInodeNumbersChangeNoHalfOfAFileIsLeftBehind) {
  PrepareWithShell(scratch_.path(), "mkdir -p s backing odd; seq 3000000 >s/f");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"inodes-change", "fail-write=ENOSPC@1000000"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_THAT(RunJob(Request({"s/f"}, "odd/f", "r")).Messages(), HasSubstr("No space"));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/f")), "");
}

// If the copy took the target's place, the files in the directory would be lost.
TEST_P(CopyJobOddTest, ATargetThatMayBeADirectoryIsNotTakenForTheCopysName) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/t odd; echo new >s/f; echo old >backing/t/f");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"fail-opendir=EIO", "only=t"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_EQ(RunJob(Request({"s"}, "odd/t", "r")).Messages(),
            absl::StrCat("target '", scratch_.Path("odd/t"), "': Input/output error"));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/t/f")), "old\n");
}

// The ACL may deny what the mode grants.
TEST_P(CopyJobOddTest, WhereADirectorysAclCanNotBeReadOnlyItsOwnerGetsIn) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p backing/s/dir odd; chmod 0775 backing/s/dir;"
                   " setfacl -m u:1:- backing/s/dir");
  for (const auto& [oddity, reason] :
       {std::pair("fail-listxattr=EIO", "Input/output error"),
        std::pair("fail-getxattr=EPERM", "Operation not permitted")}) {
    const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                       {oddity, "only=dir"});
    if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
    const JobRun run = RunJob(TreeRequest("odd/s", "t", "a"));
    EXPECT_EQ(run.Messages(), absl::StrCat("preserving permissions for '",
                                           scratch_.Path("t/dir"), "': ", reason));
    EXPECT_EQ(std::filesystem::status(scratch_.Path("t/dir")).permissions(),
              std::filesystem::perms(0700));
    PrepareWithShell(scratch_.path(), "rm -r t");
  }
}

// libfuse, asked to remove an open file, renames it instead, and here that fails.
TEST_P(CopyJobOddTest, WhatIsNotRemovedWhileItIsOpenIsRemovedOnceItIsClosed) {
  PrepareWithShell(scratch_.path(), "mkdir -p s backing odd; seq 300000 >s/f");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"fail-rename=ENOSYS", "fail-write=EIO@300000"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_EQ(
      RunJob(Request({"s/f"}, "odd/f", "r")).Messages(),
      absl::StrCat("error writing '", scratch_.Path("odd/f"), "': Input/output error"));
  EXPECT_FALSE(std::filesystem::exists(scratch_.Path("backing/f")));
}

TEST_P(CopyJobOddTest, WhatCanNotBeResizedIsEmptiedWhenItIsOpened) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/t odd; seq 200000 >s/large; seq 1000 >s/small;"
                   " for f in large small; do seq 300000 >backing/t/$f; done");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"fail-truncate=EOPNOTSUPP"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_EQ(RunJob(Request({"s/large", "s/small"}, "odd/t", "r")).Messages(), "");
  for (const char* name : {"large", "small"}) {
    EXPECT_TRUE(ReadFileOrNone(scratch_.Path(absl::StrCat("backing/t/", name))) ==
                ReadFileOrNone(scratch_.Path(absl::StrCat("s/", name))));
  }
}

TEST_P(CopyJobOddTest, WhereInodeNumbersChangeFilesAreStillOverwritten) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/t odd; for i in $(seq 20); do echo new >s/$i;"
                   " echo old >backing/t/$i; done");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {"inodes-change"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  const CopyRequest request = TreeRequest("s", "odd/t", "r");
  EXPECT_EQ(RunJob(request).Messages(), "");
  for (int i = 1; i <= 20; ++i) {
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("backing/t/", i))), "new\n");
  }
}

TEST_P(CopyJobOddTest, WhereInodeNumbersChangeALinkAndItsFileAreWrittenOneByOne) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s backing/t odd; seq 2000000 >s/f; tac s/f >s/link");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {"inodes-change"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  const std::string f = ReadFileOrNone(scratch_.Path("s/f"));
  const std::string link = ReadFileOrNone(scratch_.Path("s/link"));
  CopyRequest request = TreeRequest("s", "odd/t", "r");
  request.options.tuning.workers = 2;
  for (int i = 0; i < 5; ++i) {
    PrepareWithShell(scratch_.path(),
                     absl::StrCat("cd backing/t; rm -f f link; ln -s f link;",
                                  i % 2 == 0 ? "echo old >f" : ""));
    RunJob(request);
    const std::string copied = ReadFileOrNone(scratch_.Path("backing/t/f"));
    EXPECT_TRUE(copied == f || copied == link) << copied.size();
  }
}

// Nothing shows that source and target are one file, so it must not be emptied.
TEST_P(CopyJobOddTest, WhereInodeNumbersChangeNothingIsCopiedOntoItself) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p backing/d odd; seq 1000 >backing/d/f;"
                   " ln -s d/f backing/link; ln -s d backing/to_d");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {"inodes-change"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  const std::string contents = ReadFileOrNone(scratch_.Path("backing/d/f"));
  RunJob(Request({"odd/d/f"}, "odd/d/f", "r"));
  RunJob(Request({"odd/d/f"}, "odd/link", "r"));
  RunJob(Request({"odd/d/f"}, "odd/to_d", "a"));
  RunJob(Request({"odd/d/."}, "odd/to_d", "r"));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/d/f")), contents);
}

TEST_P(CopyJobOddTest, TwoNamesOfOneTargetAreWrittenOneByOneWhateverInodesTheyTell) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s backing odd; seq 300000 >s/f; seq 1000000 1200000 >s/F");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"ignore-case", "own-inodes"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  const std::string f = ReadFileOrNone(scratch_.Path("s/f"));
  const std::string other_f = ReadFileOrNone(scratch_.Path("s/F"));
  PrepareWithShell(scratch_.path(), "mkdir odd/t");
  for (int i = 0; i < 10; ++i) {
    PrepareWithShell(scratch_.path(), i % 2 == 0 ? "rm -f odd/t/f" : "echo old >odd/t/f");
    CopyRequest request = TreeRequest("s", "odd/t", "r");
    RunJob(request);
    const std::string copied = ReadFileOrNone(scratch_.Path("backing/t/f"));
    EXPECT_TRUE(copied == f || copied == other_f) << copied.size();
  }
}

// If it were opened without O_TRUNC, the overlay would first copy all of its old contents
// to the upper layer.
TEST_P(CopyJobOddTest, OnAnOverlayAnOldTargetIsNotCopiedUp) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount an overlay";
  PrepareWithShell(scratch_.path(),
                   "mkdir -p m; mkdir -p s; echo new >s/f; echo newer >s/link");
  const std::string result = InChildProcess([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", scratch_.Path("m").c_str(), "tmpfs", 0, "size=3m") != 0) {
      return absl::StrCat("cannot mount: ", std::strerror(errno));
    }
    PrepareWithShell(scratch_.Path("m"),
                     "mkdir lower upper work merged; head -c 2000000 /dev/zero >lower/f; "
                     "ln -s f lower/link");
    const std::string options = absl::StrCat("lowerdir=", scratch_.Path("m/lower"),
                                             ",upperdir=", scratch_.Path("m/upper"),
                                             ",workdir=", scratch_.Path("m/work"));
    if (mount("overlay", scratch_.Path("m/merged").c_str(), "overlay", 0,
              options.c_str()) != 0) {
      return absl::StrCat("cannot mount: ", std::strerror(errno));
    }
    std::string messages = RunJob(Request({"s/f"}, "m/merged", "r")).Messages();
    messages += ReadFileOrNone(scratch_.Path("m/merged/f"));
    messages += RunJob(Request({"s/link"}, "m/merged", "r")).Messages();
    messages += ReadFileOrNone(scratch_.Path("m/merged/f"));
    return messages;
  });
  if (result.starts_with("cannot mount")) GTEST_SKIP() << result;
  EXPECT_EQ(result, "new\nnewer\n");
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobOddTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp
