// Tests how whole jobs copy symbolic links, pipes, devices and further hard links: what
// they may replace, which modes they get, and that none of that needs /proc.

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/posix_acl.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/refused_calls.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

constexpr uint32_t kFchmodat2 = 452;  // Older headers have no name for it.

CopyRequest RequestOf(const std::string& source, const std::string& target,
                      const std::string& letters) {
  CopyRequest request;
  request.sources = {source};
  request.target = target;
  request.options = OptionsFor(letters);
  return request;
}

class CopyJobNodesTest : public testing::Test {
 protected:
  CopyRequest Request(const std::string& source, const std::string& target,
                      const std::string& letters) const {
    return RequestOf(scratch_.Path(source), scratch_.Path(target), letters);
  }

  // The type and permissions of `name`, in octal, or "none".
  std::string TypeAndMode(const std::string& name) const {
    struct stat stat = {};
    if (lstat(scratch_.Path(name).c_str(), &stat) != 0) return "none";
    return absl::StrFormat("%o", stat.st_mode);
  }
  std::string LinkText(const std::string& name) const {
    char text[256];
    const ssize_t size = readlink(scratch_.Path(name).c_str(), text, sizeof(text));
    return size < 0 ? "(none)" : std::string(text, size);
  }

  ScratchDirectory scratch_;
};

TEST_F(CopyJobNodesTest, AnotherNameOfALinkIsLeftAsItIs) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; ln -s nowhere s/l; ln s/l t/l; ln s/l s/other");
  const JobRun named = RunJob(Request("s/l", "s/other", "P"));
  EXPECT_EQ(named.Messages(), "");
  EXPECT_TRUE(named.copied.empty());
  EXPECT_EQ(LinkText("s/other"), "nowhere");
  EXPECT_EQ(RunJob(Request("s/l", "t", "a")).Messages(), "");
  EXPECT_EQ(LinkText("t/l"), "nowhere");
  // By its own name it is the same file, like any other.
  EXPECT_EQ(RunJob(Request("s/l", "s/l", "P")).Messages(),
            absl::StrCat("'", scratch_.Path("s/l"), "' and '", scratch_.Path("s/l"),
                         "' are the same file"));
}

TEST_F(CopyJobNodesTest, WithRemoveDestinationWhateverIsThereIsRemovedFirst) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s t; echo new >s/file; echo new >s/link; mkfifo s/pipe; "
                   "ln s/file s/name; echo old >o; ln o t/file; ln -s ../o t/link; "
                   "ln -s ../s/pipe t/pipe; ln s/file t/name; echo kept >t/kept");
  CopyRequest request = Request("s/.", "t", "aR");
  request.options.tuning.workers = 1;
  EXPECT_EQ(RunJob(request).Messages(), "");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("o")), "old\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/file")), "new\n");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/kept")), "kept\n");
  EXPECT_EQ(TypeAndMode("t/link").substr(0, 3), "100");
  EXPECT_EQ(TypeAndMode("t/pipe").substr(0, 2), "10");
  EXPECT_TRUE(
      std::filesystem::equivalent(scratch_.Path("t/file"), scratch_.Path("t/name")));
  EXPECT_FALSE(
      std::filesystem::equivalent(scratch_.Path("s/file"), scratch_.Path("t/name")));
}

// GNU cp removes the file, and then finds nothing to copy.
TEST_F(CopyJobNodesTest, WithRemoveDestinationALinkIsNotCopiedOntoItself) {
  PrepareWithShell(scratch_.path(), "echo a >a; ln -s a l; ln -s /dev/null n");
  for (const std::string name : {"a", "l", "n"}) {
    const std::string path = scratch_.Path(name);
    const std::string before = TypeAndMode(name);
    EXPECT_EQ(RunJob(Request(name, name, "R")).Messages(),
              absl::StrCat("'", path, "' and '", path, "' are the same file"));
    EXPECT_EQ(TypeAndMode(name), before);
  }
}

TEST_F(CopyJobNodesTest, ALinkThatLeadsToThePipeIsNotReplacedByIt) {
  PrepareWithShell(scratch_.path(), "mkdir s t; mkfifo s/p; ln -s ../s/p t/p");
  EXPECT_EQ(RunJob(Request("s/p", "t", "a")).Messages(),
            absl::StrCat("'", scratch_.Path("s/p"), "' and '", scratch_.Path("t/p"),
                         "' are the same file"));
  EXPECT_EQ(LinkText("t/p"), "../s/p");
}

TEST_F(CopyJobNodesTest, WhatHasNoTypeIsNotMadeAFile) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct stat stat = {};
  ASSERT_EQ(fstat(epoll, &stat), 0);
  if ((stat.st_mode & S_IFMT) != 0) GTEST_SKIP() << "here it is a regular file";
  const std::string source = absl::StrCat("/proc/self/fd/", epoll);
  EXPECT_EQ(RunJob(RequestOf(source, scratch_.Path("t"), "rL")).Messages(),
            absl::StrCat("'", source, "' has unknown file type"));
  EXPECT_EQ(TypeAndMode("t"), "none");
  close(epoll);
}

TEST_F(CopyJobNodesTest, WhatIsInTheWayInADirectoryThatTheJobMadeIsNotReplaced) {
  // Plays a file system that takes two names for one.
  PrepareWithShell(scratch_.path(), "mkdir s; ln -s new s/l; mkfifo s/p");
  JobHooks hooks;
  std::string target;
  hooks.on_copied = [&](CopyJob*, int count) {
    if (count > 1) return;
    scratch_.WriteFile(absl::StrCat(target, "/l"), "first");
    scratch_.WriteFile(absl::StrCat(target, "/p"), "first");
  };
  target = "t";
  EXPECT_EQ(RunJob(Request("s", "t", "a"), hooks).Messages(),
            absl::StrCat("cannot create fifo '", scratch_.Path("t/p"),
                         "': File exists\ncannot create symbolic link '",
                         scratch_.Path("t/l"), "': File exists"));
  // Still regular files.
  EXPECT_EQ(TypeAndMode("t/l").substr(0, 3), "100");
  EXPECT_EQ(TypeAndMode("t/p").substr(0, 3), "100");
  // With -f a symbolic link replaces the file, as in GNU cp.
  target = "u";
  EXPECT_EQ(RunJob(Request("s", "u", "af"), hooks).Messages(),
            absl::StrCat("cannot create fifo '", scratch_.Path("u/p"), "': File exists"));
  EXPECT_EQ(LinkText("u/l"), "new");
}

TEST_F(CopyJobNodesTest, AKeptModeTakesThePlaceOfAnInheritedAcl) {
  PrepareWithShell(scratch_.path(), "mkdir s t; mkfifo s/p; chmod 640 s/p");
  // user::rwx, user:nobody:rwx, group::rwx, mask::rwx, other::rwx
  const std::string acl(
      "\2\0\0\0"
      "\1\0\7\0\xFF\xFF\xFF\xFF"
      "\2\0\7\0\xFE\xFF\0\0"
      "\4\0\7\0\xFF\xFF\xFF\xFF"
      "\x10\0\7\0\xFF\xFF\xFF\xFF"
      "\x20\0\7\0\xFF\xFF\xFF\xFF",
      4 + 5 * 8);
  if (setxattr(scratch_.Path("t").c_str(), kDefaultAclName, acl.data(), acl.size(), 0) !=
      0) {
    GTEST_SKIP() << "the file system has no access control lists";
  }
  EXPECT_EQ(RunJob(Request("s/p", "t", "a")).Messages(), "");
  EXPECT_EQ(TypeAndMode("t/p"), "10640");
  EXPECT_LT(getxattr(scratch_.Path("t/p").c_str(), kAccessAclName, nullptr, 0), 0);
}

// Copies a file with two names; the second one's target, t/d/x2, is another file.
class CopyJobHardLinksTest : public CopyJobNodesTest {
 protected:
  CopyJobHardLinksTest() {
    PrepareWithShell(scratch_.path(),
                     "mkdir -p s/d t/d; echo new >s/x; ln s/x s/d/x2; chmod 777 t");
  }

  // The names in t/d, each with its contents.
  std::string Found() const {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.Path("t/d"))) {
      absl::StrAppend(&found, entry.path().filename().string(), ": ",
                      ReadFileOrNone(entry.path()));
    }
    return found;
  }
  // Copies with the options `letters`. Returns what went wrong, and then what is in t/d.
  std::string CopyAndLook(const std::string& letters = "rd") const {
    CopyRequest request = Request("s/.", "t", letters);
    request.options.preserve.links = true;
    request.options.tuning.workers = 1;  // A second worker might come to s/d/x2 first.
    const std::string messages = RunJob(request).Messages();
    return absl::StrCat(messages, "\n", Found());
  }
  std::string CannotLink(const std::string& reason) const {
    return absl::StrCat("cannot create hard link '", scratch_.Path("t/./d/x2"), "' to '",
                        scratch_.Path("t/./x"), "': ", reason);
  }
};

TEST_F(CopyJobHardLinksTest, ALinkTakesTheOldFilesPlaceAndLeavesNothingElse) {
  scratch_.WriteFile("t/d/x2", "old\n");
  EXPECT_EQ(CopyAndLook(), "\nx2: new\n");
  EXPECT_TRUE(std::filesystem::equivalent(scratch_.Path("t/x"), scratch_.Path("t/d/x2")));
}

TEST_F(CopyJobHardLinksTest, WhereNoLinkCanBeMadeTheOldFileIsKept) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  const std::string result = InChildProcess([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("ringcp-test", scratch_.Path("t/d").c_str(), "tmpfs", 0, nullptr) != 0) {
      return absl::StrCat("cannot mount: ", std::strerror(errno));
    }
    scratch_.WriteFile("t/d/x2", "old\n");
    return CopyAndLook();
  });
  if (result.starts_with("cannot mount")) GTEST_SKIP() << result;
  EXPECT_EQ(result, absl::StrCat(CannotLink("Invalid cross-device link"), "\nx2: old\n"));
}

TEST_F(CopyJobHardLinksTest, ALinkThatMayNotTakeTheOldFilesPlaceIsGone) {
  if (geteuid() != 0) GTEST_SKIP() << "takes a second user";
  scratch_.WriteFile("t/d/x2", "old\n");
  // Other users may make files there, but not remove this one.
  PrepareWithShell(scratch_.path(), "chmod 755 .; chmod 1777 t/d; chmod 644 t/d/x2");
  EXPECT_EQ(InChildProcess([&] {
              BecomeOrdinaryUser();
              return CopyAndLook();
            }),
            absl::StrCat(CannotLink("Operation not permitted"), "\nx2: old\n"));
}

TEST_F(CopyJobHardLinksTest, TheSourceAndLinksToDirectoriesAreNotReplaced) {
  const std::string same =
      absl::StrCat("'", scratch_.Path("s/./d/x2"), "' and '", scratch_.Path("t/./d/x2"),
                   "' are the same file\nx2: new\n");
  PrepareWithShell(scratch_.path(), "ln -s ../../s/d/x2 t/d/x2");
  EXPECT_EQ(CopyAndLook(), same);
  EXPECT_EQ(LinkText("t/d/x2"), "../../s/d/x2");
  PrepareWithShell(scratch_.path(), "ln -f s/x t/d/x2");
  EXPECT_EQ(CopyAndLook(), same);
  PrepareWithShell(scratch_.path(), "ln -sfT ../../s t/d/x2");
  EXPECT_EQ(RunJob(Request("s/.", "t", "rd")).Messages(),
            absl::StrCat("cannot overwrite directory '", scratch_.Path("t/./d/x2"),
                         "' with non-directory"));
  EXPECT_EQ(LinkText("t/d/x2"), "../../s");
}

TEST_F(CopyJobHardLinksTest, AFileThatReplacesASocketHasFurtherNames) {
  const std::string socket = scratch_.Path("t/x");
  ASSERT_EQ(mknod(socket.c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_EQ(CopyAndLook("rPf"), "\nx2: new\n");
  EXPECT_TRUE(std::filesystem::equivalent(socket, scratch_.Path("t/d/x2")));
}

TEST_F(CopyJobHardLinksTest, AFurtherNameOfAFileWrittenThroughALinkIsANameOfTheFile) {
  PrepareWithShell(scratch_.path(), "echo old >o; ln -s $PWD/o t/x");
  EXPECT_EQ(CopyAndLook("rL"), "\nx2: new\n");
  EXPECT_EQ(LinkText("t/d/x2"), "(none)");
  EXPECT_TRUE(std::filesystem::equivalent(scratch_.Path("o"), scratch_.Path("t/d/x2")));
  // With -P, x2 becomes another name of the link itself.
  PrepareWithShell(scratch_.path(), "rm t/d/x2");
  EXPECT_EQ(CopyAndLook("rP"), "\nx2: new\n");
  EXPECT_EQ(LinkText("t/d/x2"), scratch_.Path("o"));
}

// Copies in a root directory without /proc, like those in which images are built.
class CopyJobWithoutProcTest : public CopyJobNodesTest {
 protected:
  CopyJobWithoutProcTest() {
    PrepareWithShell(scratch_.path(),
                     "mkdir s s/d; mkfifo s/p s/open; touch s/f;"
                     "ln -s nowhere s/l; chmod 640 s/p s/f;"
                     "chmod 666 s/open; chmod 750 s/d;"
                     "touch -hd '2001-02-03 04:05:06' s/*");
    if (geteuid() == 0) {
      EXPECT_EQ(mknod(scratch_.Path("s/null").c_str(), S_IFCHR | 0640, makedev(1, 3)), 0);
      EXPECT_EQ(chown(scratch_.Path("s/null").c_str(), 1, 1), 0);
    }
  }

  // Archives s as t there. If `error_number` is not 0, fchmodat2() fails with it. Whether
  // the process may mount a /proc of its own is `may_mount`.
  std::string Archive(int error_number, bool may_mount = true) const {
    return InChildProcess([&]() -> std::string {
      umask(022);
      CopyRequest request = RequestOf("/s", "/t", "a");
      request.options.umask = 022;
      if (chroot(scratch_.path().c_str()) != 0 || chdir("/") != 0) return "no chroot";
      if (error_number != 0 && !RefuseCall(kFchmodat2, error_number)) return "no filter";
      if (!may_mount && !RefuseCall(SYS_fsopen, EPERM)) return "no filter";
      return RunJob(request).Messages();
    });
  }

  // The value of an extended attribute; "" if the file has none by this name.
  std::string Attribute(const std::string& path, const char* name) const {
    char value[256];
    const ssize_t size =
        lgetxattr(scratch_.Path(path).c_str(), name, value, sizeof(value));
    return std::string(value, size > 0 ? size : 0);
  }

  void ExpectWhole() const {
    EXPECT_EQ(TypeAndMode("t/p"), "10640");
    EXPECT_EQ(TypeAndMode("t/open"), "10666");
    EXPECT_EQ(TypeAndMode("t/f"), "100640");
    EXPECT_EQ(TypeAndMode("t/d"), "40750");
    for (const char* name : {"t/p", "t/f", "t/d", "t/l"}) {
      struct stat stat = {};
      EXPECT_EQ(lstat(scratch_.Path(name).c_str(), &stat), 0) << name;
      EXPECT_LT(stat.st_mtim.tv_sec, 1000000000) << name;
    }
  }
};

TEST_F(CopyJobWithoutProcTest, ModesAndTimesAreKept) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may change its root directory";
  if (syscall(kFchmodat2, -1, "", 0, 0) != 0 && errno == ENOSYS) {
    GTEST_SKIP() << "Linux before 6.6 has no fchmodat2()";
  }
  EXPECT_EQ(Archive(0), "");
  ExpectWhole();
  EXPECT_EQ(TypeAndMode("t/null"), "20640");
}

TEST_F(CopyJobWithoutProcTest, OlderKernelsKeepModesAndTimesToo) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may change its root directory";
  for (const int error_number : {ENOSYS, EPERM}) {
    EXPECT_EQ(Archive(error_number), "");
    ExpectWhole();
    EXPECT_EQ(TypeAndMode("t/null"), "20640");
    PrepareWithShell(scratch_.path(), "rm -r t");
  }
}

TEST_F(CopyJobWithoutProcTest, WhatMayHaveAnAclNobodyCanSeeIsForItsOwnerOnly) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may change its root directory";
  EXPECT_EQ(Archive(0, /*may_mount=*/false),
            "preserving permissions for '/t/null': Operation not permitted\n"
            "preserving permissions for '/t/open': Operation not permitted\n"
            "preserving permissions for '/t/p': Operation not permitted");
  EXPECT_EQ(TypeAndMode("t/p"), "10600");
  EXPECT_EQ(TypeAndMode("t/open"), "10600");
  EXPECT_EQ(TypeAndMode("t/null"), "20600");
}

TEST_F(CopyJobWithoutProcTest, AttributesOfLinksAndAclsOfPipesAreKept) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may change its root directory";
  PrepareWithShell(scratch_.path(),
                   "setfattr -hn trusted.a -v 1 s/l; setfacl -m u:7:rw s/p s/null");
  EXPECT_EQ(Archive(0), "");
  EXPECT_EQ(Attribute("t/l", "trusted.a"), "1");
  for (const std::string name : {"p", "null"}) {
    const std::string acl = Attribute("s/" + name, kAccessAclName);
    EXPECT_FALSE(acl.empty());
    EXPECT_EQ(Attribute("t/" + name, kAccessAclName), acl);
  }
}

}  // namespace
}  // namespace ringcp
