// Tests trees that are very deep or very wide.

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tree/walk.h"
#include "gtest/gtest.h"
#include "tests/random_tree.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// Only counts and stores nothing, so that all memory used is the walk's.
class Counter : public WalkVisitor {
 public:
  Entered Enter(Kernel*, Directory* directory) override {
    if (on_enter) on_enter(directory);
    directory->source.fd =
        openat(directory->parent->source.fd, directory->source.name.c_str(),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ++entered;
    open_max = std::max(open_max, ++open);
    return directory->source.fd >= 0 ? Entered::kToBeRead : Entered::kNotToBeRead;
  }
  void Leave(Kernel*, Directory* directory) override {
    close(directory->source.fd);
    --open;
  }
  void OnReadError(const Directory&, int) override { ADD_FAILURE(); }
  void OnEntryError(const Directory&, const char*, int) override { ADD_FAILURE(); }

  std::function<void(Directory*)> on_enter;
  int entered = 0;
  int open = 0;
  int open_max = 0;
};

// Walks the whole tree. Returns the path of the last entry yielded.
std::string WalkAll(const std::string& path, Counter* counter) {
  Walk walk(SystemKernel(), counter, /*follow_links=*/false, /*open_max=*/1000);
  walk.top()->source.fd = AT_FDCWD;
  auto root = std::make_unique<Directory>();
  root->source.name = path;
  walk.AddRoot(std::move(root));
  auto batch = std::make_unique<WalkBatch>();
  std::string last;
  for (;;) {
    const Walk::Result result = walk.Next(SystemKernel(), /*may_wait=*/true, batch.get());
    if (result == Walk::Result::kFinished) break;
    for (const WalkEntry& entry : batch->entries()) {
      last = SourcePath(*batch->directory(), entry.source_name);
      walk.Release(SystemKernel(), batch->directory());
    }
  }
  EXPECT_EQ(counter->open, 0);
  return last;
}

TEST(WalkLimitsTest, ATreeMayBeDeeperThanPathMax) {
  // All directories above the one being read are open.
  rlimit files = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  const int depth = static_cast<int>(std::min<rlim_t>(3000, files.rlim_max - 100));
  const std::string name(20, 'd');
  ASSERT_GT(depth * name.size(), static_cast<size_t>(PATH_MAX));

  const ScratchDirectory scratch;
  MakeDeepTree(scratch.path(), name, depth);
  Counter counter;
  const std::string last = WalkAll(scratch.path(), &counter);
  EXPECT_EQ(counter.entered, depth + 1);
  EXPECT_EQ(counter.open_max, depth + 1);
  EXPECT_EQ(last.size(), scratch.path().size() + depth * (name.size() + 1) + 7);
  EXPECT_TRUE(last.ends_with("d/bottom")) << last.size();
  RemoveDeepTree(scratch.path(), name);
}

TEST(WalkLimitsTest, FewSubdirectoriesOfAWideDirectoryAreOpenAtATime) {
  const ScratchDirectory scratch;
  constexpr int kDirectories = 4000;
  for (int i = 0; i < kDirectories; ++i) scratch.MakeDirectory(std::to_string(i));
  Counter counter;
  WalkAll(scratch.path(), &counter);
  EXPECT_EQ(counter.entered, kDirectories + 1);
  EXPECT_LE(counter.open_max, 2);
}

TEST(WalkLimitsTest, AThreadWithOtherWorkOpensNoMoreDirectoriesThanAllowed) {
  constexpr int kOpenMax = 3;
  const ScratchDirectory scratch;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    scratch.MakeDirectory(name);
    scratch.WriteFile(name + "/file", "");
  }
  Counter counter;
  Walk walk(SystemKernel(), &counter, /*follow_links=*/false, kOpenMax);
  walk.top()->source.fd = AT_FDCWD;
  auto root = std::make_unique<Directory>();
  root->source.name = scratch.path();
  walk.AddRoot(std::move(root));
  // Keeps the entries until the walk has no more, and then releases one at a time.
  auto batch = std::make_unique<WalkBatch>();
  std::vector<Directory*> held;
  int entries = 0;
  for (;;) {
    const Walk::Result result =
        walk.Next(SystemKernel(), /*may_wait=*/held.empty(), batch.get());
    EXPECT_LE(counter.open, kOpenMax);
    if (result == Walk::Result::kFinished) break;
    if (result == Walk::Result::kNothingYet && !held.empty()) {
      walk.Release(SystemKernel(), held.back());
      held.pop_back();
    }
    entries += static_cast<int>(batch->entries().size());
    held.insert(held.end(), batch->entries().size(), batch->directory());
  }
  for (Directory* directory : held) walk.Release(SystemKernel(), directory);
  EXPECT_EQ(entries, 20);
  EXPECT_EQ(counter.open_max, kOpenMax);
}

TEST(WalkLimitsTest, MemoryIsBoundedWhereEveryLevelIsWide) {
  // The first directories turn out to be wide when they are entered. Without a bound, the
  // subdirectories of all of them would wait while the first is walked.
  constexpr int kLevels = 60;
  constexpr int kWidth = 150;
  const ScratchDirectory scratch;
  Counter counter;
  size_t bytes_max = 0;
  const size_t bytes_before = mallinfo2().uordblks;
  counter.on_enter = [&](Directory* directory) {
    if (counter.entered < kLevels) {
      const int fd = openat(directory->parent->source.fd, directory->source.name.c_str(),
                            O_PATH | O_CLOEXEC);
      for (int i = 0; i < kWidth; ++i) mkdirat(fd, std::to_string(i).c_str(), 0755);
      close(fd);
    }
    if (counter.entered % 64 == 0) {
      bytes_max = std::max(bytes_max, size_t{mallinfo2().uordblks});
    }
  };
  WalkAll(scratch.path(), &counter);
  EXPECT_EQ(counter.entered, 1 + kLevels * kWidth);
  // Under a sanitizer this is 0: mallinfo2() does not see its allocator.
  const size_t bytes_used = bytes_max > bytes_before ? bytes_max - bytes_before : 0;
  const size_t directory_bytes = sizeof(Directory) + 100;
  EXPECT_LT(bytes_used, (Walk::kPendingMax + 2 * kLevels) * directory_bytes);
}

}  // namespace
}  // namespace ringcp
