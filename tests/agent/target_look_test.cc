#include "agent/target_look.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class TargetLookTest : public testing::Test {
 protected:
  // The footprint of a job that copies `sources` to `target` in scratch_.
  TargetFootprint To(const std::string& target, std::vector<std::string> sources = {"/s"},
                     TargetKind kind = TargetKind::kDefault) const {
    return LookAtTarget(RequestTo(target, std::move(sources), kind));
  }
  // The same with --parents.
  TargetFootprint WithParents(std::vector<std::string> sources,
                              bool keeps = false) const {
    CopyRequest request = RequestTo("dir", std::move(sources), TargetKind::kDefault);
    request.options.parents = true;
    request.options.preserve.timestamps = keeps;
    return LookAtTarget(request);
  }
  CopyRequest RequestTo(const std::string& target, std::vector<std::string> sources,
                        TargetKind kind) const {
    CopyRequest request;
    request.sources = std::move(sources);
    request.target = scratch_.Path(target);
    request.options.target_kind = kind;
    return request;
  }

  void Link(const std::string& text, const std::string& name) const {
    ASSERT_EQ(symlink(text.c_str(), scratch_.Path(name).c_str()), 0);
  }

  ScratchDirectory scratch_;
};

TEST_F(TargetLookTest, OneNameIsOnePlace) {
  EXPECT_TRUE(To("new").Overlaps(To("new")));
  EXPECT_TRUE(To("new").Overlaps(To(".//./new")));
  EXPECT_FALSE(To("new").Overlaps(To("other")));
  EXPECT_TRUE(To("new").Overlaps(To("new/below/it")));
  EXPECT_FALSE(To("new/one").Overlaps(To("new/two")));
}

TEST_F(TargetLookTest, WhatEachProcessHasOfItsOwnIsFoundThroughLinks) {
  Link("/proc/self", "process");
  Link("/dev/stdin", "input");
  Link("input", "again");
  Link("..", "up");
  scratch_.WriteFile("file", "");
  for (const char* own : {"process", "process/status", "input", "again", "./again"}) {
    EXPECT_TRUE(*LeadsToOwnOfProcess(scratch_.Path(own), true, true)) << own;
  }
  EXPECT_TRUE(*LeadsToOwnOfProcess("/proc/thread-self/comm", true, true));
  EXPECT_TRUE(*LeadsToOwnOfProcess("/dev/fd/0", true, true));
  for (const char* other : {"file", "up", "none", "none/self", "file/self"}) {
    EXPECT_FALSE(*LeadsToOwnOfProcess(scratch_.Path(other), true, true)) << other;
  }
  EXPECT_FALSE(*LeadsToOwnOfProcess("/proc/1/status", true, true));
  EXPECT_FALSE(*LeadsToOwnOfProcess("/", true, true));
  EXPECT_FALSE(*LeadsToOwnOfProcess(scratch_.Path("input"), false, true));
  EXPECT_TRUE(*LeadsToOwnOfProcess(scratch_.Path("process/status"), false, true));
}

TEST_F(TargetLookTest, TheTerminalIsEachProcesssOwn) {
  Link("/dev/tty", "terminal");
  EXPECT_TRUE(*LeadsToOwnOfProcess("/dev/tty", true, true));
  EXPECT_TRUE(*LeadsToOwnOfProcess(scratch_.Path("terminal"), true, true));
  EXPECT_FALSE(*LeadsToOwnOfProcess("/dev/null", true, true));
  // `cp -a /dev/tty DIR` copies the device itself. /dev/stdin is a link into /proc/self.
  EXPECT_FALSE(*LeadsToOwnOfProcess("/dev/tty", true, false));
  EXPECT_TRUE(*LeadsToOwnOfProcess("/dev/stdin", true, false));
}

// A job opens a directory and its entries one after the other, so each of the two paths
// may have as many symbolic links as the kernel follows.
TEST_F(TargetLookTest, WhatEachProcessHasOfItsOwnIsFoundThroughLongPaths) {
  scratch_.MakeDirectory("dir");
  Link("/dev/stdin", "dir/own");
  std::string last = "dir";
  for (int i = 0; i < 40; ++i) {
    const std::string link = absl::StrCat("link", i);
    Link(last, link);
    last = link;
  }
  EXPECT_TRUE(*LeadsToOwnOfProcess(scratch_.Path(last + "/own"), true, true));
  const std::string slashes(PATH_MAX, '/');
  EXPECT_TRUE(*LeadsToOwnOfProcess(scratch_.Path("dir" + slashes + "own"), true, true));
}

TEST_F(TargetLookTest, ALinkInProcMayLeadAnywhere) {
  CopyRequest request;
  request.sources = {"/x/f"};
  request.target = "/proc/1/root/somewhere";
  EXPECT_TRUE(LookAtTarget(request).Overlaps(To("new")));
}

TEST_F(TargetLookTest, OnlyPathsThatAJobFollowsAreLookedAt) {
  Link("/proc/self/mounts", "mtab");
  scratch_.MakeDirectory("dir");
  Link("/dev/stdout", "dir/file");
  Link("/dev/stdout", "dir/mtab");
  scratch_.WriteFile("file", "");
  CopyRequest request;
  request.sources = {scratch_.Path("file")};
  request.target = scratch_.Path("dir");
  EXPECT_EQ(*PathToOwnOfProcess(request), scratch_.Path("dir/file"));
  request.sources = {scratch_.Path("mtab")};
  EXPECT_EQ(*PathToOwnOfProcess(request), scratch_.Path("mtab"));
  request.options.dereference = Dereference::kNever;
  EXPECT_EQ(*PathToOwnOfProcess(request), "");  // Like `cp -a /etc/mtab DIR`.
}

TEST_F(TargetLookTest, InADirectoryEachSourcesNameIsAPlace) {
  scratch_.MakeDirectory("dir");
  EXPECT_FALSE(To("dir", {"/x/a"}).Overlaps(To("dir", {"/y/b", "/y/c"})));
  EXPECT_TRUE(To("dir", {"/x/a"}).Overlaps(To("dir", {"/y/b", "/y/a/"})));
  EXPECT_TRUE(To("dir", {"/x/a"}).Overlaps(To("dir/a", {"/y/b"})));
  EXPECT_FALSE(To("dir", {"/x/a"}).Overlaps(To("dir/b", {"/y/a"})));
  EXPECT_TRUE(
      To("dir", {"/x/a"}).Overlaps(To("dir", {"/y/b"}, TargetKind::kNotDirectory)));
}

TEST_F(TargetLookTest, WithParentsTheFirstDirectoryThatIsMadeIsAPlace) {
  scratch_.MakeDirectory("dir");
  scratch_.MakeDirectory("dir/a");
  const auto a_b_f = [&](bool keeps) { return WithParents({"/a/b/f"}, keeps); };
  EXPECT_TRUE(a_b_f(false).Overlaps(WithParents({"/x", "/a/b/g"})));
  EXPECT_TRUE(a_b_f(false).Overlaps(To("dir/a/b/h")));
  EXPECT_FALSE(a_b_f(false).Overlaps(WithParents({"/a/g", "/f"})));
  // The directory above it is there, and gets attributes only if any are kept.
  EXPECT_TRUE(a_b_f(true).Overlaps(WithParents({"/a/g"})));
  EXPECT_FALSE(a_b_f(true).Overlaps(WithParents({"/f"})));
  scratch_.MakeDirectory("dir/a/b");
  EXPECT_FALSE(a_b_f(true).Overlaps(WithParents({"/a/b/g"}, true)));
  EXPECT_TRUE(a_b_f(true).Overlaps(WithParents({"/a/./b//f/"}, true)));
  EXPECT_TRUE(a_b_f(true).Overlaps(WithParents({"/a/b/."})));
}

TEST_F(TargetLookTest, ParentsMayBeLinksAndLeadUp) {
  scratch_.MakeDirectory("dir");
  scratch_.MakeDirectory("elsewhere");
  Link("../elsewhere", "dir/a");
  EXPECT_TRUE(WithParents({"/a/f"}).Overlaps(To("elsewhere/f")));
  EXPECT_TRUE(WithParents({"/a/b/f"}).Overlaps(To("elsewhere/b/g")));
  EXPECT_FALSE(WithParents({"/a/f"}).Overlaps(To("elsewhere/g")));
  for (const char* source : {"/new/../../f", "/..", "/a/.."}) {
    EXPECT_TRUE(WithParents({source}).Overlaps(To("f"))) << source;
  }
}

TEST_F(TargetLookTest, ASourceWithoutANameComesToTheDirectoryItself) {
  scratch_.MakeDirectory("dir");
  for (const char* source : {"/", "/x/.", "/x/..", "/x/./"}) {
    EXPECT_TRUE(To("dir", {source}).Overlaps(To("dir", {"/y/b"}))) << source;
    EXPECT_TRUE(To("dir", {source}).Overlaps(To("dir/z"))) << source;
  }
}

TEST_F(TargetLookTest, LinksLeadToWhatTheyName) {
  scratch_.MakeDirectory("dir");
  scratch_.MakeDirectory("elsewhere");
  Link("dir", "relative");
  Link(scratch_.Path("dir"), "absolute");
  Link("relative/../absolute/.", "long");
  for (const char* link : {"relative", "absolute", "long"}) {
    const std::string below = absl::StrCat(link, "/new");
    EXPECT_TRUE(To(link).Overlaps(To("dir"))) << link;
    EXPECT_TRUE(To(below).Overlaps(To("dir/new"))) << link;
    EXPECT_FALSE(To(below).Overlaps(To("dir/other"))) << link;
    EXPECT_FALSE(To(below).Overlaps(To("elsewhere/new"))) << link;
  }
}

TEST_F(TargetLookTest, ALinkThatIsWrittenThroughAndItsTargetAreBothPlaces) {
  scratch_.MakeDirectory("dir");
  scratch_.WriteFile("file", "");
  Link("../file", "dir/link");
  Link("../missing", "dir/dangling");
  EXPECT_TRUE(To("dir", {"/x/link"}).Overlaps(To("file")));
  EXPECT_TRUE(To("dir/link").Overlaps(To("file")));
  EXPECT_TRUE(To("dir/dangling").Overlaps(To("missing")));
  EXPECT_TRUE(To("dir", {"/x/dangling"}).Overlaps(To("missing")));
  const TargetFootprint before = To("dir/link");
  // As if the job had replaced the link by a file.
  ASSERT_EQ(unlink(scratch_.Path("dir/link").c_str()), 0);
  scratch_.WriteFile("dir/link", "");
  EXPECT_TRUE(before.Overlaps(To("dir/link")));
}

TEST_F(TargetLookTest, ALoopOfLinksIsAPlaceLikeAnother) {
  Link("two", "one");
  Link("one", "two");
  EXPECT_TRUE(To("one").Overlaps(To("one")));
  EXPECT_FALSE(To("one").Overlaps(To("other")));
}

TEST_F(TargetLookTest, HardLinksAreOnePlace) {
  scratch_.WriteFile("one", "");
  ASSERT_EQ(link(scratch_.Path("one").c_str(), scratch_.Path("two").c_str()), 0);
  scratch_.MakeDirectory("dir");
  EXPECT_TRUE(To("one").Overlaps(To("two")));
  EXPECT_FALSE(To("one").Overlaps(To("dir/one")));
}

TEST_F(TargetLookTest, WhatIsMadeOrMovedMeanwhileIsStillThePlace) {
  const TargetFootprint missing = To("new");
  scratch_.MakeDirectory("new");
  EXPECT_TRUE(missing.Overlaps(To("new/below")));
  EXPECT_TRUE(missing.Overlaps(To("new")));
  const TargetFootprint there = To("new", {"/x/."});
  ASSERT_EQ(std::rename(scratch_.Path("new").c_str(), scratch_.Path("moved").c_str()), 0);
  EXPECT_TRUE(there.Overlaps(To("moved/below")));
}

TEST_F(TargetLookTest, DotDotAfterALinkIsTheParentOfWhatTheLinkLeadsTo) {
  scratch_.MakeDirectory("deep");
  scratch_.MakeDirectory("deep/dir");
  Link("deep/dir", "link");
  EXPECT_TRUE(To("link/../new").Overlaps(To("deep/new")));
  EXPECT_FALSE(To("link/../new").Overlaps(To("new")));
  // The kernel does not go up from a file, nor from something that is missing.
  scratch_.WriteFile("file", "");
  EXPECT_FALSE(To("missing/../new").Overlaps(To("new")));
  EXPECT_FALSE(To("file/../new").Overlaps(To("new")));
}

TEST_F(TargetLookTest, NamesThatDifferInCaseAreOne) {
  EXPECT_TRUE(To("Name").Overlaps(To("nAME/below")));
  EXPECT_FALSE(To("name").Overlaps(To("names")));
  scratch_.MakeDirectory("dir");
  EXPECT_TRUE(To("dir", {"/x/FILE"}).Overlaps(To("dir", {"/y/file"})));
  EXPECT_TRUE(To("dir", {"/x/caf\xc3\xa9"}).Overlaps(To("dir", {"/y/caf\xc3\xa9"})));
}

TEST_F(TargetLookTest, APathTooLongForTheKernelIsNoPlace) {
  std::string path = "a";
  while (path.size() < PATH_MAX) path += "/a";
  EXPECT_FALSE(To(path).Overlaps(To("a")));
  EXPECT_FALSE(To(path).Overlaps(To(path)));
}

TEST_F(TargetLookTest, WithoutAFreeDescriptorATargetMayBeAnywhere) {
  const TargetFootprint place = To("new");
  const std::string result = InChildProcess([&]() -> std::string {
    const int next = dup(STDIN_FILENO);
    close(next);
    // The root directory can be opened, but nothing else at the same time.
    const rlim_t most = static_cast<rlim_t>(next) + 1;
    const rlimit few = {.rlim_cur = most, .rlim_max = most};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return "setrlimit";
    if (!To("elsewhere").Overlaps(place)) return "it is said not to overlap";
    const bool knows = LeadsToOwnOfProcess(scratch_.Path("f"), true, true).ok();
    if (knows) return "it is said to know";
    return "";
  });
  EXPECT_EQ(result, "");
}

TEST_F(TargetLookTest, LooksKeepNoDescriptors) {
  const int before = dup(STDIN_FILENO);
  close(before);
  scratch_.MakeDirectory("dir");
  Link("dir", "link");
  To("link/../dir/new");
  To("link", {"/x/a", "/x/b", "/x/."});
  const int after = dup(STDIN_FILENO);
  close(after);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace ringcp
