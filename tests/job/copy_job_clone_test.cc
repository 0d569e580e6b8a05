// Tests whole jobs on file systems that can clone: Btrfs and XFS, in images on loop
// devices. Skipped without root, loop devices, or the programs that make these file
// systems.

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/own_mounts.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

// Btrfs needs a bit over 100 MiB, XFS 300 MiB. Most of it is never written.
constexpr off_t kImageBytes = 512 << 20;

// Whether all of the file's blocks belong to another file as well.
bool IsShared(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  // The map and the extents that follow it.
  constexpr uint32_t kExtents = 4;
  std::vector<uint64_t> memory((sizeof(fiemap) + kExtents * sizeof(fiemap_extent)) /
                               sizeof(uint64_t));
  auto* const map = reinterpret_cast<fiemap*>(memory.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = kExtents;
  EXPECT_EQ(ioctl(fd, FS_IOC_FIEMAP, map), 0);
  close(fd);
  EXPECT_GT(map->fm_mapped_extents, 0u) << path;
  for (uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
    if ((map->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED) == 0) return false;
  }
  return true;
}

class CopyJobCloneTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!HasOwnMounts()) GTEST_SKIP() << "only root may mount a file system";
    const std::string image = scratch_.WriteFile("image", "");
    ASSERT_EQ(truncate(image.c_str(), kImageBytes), 0);
    place_ = scratch_.MakeDirectory("place");
    const std::string why_not = MountNewFileSystem(GetParam(), GetParam(), image, place_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    PrepareWithShell(place_,
                     "mkdir s s/sub;"
                     " for i in $(seq 30); do seq $((i * 1000)) >s/sub/$i; done;"
                     " : >s/empty; ln s/sub/7 s/link; ln -s sub s/to");
  }

  void TearDown() override { umount2(place_.c_str(), MNT_DETACH); }

  // A copy of the directory `s` to `t`.
  CopyRequest Request(Reflink reflink, EngineChoice engine = EngineChoice::kAuto) const {
    CopyRequest request;
    request.sources = {place_ + "/s/."};
    request.target = place_ + "/t";
    request.options = OptionsFor("a", engine);
    request.options.reflink = reflink;
    return request;
  }

  std::string Difference(const FileTreeOptions& options = {}) const {
    return DifferenceOfTrees(ListFileTree(place_ + "/s", options),
                             ListFileTree(place_ + "/t", options));
  }

  ScratchDirectory scratch_;
  std::string place_;
};

TEST_P(CopyJobCloneTest, FilesShareTheirBlocksWithTheirCopies) {
  for (const EngineChoice engine : kEngines) {
    EXPECT_EQ(RunJob(Request(Reflink::kAuto, engine)).Messages(), "");
    EXPECT_EQ(Difference({.recent_as_now = false}), "");
    EXPECT_TRUE(IsShared(place_ + "/t/sub/30")) << EngineName(engine);
    std::filesystem::remove_all(place_ + "/t");
  }
}

TEST_P(CopyJobCloneTest, ExistingFilesAreClonedToAsWell) {
  PrepareWithShell(place_, "mkdir -p t/sub; seq 100000 >t/sub/30; echo x >t/sub/1");
  EXPECT_EQ(RunJob(Request(Reflink::kAlways)).Messages(), "");
  EXPECT_EQ(Difference({.recent_as_now = false}), "");
  EXPECT_TRUE(IsShared(place_ + "/t/sub/30"));
}

TEST_P(CopyJobCloneTest, NothingIsSharedIfThatIsNotWanted) {
  EXPECT_EQ(RunJob(Request(Reflink::kNever)).Messages(), "");
  EXPECT_EQ(Difference({.recent_as_now = false}), "");
  EXPECT_FALSE(IsShared(place_ + "/t/sub/30"));
}

// More than one thread would not be faster: on Btrfs threads that clone block each other.
TEST_P(CopyJobCloneTest, OneWorkerClonesOnBtrfsUnlessMoreAreAskedFor) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "there is one CPU";
  const auto workers = [this](Reflink reflink, int wanted) {
    CopyRequest request = Request(reflink);
    request.options.tuning.workers = wanted;
    return RunJob(request).report.workers;
  };
  EXPECT_EQ(workers(Reflink::kAuto, 0) == 1, GetParam() == "btrfs");
  EXPECT_GT(workers(Reflink::kNever, 0), 1);
  EXPECT_EQ(workers(Reflink::kAuto, 2), 2);
}

INSTANTIATE_TEST_SUITE_P(FileSystems, CopyJobCloneTest, testing::Values("btrfs", "xfs"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace ringcp
