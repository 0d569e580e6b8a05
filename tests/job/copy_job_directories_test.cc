// Tests how whole jobs copy directories themselves: their permissions while they are
// filled and afterwards, directories that exist already, and links that lead back to an
// ancestor.

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobDirectoriesTest : public testing::Test {
 protected:
  CopyJobDirectoriesTest() {
    // So that an ordinary user gets in and may make the target there.
    EXPECT_EQ(chmod(scratch_.path().c_str(), 0777), 0);
  }

  CopyRequest Request(const std::string& source, const std::string& target,
                      const std::string& letters) const {
    CopyRequest request;
    request.sources = {scratch_.Path(source)};
    request.target = scratch_.Path(target);
    request.options = OptionsFor(letters);
    return request;
  }

  // Runs `request` as an ordinary user whose umask is `mask`. Returns the messages.
  std::string RunAsOrdinaryUser(CopyRequest request, mode_t mask = 022) const {
    return InChildProcess([&] {
      BecomeOrdinaryUser();
      umask(mask);
      request.options.umask = mask;
      return RunJob(request).Messages();
    });
  }

  // The permissions of `name`, in octal, or "none".
  std::string Mode(const std::string& name) const {
    struct stat stat = {};
    if (lstat(scratch_.Path(name).c_str(), &stat) != 0) return "none";
    return absl::StrFormat("%o", stat.st_mode & 07777);
  }

  time_t ModificationTime(const std::string& name) const {
    struct stat stat = {};
    EXPECT_EQ(lstat(scratch_.Path(name).c_str(), &stat), 0);
    return stat.st_mtim.tv_sec;
  }

  ScratchDirectory scratch_;
};

TEST_F(CopyJobDirectoriesTest, AUmaskThatTakesTheOwnersRightsHoldsWhenAllIsCopied) {
  PrepareWithShell(scratch_.path(), "mkdir -p s/sub; echo x >s/sub/f; chmod -R a+rX s");
  for (const mode_t mask : {0700, 0300, 0400, 0777}) {
    const std::string target = absl::StrFormat("t%o", mask);
    SCOPED_TRACE(target);
    EXPECT_EQ(RunAsOrdinaryUser(Request("s", target, "r"), mask), "");
    EXPECT_EQ(Mode(target), absl::StrFormat("%o", 0755 & ~mask));
    if (geteuid() != 0) chmod(scratch_.Path(target).c_str(), 0755);
    EXPECT_EQ(Mode(target + "/sub"), absl::StrFormat("%o", 0755 & ~mask));
    if (geteuid() != 0) chmod(scratch_.Path(target + "/sub").c_str(), 0755);
    EXPECT_EQ(Mode(target + "/sub/f"), absl::StrFormat("%o", 0644 & ~mask));
  }
}

TEST_F(CopyJobDirectoriesTest, AnExistingDirectoryMayBeWritableButNotReadable) {
  PrepareWithShell(
      scratch_.path(),
      absl::StrCat("mkdir -p s/sub t/sub; echo x >s/sub/f; chmod -R a+rX s;"
                   " touch -d '2001-02-03 04:05:06' s/sub s; chmod 300 t/sub;",
                   geteuid() == 0 ? "chown -R 65534 t" : ""));
  EXPECT_EQ(RunAsOrdinaryUser(Request("s", "t", "rpT")), "");
  EXPECT_EQ(Mode("t/sub"), "755");
  EXPECT_EQ(ModificationTime("t/sub"), ModificationTime("s/sub"));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/sub/f")), "x\n");
}

TEST_F(CopyJobDirectoriesTest, AReadOnlyDirectoryGetsItsModeAfterItsContents) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/sub; echo x >s/sub/f; chmod 555 s/sub; chmod 555 s");
  EXPECT_EQ(RunAsOrdinaryUser(Request("s", "t", "a")), "");
  EXPECT_EQ(Mode("t"), "555");
  EXPECT_EQ(Mode("t/sub"), "555");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/sub/f")), "x\n");
  PrepareWithShell(scratch_.path(), "chmod -R u+w s; chmod -R u+w t");
}

TEST_F(CopyJobDirectoriesTest, TimesAreKeptThoughTheContentsComeLater) {
  PrepareWithShell(
      scratch_.path(),
      "mkdir -p s/sub/sub; for i in $(seq 300); do echo $i >s/sub/sub/$i; done;"
      " touch -d '2001-02-03 04:05:06' s/sub/sub s/sub s");
  EXPECT_EQ(RunJob(Request("s", "t", "a")).Messages(), "");
  for (const char* name : {"t", "t/sub", "t/sub/sub"}) {
    EXPECT_EQ(ModificationTime(name), ModificationTime("s")) << name;
  }
}

TEST_F(CopyJobDirectoriesTest, NewDirectoriesInheritTheirGroup) {
  PrepareWithShell(scratch_.path(), "mkdir -p s/sub t; echo x >s/f; chmod 2755 t");
  EXPECT_EQ(RunJob(Request("s", "t", "r")).Messages(), "");
  EXPECT_EQ(Mode("t/s"), "2755");
  EXPECT_EQ(Mode("t/s/sub"), "2755");
}

TEST_F(CopyJobDirectoriesTest, EmptyDirectoriesGetTheirModeToo) {
  // Most need only be made, but most of these have to be opened, or exist already.
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/plain s/shared s/shut s/there t/s/there;"
                   " chmod 755 s s/plain; chmod 777 s/shared; chmod 555 s/shut;"
                   " chmod 700 s/there; chmod 750 t/s/there;"
                   " touch -d '2001-02-03 04:05:06' s/*");
  EXPECT_EQ(RunAsOrdinaryUser(Request("s", "u", "r"), 0002),
            geteuid() == 0 ? absl::StrCat("cannot access '", scratch_.Path("s/there"),
                                          "': Permission denied")
                           : "");
  EXPECT_EQ(Mode("u/plain"), "755");
  EXPECT_EQ(Mode("u/shared"), "775");
  EXPECT_EQ(Mode("u/shut"), "555");
  const JobRun merged = RunJob(Request("s", "t", "r"));
  EXPECT_EQ(merged.Messages(), "");
  EXPECT_EQ(Mode("t/s/there"), "750");
  EXPECT_EQ(RunJob(Request("s", "v", "a")).Messages(), "");
  for (const char* name : {"plain", "shared", "shut", "there"}) {
    const std::string source = absl::StrCat("s/", name);
    const std::string target = absl::StrCat("v/", name);
    EXPECT_EQ(Mode(target), Mode(source)) << name;
    EXPECT_EQ(ModificationTime(target), ModificationTime(source)) << name;
  }
}

TEST_F(CopyJobDirectoriesTest, ALinkThatLeadsBackIsReportedOnce) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/b; ln -s ../.. s/a/b/up; echo x >s/a/f");
  const JobRun run = RunJob(Request("s", "t", "rL"));
  EXPECT_EQ(run.Messages(), absl::StrCat("cannot copy cyclic symbolic link '",
                                         scratch_.Path("s/a/b/up'")));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/a/f")), "x\n");
}

TEST_F(CopyJobDirectoriesTest, ASourceFoundAgainBehindALinkIsReportedToo) {
  // The link leads out of the source, to a directory in which the source is found again.
  PrepareWithShell(scratch_.path(), "mkdir -p o/s; echo x >o/s/f; ln -s .. o/s/up");
  const JobRun run = RunJob(Request("o/s", "t", "rL"));
  EXPECT_EQ(run.Messages(), absl::StrCat("cannot copy cyclic symbolic link '",
                                         scratch_.Path("o/s/up/s'")));
  EXPECT_FALSE(Exists(scratch_.Path("t/up/s")));
}

}  // namespace
}  // namespace ringcp
