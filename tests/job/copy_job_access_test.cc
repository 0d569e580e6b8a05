// Tests who has access to a directory's copy: what access control lists (ACLs) and the
// umask say, what is withheld while it is filled and given back afterwards, and what
// happens on a file system that refuses modes.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

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

// user::rwx, user:nobody:rwx, group::---, mask::rwx, other::---
const std::string& AclThatNamesNobody() {
  static const std::string kAcl(
      "\2\0\0\0"
      "\1\0\7\0\xFF\xFF\xFF\xFF"
      "\2\0\7\0\xFE\xFF\0\0"
      "\4\0\0\0\xFF\xFF\xFF\xFF"
      "\x10\0\7\0\xFF\xFF\xFF\xFF"
      "\x20\0\0\0\xFF\xFF\xFF\xFF",
      4 + 5 * 8);
  return kAcl;
}

class CopyJobAccessTest : public testing::Test {
 protected:
  CopyRequest Request(const std::string& source, const std::string& target,
                      const std::string& letters) const {
    CopyRequest request;
    request.sources = {scratch_.Path(source)};
    request.target = scratch_.Path(target);
    request.options = OptionsFor(letters);
    return request;
  }

  std::string Mode(const std::string& name) const {
    struct stat stat = {};
    if (lstat(scratch_.Path(name).c_str(), &stat) != 0) return "none";
    return absl::StrFormat("%o", stat.st_mode & 07777);
  }

  // Returns false if the file system has no ACLs.
  bool SetAcl(const std::string& name, const char* kind, const std::string& acl) const {
    return setxattr(scratch_.Path(name).c_str(), kind, acl.data(), acl.size(), 0) == 0;
  }
  bool HasAcl(const std::string& name, const char* kind) const {
    return getxattr(scratch_.Path(name).c_str(), kind, nullptr, 0) >= 0;
  }

  // Runs `request` in a process whose umask is `mask`. Returns the messages.
  static std::string RunWithUmask(CopyRequest request, mode_t mask) {
    return InChildProcess([&] {
      umask(mask);
      request.options.umask = mask;
      return RunJob(request).Messages();
    });
  }

  // Runs `request` in a process in which `calls` fail. Returns the messages.
  static std::string RunWithout(const std::vector<uint32_t>& calls,
                                const CopyRequest& request, int error_number) {
    return InChildProcess([&]() -> std::string {
      umask(request.options.umask);
      for (const uint32_t call : calls) {
        if (!RefuseCall(call, error_number)) return "no filter";
      }
      return RunJob(request).Messages();
    });
  }
  static std::string RunWithoutChmod(CopyRequest request, int error_number, mode_t mask) {
    request.options.umask = mask;
    return RunWithout({SYS_fchmod, SYS_chmod, SYS_fchmodat, kFchmodat2}, request,
                      error_number);
  }

  ScratchDirectory scratch_;
};

#define SKIP_WITHOUT_ACLS(name)                                      \
  do {                                                               \
    if (!SetAcl(name, kDefaultAclName, AclOfMode(0777))) {           \
      GTEST_SKIP() << "the file system has no access control lists"; \
    }                                                                \
  } while (false)

TEST_F(CopyJobAccessTest, ADefaultAclDecidesWhatOthersMay) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/sub/empty t; echo x >s/sub/f; chmod -R 755 s");
  SKIP_WITHOUT_ACLS("t");
  ASSERT_TRUE(SetAcl("t", kDefaultAclName, AclOfMode(0750)));
  EXPECT_EQ(RunWithUmask(Request("s", "t", "r"), 022), "");
  EXPECT_EQ(Mode("t/s"), "750");
  EXPECT_EQ(Mode("t/s/sub"), "750");
  EXPECT_EQ(Mode("t/s/sub/empty"), "750");
}

TEST_F(CopyJobAccessTest, WhatWasWithheldIsGivenBackAsFarAsTheDefaultAclGrantsIt) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/sub t u; echo x >s/sub/f;"
                   "chmod -R 777 s");
  SKIP_WITHOUT_ACLS("t");
  ASSERT_TRUE(SetAcl("t", kDefaultAclName, AclOfMode(0770)));
  EXPECT_EQ(RunWithUmask(Request("s", "t", "r"), 002), "");
  EXPECT_EQ(Mode("t/s"), "770");
  EXPECT_EQ(Mode("t/s/sub"), "770");
  EXPECT_EQ(RunWithUmask(Request("s", "u", "r"), 002), "");
  EXPECT_EQ(Mode("u/s"), "775");
  EXPECT_EQ(Mode("u/s/sub"), "775");
}

TEST_F(CopyJobAccessTest, AKeptModeTakesThePlaceOfAnInheritedAcl) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/sub/empty t/s; echo x >s/sub/f; chmod -R 750 s");
  SKIP_WITHOUT_ACLS("t");
  for (const char* name : {"t", "t/s"}) {
    ASSERT_TRUE(SetAcl(name, kDefaultAclName, AclThatNamesNobody()));
  }
  // A directory that was there before loses its own ACL, too.
  ASSERT_TRUE(SetAcl("t/s", kAccessAclName, AclThatNamesNobody()));
  const JobRun run = RunJob(Request("s", "t", "a"));
  EXPECT_EQ(run.Messages(), "");
  EXPECT_TRUE(run.warnings.empty());
  for (const char* name : {"t/s", "t/s/sub", "t/s/sub/empty"}) {
    EXPECT_EQ(Mode(name), "750") << name;
    EXPECT_FALSE(HasAcl(name, kAccessAclName)) << name;
    EXPECT_FALSE(HasAcl(name, kDefaultAclName)) << name;
  }
}

// The mode's group bits would be the ACL's mask, and so let in whoever the ACL names.
TEST_F(CopyJobAccessTest, AnInheritedAclThatStaysLetsNobodyIn) {
  PrepareWithShell(scratch_.path(), "mkdir -p s t; chmod -R 770 s");
  SKIP_WITHOUT_ACLS("t");
  ASSERT_TRUE(SetAcl("t", kDefaultAclName, AclThatNamesNobody()));
  EXPECT_EQ(RunWithout({SYS_fsetxattr, SYS_setxattr}, Request("s", "t", "rp"), EIO),
            absl::StrCat("preserving permissions for '", scratch_.Path("t/s"),
                         "': Input/output error"));
  EXPECT_TRUE(HasAcl("t/s", kAccessAclName));
  EXPECT_EQ(Mode("t/s"), "700");
}

TEST_F(CopyJobAccessTest, ADirectoryThatCanNotGetItsTimesGetsNothingElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a directory away";
  PrepareWithShell(scratch_.path(), "mkdir -m 777 s; chown 5:6 s");
  EXPECT_EQ(RunWithout({SYS_utimensat}, Request("s", "t", "rp"), EPERM),
            absl::StrCat("preserving times for '", scratch_.Path("t"),
                         "': Operation not permitted"));
  struct stat stat = {};
  ASSERT_EQ(lstat(scratch_.Path("t").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_uid, 0u);
  EXPECT_EQ(Mode("t"), "700");
}

TEST_F(CopyJobAccessTest, AnotherUsersDirectoryThatCanNotBeClosedToOthersIsAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  PrepareWithShell(
      scratch_.path(),
      absl::StrCat("mkdir -p s t/s; chmod 777 . s t t/s; chown ", kOrdinaryUser, " s"));
  CopyRequest request = Request("s", "t", "r");
  request.options.preserve = {.mode = true, .ownership = true};
  EXPECT_EQ(InChildProcess([&] {
              BecomeOrdinaryUser();
              return RunJob(request).Messages();
            }),
            absl::StrCat("preserving permissions for '", scratch_.Path("t/s"),
                         "': Operation not permitted"));
}

TEST_F(CopyJobAccessTest, AclsAndAttributesAreCopiedWhateverADirectoryHasGiven) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/dir t; touch s/dir/file; mkfifo s/dir/pipe;"
                   "setfattr -n user.a -v 1 s/dir; setfattr -n user.b -v 2 s/dir/file");
  SKIP_WITHOUT_ACLS("t");
  for (const char* name : {"s", "s/dir", "s/dir/file", "s/dir/pipe"}) {
    ASSERT_TRUE(SetAcl(name, kAccessAclName, AclThatNamesNobody())) << name;
  }
  ASSERT_TRUE(SetAcl("s/dir", kDefaultAclName, AclThatNamesNobody()));
  const JobRun run = RunJob(Request("s", "t/s", "a"));
  EXPECT_EQ(run.Messages(), "");
  PrepareWithShell(scratch_.path(),
                   "for tree in s t/s; do"
                   " (cd $tree; getfacl -R .; getfattr -R -d .) >$(dirname $tree).list;"
                   "done");
  const std::string of_source = ReadFileOrNone(scratch_.Path("..list"));
  EXPECT_NE(of_source.find("user.b=\"2\""), std::string::npos);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t.list")), of_source);
}

TEST_F(CopyJobAccessTest, WhereAnAclIsRefusedItsMaskIsNotGivenToTheOwningGroup) {
  PrepareWithShell(scratch_.path(), "mkdir -p s/one; chmod -R 755 s");
  if (!SetAcl("s/one", kAccessAclName, AclThatNamesNobody())) {
    GTEST_SKIP() << "the file system has no access control lists";
  }
  ASSERT_EQ(Mode("s/one"), "770");
  EXPECT_EQ(
      RunWithout({SYS_fsetxattr, SYS_setxattr}, Request("s", "t", "rp"), EOPNOTSUPP),
      absl::StrCat("preserving permissions for '", scratch_.Path("t/one"),
                   "': Operation not supported"));
  EXPECT_EQ(Mode("t/one"), "700");
}

TEST_F(CopyJobAccessTest, RefusedModesAreNoErrorUnlessTheyAreToBeKept) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/shared s/empty; echo x >s/shared/f; chmod 777 s s/*");
  for (const int error_number : {EPERM, EOPNOTSUPP}) {
    const std::string target = absl::StrCat("t", error_number);
    EXPECT_EQ(RunWithoutChmod(Request("s", target, "r"), error_number, 0), "");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(target + "/shared/f")), "x\n");
    // Nobody else could write into it while it was filled.
    EXPECT_EQ(Mode(target + "/shared"), "755");
  }
  EXPECT_EQ(RunWithoutChmod(Request("s/empty", "u", "rp"), EPERM, 0),
            absl::StrCat("preserving permissions for '", scratch_.Path("u"),
                         "': Operation not permitted"));
  // EIO means a broken device, and is an error even though no mode is to be kept.
  EXPECT_EQ(RunWithoutChmod(Request("s/empty", "v", "r"), EIO, 0),
            absl::StrCat("preserving permissions for '", scratch_.Path("v"),
                         "': Input/output error"));
}

TEST_F(CopyJobAccessTest, AModeThatIsRightIsNotSet) {
  PrepareWithShell(scratch_.path(), "mkdir -p s/sub t/s/sub; chmod -R 700 s t/s");
  EXPECT_EQ(RunWithoutChmod(Request("s", "t", "a"), EPERM, 022), "");
  EXPECT_EQ(RunWithoutChmod(Request("s", "u", "a"), EPERM, 022), "");
  PrepareWithShell(scratch_.path(), "chmod -R 755 s");
  EXPECT_EQ(RunWithoutChmod(Request("s", "v", "r"), EPERM, 022), "");
}

// Without the sticky bit everybody could remove what others put there.
TEST_F(CopyJobAccessTest, ADirectoryKeepsItsStickyBit) {
  PrepareWithShell(scratch_.path(), "mkdir -m 1777 s; chown 1:1 s || true; chmod 0777 .");
  EXPECT_EQ(RunJob(Request("s", "of-the-umask", "r")).Messages(), "");
  EXPECT_EQ(Mode("of-the-umask"), "1755");
  CopyRequest request = Request("s", "default", "r");
  request.options.default_mode = true;
  EXPECT_EQ(RunJob(request).Messages(), "");
  EXPECT_EQ(Mode("default"), "1755");
  if (geteuid() != 0) GTEST_SKIP() << "only root can become a user who may not chown";
  const CopyRequest kept = Request("s", "kept", "a");
  const std::string result = InChildProcess([&]() -> std::string {
    if (setgid(2) != 0 || setuid(2) != 0) return "cannot change the user";
    return RunJob(kept).Messages();
  });
  EXPECT_EQ(result, "");
  EXPECT_EQ(Mode("kept"), "1777");
}

TEST_F(CopyJobAccessTest, OwnershipAloneGivesBackNoMoreThanItWithheld) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/sub t/s/sub;"
                   "chmod -R 777 s; chmod -R 700 t/s");
  CopyRequest request = Request("s", "t", "r");
  request.options.preserve.ownership = true;
  EXPECT_EQ(RunWithUmask(request, 022), "");
  EXPECT_EQ(Mode("t/s"), "700");  // It was there before.
  EXPECT_EQ(Mode("t/s/sub"), "700");
  request.target = scratch_.Path("u");
  EXPECT_EQ(RunWithUmask(request, 027), "");
  EXPECT_EQ(Mode("u"), "750");
  EXPECT_EQ(Mode("u/sub"), "750");
}

TEST_F(CopyJobAccessTest, WhatIsInTheWayInADirectoryThatTheJobMadeIsNotMergedInto) {
  // Plays a file system that takes two names for one.
  PrepareWithShell(scratch_.path(), "mkdir -p s/sub; echo x >s/sub/f");
  CopyRequest request = Request("s", "t", "r");
  JobHooks hooks;
  hooks.on_copied = [&](CopyJob*, int count) {
    if (count == 1) scratch_.MakeDirectory("t/sub");
  };
  EXPECT_EQ(RunJob(request, hooks).Messages(),
            absl::StrCat("cannot create directory '", scratch_.Path("t/sub"),
                         "': File exists"));
  EXPECT_FALSE(Exists(scratch_.Path("t/sub/f")));
}

}  // namespace
}  // namespace ringcp
