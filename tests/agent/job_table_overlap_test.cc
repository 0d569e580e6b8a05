// Tests that jobs run one after the other if they have the same target, or if one's
// target lies below the other's.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_table_fixture.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using ::testing::Contains;
using v1::Job;

class JobTableOverlapTest : public JobTableFixture {
 protected:
  v1::JobSpec FifoTo(const std::string& target) {
    v1::JobSpec spec = specs_.Fifo();
    spec.set_target(directory_.Path(target));
    return spec;
  }
  v1::JobSpec FileTo(const std::string& target) {
    v1::JobSpec spec = specs_.File();
    spec.set_target(directory_.Path(target));
    return spec;
  }
};

TEST_F(JobTableOverlapTest, TheLaterJobWaitsForTheEarlierOne) {
  const Job first = Submit(FifoTo("target"));
  const Job second = Submit(FileTo("target"));
  EXPECT_EQ(first.state(), Job::RUNNING);
  EXPECT_EQ(second.state(), Job::QUEUED);
  EXPECT_EQ(table().counts().queued, 1);
  // Another thread may be the one that writes it.
  const std::string line = absl::StrCat(second.name(), " waits for ", first.name(),
                                        ", which copies to the same place");
  while (!testing::Matches(Contains(line))(log_.Get())) usleep(200);
  Release(first);
  WaitFor(second.name(), Job::SUCCEEDED);
  EXPECT_EQ(Get(first.name()).state(), Job::SUCCEEDED);
  EXPECT_EQ(ReadFileOrNone(directory_.Path("target")), "contents 2");
}

TEST_F(JobTableOverlapTest, AJobElsewhereOvertakesAndOneBelowDoesNot) {
  directory_.MakeDirectory("dir");
  const Job running = Submit(FifoTo("dir/new"));
  v1::JobSpec tree;
  tree.add_sources(directory_.MakeDirectory("tree") + "/.");
  tree.set_target(directory_.Path("dir"));
  tree.mutable_options()->set_recursive(true);
  const Job above = Submit(tree);
  const Job below = Submit(FileTo("dir/other"));
  EXPECT_EQ(above.state(), Job::QUEUED);
  EXPECT_EQ(below.state(), Job::QUEUED);
  WaitFor(Submit(FileTo("elsewhere")).name(), Job::SUCCEEDED);
  EXPECT_EQ(Get(below.name()).state(), Job::QUEUED);
  Release(running);
  WaitFor(above.name(), Job::SUCCEEDED);
  WaitFor(below.name(), Job::SUCCEEDED);
}

TEST_F(JobTableOverlapTest, AnotherNameOfTheSameFileIsTheSamePlace) {
  directory_.WriteFile("file", "old");
  ASSERT_EQ(symlink("file", directory_.Path("symlink").c_str()), 0);
  ASSERT_EQ(link(directory_.Path("file").c_str(), directory_.Path("hard").c_str()), 0);
  const Job running = Submit(FifoTo("file"));
  EXPECT_EQ(Submit(FileTo("symlink")).state(), Job::QUEUED);
  EXPECT_EQ(Submit(FileTo("hard")).state(), Job::QUEUED);
  Release(running);
}

TEST_F(JobTableOverlapTest, AFileThatAnEarlierJobMakesIsFoundByTheLaterOne) {
  ASSERT_EQ(symlink("made", directory_.Path("link").c_str()), 0);
  const Job running = Submit(FifoTo("made"));
  const Job waiting = Submit(FileTo("link"));
  EXPECT_EQ(waiting.state(), Job::QUEUED);
  Release(running);
  WaitFor(running.name(), Job::SUCCEEDED);
  // It would be refused before the earlier job, because the link dangles then.
  WaitFor(waiting.name(), Job::SUCCEEDED);
  EXPECT_EQ(ReadFileOrNone(directory_.Path("made")), "contents 2");
}

TEST_F(JobTableOverlapTest, DifferentFilesIntoOneDirectoryAreCopiedSideBySide) {
  directory_.MakeDirectory("dir");
  const Job first = Submit(FifoTo("dir"));
  const Job second = Submit(FifoTo("dir"));
  EXPECT_EQ(second.state(), Job::RUNNING);
  v1::JobSpec again = FifoTo("dir");
  again.set_sources(0, first.spec().sources(0));
  const Job third = Submit(again);
  EXPECT_EQ(third.state(), Job::QUEUED);
  ASSERT_TRUE(table().Cancel(third.name()).ok());
  Release(first);
  Release(second);
  WaitFor(first.name(), Job::SUCCEEDED);
  WaitFor(second.name(), Job::SUCCEEDED);
}

TEST_F(JobTableOverlapTest, ACancelledJobIsNotWaitedForAnyMore) {
  const Job running = Submit(FifoTo("dir"));
  const Job waiting = Submit(FileTo("dir"));
  ASSERT_TRUE(table().Cancel(waiting.name()).ok());
  EXPECT_EQ(Get(waiting.name()).state(), Job::CANCELLED);
  const Job last = Submit(FileTo("dir"));
  EXPECT_EQ(last.state(), Job::QUEUED);
  ASSERT_TRUE(table().Cancel(running.name()).ok());
  WaitFor(last.name(), Job::SUCCEEDED);
  EXPECT_EQ(ReadFileOrNone(directory_.Path("dir")), "contents 3");
}

TEST_F(JobTableOverlapTest, JobsThatWaitAreCancelledAtTheEnd) {
  const Job running = Submit(FifoTo("target"));
  const Job waiting = Submit(FileTo("target"));
  table().Drain();
  EXPECT_EQ(Get(running.name()).state(), Job::CANCELLED);
  EXPECT_EQ(Get(waiting.name()).state(), Job::CANCELLED);
  EXPECT_FALSE(Exists(directory_.Path("target")));
}

TEST_F(JobTableOverlapTest, AFileSystemThatDoesNotAnswerHoldsUpItsOwnJobsOnly) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  const std::string mounted = directory_.MakeDirectory("mounted");
  const v1::JobSpec hung = FileTo("mounted/target");
  const v1::JobSpec other = FileTo("target");
  const std::string skipped = "skipped: ";
  const std::string result = InChildProcess([&]() -> std::string {
    const int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    // Nobody reads from `fuse`, so whoever looks there waits until it is closed.
    const std::string options =
        absl::StrCat("fd=", fuse, ",rootmode=40000,user_id=0,group_id=0");
    if (fuse < 0 || unshare(CLONE_NEWNS) != 0 ||
        (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 &&
         errno != EINVAL) ||
        mount("ringcp-test", mounted.c_str(), "fuse", 0, options.c_str()) != 0) {
      return absl::StrCat(skipped, strerror(errno));
    }
    std::string wrong;
    const Job waiting = Submit(hung);
    if (waiting.state() != Job::QUEUED) wrong += "it runs; ";
    const Job job = Submit(other);
    if (WaitFor(job.name(), Job::SUCCEEDED).name() != job.name()) wrong += "held up; ";
    const auto cancelled = table().Cancel(waiting.name());
    if (!cancelled.ok() || cancelled->state() != Job::CANCELLED) {
      wrong += "not cancelled; ";
    }
    close(fuse);
    table().Drain();
    return wrong;
  });
  if (result.starts_with(skipped)) GTEST_SKIP() << result << " (FUSE)";
  EXPECT_EQ(result, "");
}

}  // namespace
}  // namespace ringcp
