// Tests what whole jobs leave of a stream's target when the copy ends too early, and what
// they wait for.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/copy_options.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobStreamsTest : public testing::Test {
 protected:
  CopyJobStreamsTest() { scratch_.MakeFifo("pipe"); }
  ~CopyJobStreamsTest() override { ClosePipe(); }

  // Copies the pipe to `target` while `meanwhile` runs. pipe_ is open for writing by
  // then, and stays open until the job has ended.
  JobRun Copy(const std::string& target, const std::string& letters,
              const std::function<void(CopyJob*)>& meanwhile) {
    return Copy(target, OptionsFor(letters), meanwhile);
  }
  JobRun Copy(const std::string& target, const CopyOptions& options,
              const std::function<void(CopyJob*)>& meanwhile) {
    CopyRequest request;
    request.sources = {scratch_.Path("pipe")};
    request.target = scratch_.Path(target);
    request.options = options;
    JobHooks hooks;
    hooks.meanwhile = [&](CopyJob* job) {
      pipe_ = open(scratch_.Path("pipe").c_str(), O_WRONLY | O_CLOEXEC);
      meanwhile(job);
    };
    return RunJob(request, hooks);
  }

  // Writes to the pipe and waits until `text` has arrived in `target`.
  void Send(const std::string& text, const std::string& target) const {
    EXPECT_EQ(write(pipe_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    const absl::Time end = absl::Now() + absl::Seconds(60);
    while (ReadFileOrNone(scratch_.Path(target)) != text) {
      ASSERT_LT(absl::Now(), end);
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  void ClosePipe() {
    if (pipe_ >= 0) close(pipe_);
    pipe_ = -1;
  }

  struct stat Stat(const std::string& name) const {
    struct stat stat = {};
    EXPECT_EQ(lstat(scratch_.Path(name).c_str(), &stat), 0);
    return stat;
  }
  ino_t Inode(const std::string& name) const { return Stat(name).st_ino; }
  mode_t Mode(const std::string& name) const { return Stat(name).st_mode; }

  ScratchDirectory scratch_;
  int pipe_ = -1;
};

TEST_F(CopyJobStreamsTest, WhatWasThereStaysUntilSomethingComes) {
  scratch_.WriteFile("t", "old");
  const JobRun run = Copy("t", "", [](CopyJob* job) { job->Cancel(); });
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "old");
}

TEST_F(CopyJobStreamsTest, AHalfWrittenTargetThatWasThereIsEmptied) {
  scratch_.WriteFile("t", "old contents");
  ASSERT_EQ(link(scratch_.Path("t").c_str(), scratch_.Path("other").c_str()), 0);
  const JobRun run = Copy("t", "", [&](CopyJob* job) {
    Send("half", "t");
    job->Cancel();
  });
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "");
  EXPECT_EQ(Inode("t"), Inode("other"));
}

TEST_F(CopyJobStreamsTest, AHalfWrittenTargetThatIsNewIsRemoved) {
  const JobRun run = Copy("t", "", [&](CopyJob* job) {
    Send("half", "t");
    job->Cancel();
  });
  EXPECT_TRUE(run.cancelled());
  EXPECT_FALSE(Exists(scratch_.Path("t")));
}

TEST_F(CopyJobStreamsTest, AFileThatTookTheTargetsNameIsNotRemoved) {
  scratch_.WriteFile("saved", "precious");
  const JobRun run = Copy("t", "", [&](CopyJob* job) {
    Send("half", "t");
    EXPECT_EQ(rename(scratch_.Path("saved").c_str(), scratch_.Path("t").c_str()), 0);
    job->Cancel();
  });
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "precious");
}

TEST_F(CopyJobStreamsTest, AStreamThatEndsReplacesAllThatWasThere) {
  scratch_.WriteFile("t", "old contents, and more of them");
  const auto end_after = [&](const std::string& text) {
    const JobRun run = Copy("t", "", [&](CopyJob*) {
      if (!text.empty()) Send(text, "t");
      ClosePipe();
    });
    EXPECT_EQ(run.Messages(), "");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), text);
  };
  end_after("new");
  end_after("");
}

TEST_F(CopyJobStreamsTest, AttributesThatAreKeptAreSetOnExistingTargetsToo) {
  scratch_.WriteFile("t", "old");
  PrepareWithShell(scratch_.path(), "chmod 640 pipe; chmod 666 t");
  const JobRun run = Copy("t", "p", [&](CopyJob*) { ClosePipe(); });
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(Mode("t"), mode_t{S_IFREG | 0640});
}

// Writing to a file clears its set-ID bits, so they must be set again.
TEST_F(CopyJobStreamsTest, SetIdBitsThatAreKeptAreSetOnWhatHadThem) {
  scratch_.WriteFile("t", "old");
  PrepareWithShell(scratch_.path(), "chmod 4755 pipe t");
  if (geteuid() == 0) {
    PrepareWithShell(scratch_.path(),
                     absl::StrCat("chown ", kOrdinaryUser, ":", kOrdinaryUser,
                                  " . pipe t; chmod 4755 pipe t"));
  }
  EXPECT_EQ(InChildProcess([&] {
              BecomeOrdinaryUser();
              return Copy("t", "p",
                          [&](CopyJob*) {
                            Send("new", "t");
                            ClosePipe();
                          })
                  .Messages();
            }),
            "");
  EXPECT_EQ(Mode("t"), mode_t{S_IFREG | 04755});
}

// GNU cp, too, does nothing after this failure.
TEST_F(CopyJobStreamsTest, AnotherUsersFileThatCanNotBeClosedToOthersIsAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may make files of two users";
  scratch_.WriteFile("t", "old");
  PrepareWithShell(scratch_.path(),
                   absl::StrCat("chown ", kOrdinaryUser, " . pipe; chmod 666 pipe t"));
  CopyOptions options = OptionsFor("");
  options.preserve = {.mode = true, .ownership = true};
  EXPECT_EQ(InChildProcess([&] {
              BecomeOrdinaryUser();
              return Copy("t", options, [&](CopyJob*) { ClosePipe(); }).Messages();
            }),
            absl::StrCat("preserving permissions for '", scratch_.Path("t"),
                         "': Operation not permitted"));
  EXPECT_EQ(Mode("t"), mode_t{S_IFREG | 0666});
}

TEST_F(CopyJobStreamsTest, ANewTargetThatCannotBeLookedAtIsRemoved) {
  PrepareWithShell(scratch_.path(), "mkdir backing odd");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {"fail-stat=EIO"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyRequest request;
  request.sources = {"/dev/null"};
  request.target = scratch_.Path("odd/t");
  request.options = OptionsFor("");
  EXPECT_EQ(RunJob(request).Messages(),
            absl::StrCat("cannot create regular file '", request.target,
                         "': Input/output error"));
  EXPECT_FALSE(Exists(scratch_.Path("backing/t")));
}

// If closing fails, the contents were not stored: a new target is removed and an old one
// emptied, even if an earlier step failed, too.
TEST_F(CopyJobStreamsTest, ATargetThatFailsToCloseIsGoneEvenIfItsTimesHadFailed) {
  PrepareWithShell(scratch_.path(), "mkdir backing odd; echo old >backing/old");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"),
                     {"fail-close=ENOSPC", "fail-utimens=EPERM"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyOptions options = OptionsFor("");
  options.preserve.timestamps = true;
  for (const char* name : {"new", "old"}) {
    const std::string target = absl::StrCat("odd/", name);
    const JobRun run = Copy(target, options, [&](CopyJob*) {
      EXPECT_EQ(write(pipe_, "text", 4), 4);
      ClosePipe();
    });
    EXPECT_EQ(run.Messages(),
              absl::StrCat("preserving times for '", scratch_.Path(target),
                           "': Operation not permitted"));
  }
  EXPECT_FALSE(Exists(scratch_.Path("backing/new")));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/old")), "");
}

// Someone has the file `t` open for reading and holds a lease on it, so nobody can open
// it for writing until the lease is given back.
class CopyJobStreamsLeaseTest : public CopyJobStreamsTest {
 protected:
  CopyJobStreamsLeaseTest() {
    scratch_.WriteFile("t", "old");
    fd_ = open(scratch_.Path("t").c_str(), O_RDONLY | O_CLOEXEC);
    // Not SIGIO, the default, because that would end the process.
    if (fcntl(fd_, F_SETSIG, SIGURG) != 0 || fcntl(fd_, F_SETLEASE, F_RDLCK) != 0) {
      close(fd_);
      fd_ = -1;
    }
  }
  ~CopyJobStreamsLeaseTest() override {
    if (fd_ >= 0) close(fd_);
  }

  // Waits until the job has tried several times to open the file for writing.
  void AwaitWriter() const {
    const absl::Time end = absl::Now() + absl::Seconds(60);
    while (fcntl(fd_, F_GETLEASE) != F_UNLCK) {
      ASSERT_LT(absl::Now(), end);
      absl::SleepFor(absl::Milliseconds(1));
    }
    absl::SleepFor(absl::Milliseconds(100));
  }

  int fd_ = -1;  // -1 if the file system has no leases.
};

TEST_F(CopyJobStreamsLeaseTest, ALeaseOnTheTargetIsWaitedFor) {
  if (fd_ < 0) GTEST_SKIP() << "the file system has no leases";
  const ino_t inode = Inode("t");
  const JobRun run = Copy("t", "f", [&](CopyJob*) {
    AwaitWriter();
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "old");
    EXPECT_EQ(fcntl(fd_, F_SETLEASE, F_UNLCK), 0);
    close(pipe_);
    pipe_ = -1;
  });
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "");
  EXPECT_EQ(Inode("t"), inode);
}

TEST_F(CopyJobStreamsLeaseTest, AJobThatWaitsForALeaseCanBeCancelled) {
  if (fd_ < 0) GTEST_SKIP() << "the file system has no leases";
  const JobRun run = Copy("t", "", [&](CopyJob* job) {
    AwaitWriter();
    job->Cancel();
  });
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "old");
}

TEST_F(CopyJobStreamsTest, ALoopOfLinksIsReplacedWithForceAlone) {
  PrepareWithShell(scratch_.path(), "ln -s t t");
  CopyRequest request;
  request.sources = {"/dev/null"};
  request.target = scratch_.Path("t");
  request.options = OptionsFor("");
  EXPECT_EQ(RunJob(request).Messages(),
            absl::StrCat("cannot stat '", request.target,
                         "': Too many levels of symbolic links"));
  request.options = OptionsFor("f");
  EXPECT_EQ(RunJob(request).Messages(), "");
  EXPECT_EQ(ReadFileOrNone(request.target), "");
}

}  // namespace
}  // namespace ringcp
