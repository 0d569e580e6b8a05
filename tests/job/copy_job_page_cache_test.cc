// Tests that jobs leave nothing in the page cache if asked to, with real files.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/job/copy_job.h"
#include "core/kernel/op.h"
#include "core/kernel/system_calls.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

constexpr size_t kSmall = 5000;
constexpr size_t kLarge = 3 * 1024 * 1024 + 123;

std::string Contents(size_t size) {
  std::string contents(size, '\0');
  for (size_t i = 0; i < size; ++i) contents[i] = static_cast<char>(i * 7 + i / 251);
  return contents;
}

// How many bytes of the file are in the page cache; -1 if the kernel can't tell.
int64_t CachedBytes(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_GE(fd, 0);
  uint64_t cached = 0;
  const int32_t result =
      RunWithSystemCall(CountCached(FileRef::Descriptor(fd), 0, 1 << 30, &cached));
  close(fd);
  return result == 0 ? static_cast<int64_t>(cached) : -1;
}

// Whether the file leaves the page cache after it was written out. The kernel drops it by
// itself, a moment after it has reported that the file is written.
bool LeavesPageCache(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(fsync(fd), 0);
  close(fd);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (CachedBytes(path) > 0) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// Makes sure that nothing of the file is in the page cache.
void Evict(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(fsync(fd), 0);
  EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  close(fd);
}

class CopyJobPageCacheTest : public EngineTest {
 protected:
  // Whether scratch files are on a device, so that the page cache can drop them.
  bool has_device() const {
    struct statfs stat = {};
    EXPECT_EQ(statfs(scratch_.path().c_str(), &stat), 0);
    return stat.f_type != TMPFS_MAGIC && stat.f_type != OVERLAYFS_SUPER_MAGIC;
  }

  JobRun Copy(PageCache page_cache) {
    CopyRequest request = Request({"small", "large"}, "target", "p");
    request.options.page_cache = page_cache;
    request.options.reflink = Reflink::kNever;
    return RunJob(request);
  }

  const std::string small_ = Contents(kSmall);
  const std::string large_ = Contents(kLarge);
};

TEST_P(CopyJobPageCacheTest, NothingIsLeftInThePageCache) {
  for (const PageCache page_cache : {PageCache::kDrop, PageCache::kBypass}) {
    Evict(scratch_.WriteFile("small", small_));
    Evict(scratch_.WriteFile("large", large_));
    if (page_cache == PageCache::kDrop) scratch_.MakeDirectory("target");
    const JobRun run = Copy(page_cache);
    EXPECT_EQ(run.Messages(), "");
    for (const char* name : {"small", "large", "target/small", "target/large"}) {
      if (has_device()) {
        EXPECT_TRUE(LeavesPageCache(scratch_.Path(name))) << name;
      }
    }
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/small")), small_);
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/large")), large_);
    if (page_cache == PageCache::kBypass && has_device()) {
      EXPECT_EQ(run.report.files_direct, 1);
    }
  }
}

// Shows that the test above does not pass only because nothing is ever cached.
TEST_P(CopyJobPageCacheTest, OtherwiseFilesAreLeftInThePageCache) {
  scratch_.MakeDirectory("target");
  Evict(scratch_.WriteFile("small", small_));
  Evict(scratch_.WriteFile("large", large_));
  EXPECT_EQ(Copy(PageCache::kKeep).Messages(), "");
  const int64_t cached = CachedBytes(scratch_.Path("target/large"));
  if (cached >= 0) {
    EXPECT_GE(cached, static_cast<int64_t>(kLarge / 2));
  }
}

TEST_P(CopyJobPageCacheTest, AnExistingTargetIsOverwrittenWhole) {
  scratch_.MakeDirectory("target");
  scratch_.WriteFile("small", small_);
  scratch_.WriteFile("large", large_);
  scratch_.WriteFile("target/large", Contents(2 * kLarge));
  EXPECT_EQ(Copy(PageCache::kBypass).Messages(), "");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/large")), large_);
}

// Whatever the device can do: most can't be polled.
TEST_P(CopyJobPageCacheTest, PollingWorksOrIsWarnedOfOnce) {
  if (GetParam() == EngineChoice::kThreads) return;
  if (ProbeEngine().engine != "uring") GTEST_SKIP() << ProbeEngine().reason;
  scratch_.MakeDirectory("target");
  CopyRequest request = Request({}, "target", "p");
  for (const char* name : {"large", "larger", "largest"}) {
    request.sources.push_back(scratch_.WriteFile(name, name + large_));
    Evict(request.sources.back());
  }
  request.options.page_cache = PageCache::kBypass;
  request.options.iopoll = true;
  request.options.reflink = Reflink::kNever;
  const JobRun run = RunJob(request);
  EXPECT_EQ(run.Messages(), "");
  EXPECT_TRUE(run.succeeded());
  EXPECT_EQ(run.report.engine, "uring");
  for (const char* name : {"large", "larger", "largest"}) {
    EXPECT_TRUE(ReadFileOrNone(scratch_.Path(absl::StrCat("target/", name))) ==
                name + large_)
        << name;
  }
  if (has_device()) {
    EXPECT_EQ(run.report.files_direct, 3);
    EXPECT_EQ(run.report.polled == 0, run.warnings.size() == 1u);
  }
  EXPECT_LE(run.warnings.size(), 1u);
  for (const std::string& warning : run.warnings) {
    EXPECT_TRUE(warning.starts_with("warning: cannot poll the device of '")) << warning;
    EXPECT_NE(warning.find("Operation not supported"), std::string::npos) << warning;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobPageCacheTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp
