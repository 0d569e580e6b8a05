// Compares the simulated file system with the real one: random sequences of ops must have
// the same results in both and leave the same tree. That is why simulations can be
// trusted.

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/posix_acl.h"
#include "core/kernel/kernel.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"
#include "tests/file_tree.h"
#include "tests/scratch_directory.h"
#include "tests/simulation/random_ops.h"
#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_tree.h"
#include "tests/simulation/sim_world.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr int kSequences = 4000;
constexpr int kOpsOfSequence = 60;
constexpr size_t kPlacesMax = 8;
// Earlier times were set by an op; later ones are the time of day.
constexpr int64_t kSetTimeMax = 100'000;

std::string TimeText(const statx_timestamp& time) {
  return time.tv_sec < kSetTimeMax ? absl::StrCat(time.tv_sec, ".", time.tv_nsec) : "now";
}

// What both worlds must agree on.
std::string StatText(const struct statx& stat) {
  return absl::StrFormat("mode %o links %d owner %d:%d size %d blocks %d mtime %s",
                         stat.stx_mode, stat.stx_nlink, stat.stx_uid, stat.stx_gid,
                         stat.stx_size, stat.stx_blocks, TimeText(stat.stx_mtime)) +
         (S_ISREG(stat.stx_mode) ? " atime " + TimeText(stat.stx_atime) : "");
}

// The names and types of `size` bytes of directory entries, sorted, because each world
// has its own order.
std::string EntriesText(const char* buffer, int32_t size) {
  std::set<std::string> entries;
  for (int32_t at = 0; at < size;) {
    uint16_t length = 0;
    std::memcpy(&length, buffer + at + offsetof(dirent64, d_reclen), sizeof(length));
    const auto type = static_cast<unsigned char>(buffer[at + offsetof(dirent64, d_type)]);
    entries.insert(absl::StrCat(buffer + at + offsetof(dirent64, d_name), ":", type));
    at += length;
  }
  std::string text;
  for (const std::string& entry : entries) absl::StrAppend(&text, entry, " ");
  return text;
}

// What an op returned besides its result.
std::string OutputOf(const Op& op, int32_t result, const OpSide& side) {
  if (result < 0) return "";
  switch (op.kind) {
    case OpKind::kStatx:
      return StatText(side.stat);
    case OpKind::kRead:
    case OpKind::kReadLink:
      return {side.buffer.data(), static_cast<size_t>(result)};
    case OpKind::kReadDirectory:
      return EntriesText(side.buffer.data(), result);
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
      return absl::StrCat(side.position);
    case OpKind::kListXattrs: {
      if (op.xattr.size == 0) return "";
      std::vector<std::string> names =
          absl::StrSplit(std::string(side.buffer.data(), result), '\0');
      std::sort(names.begin(), names.end());
      return absl::StrJoin(names, " ");
    }
    case OpKind::kGetXattr:
      if (op.xattr.size == 0) return "";
      return {side.buffer.data(), static_cast<size_t>(result)};
    default:
      return "";
  }
}

int32_t Carry(const Op& op, bool is_queued, OpSide* side) {
  if (!is_queued) return side->kernel->Do(op);
  EXPECT_TRUE(side->kernel->Queue(ChainId{1}, {&op, 1}));
  std::vector<ChainResults> settled;
  side->kernel->Wait(absl::Seconds(10), &settled);
  EXPECT_EQ(settled.size(), 1u);
  return settled.at(0).results_array[0];
}

// Lists everything at and below `name` through a kernel.
void ListTree(Kernel* kernel, int directory, const std::string& name,
              const std::string& path, std::vector<std::string>* lines) {
  struct statx stat = {};
  EXPECT_EQ(kernel->Stat(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, &stat), 0);
  const int fd = kernel->Open(directory, name.c_str(), O_PATH | O_NOFOLLOW);
  std::string line = path + " " + StatText(stat);
  std::vector<char> buffer(100'000);
  const auto add = [&](const char* what, int32_t size) {
    const size_t length = size > 0 ? static_cast<size_t>(size) : 0;
    absl::StrAppend(&line, " ", what, "=", size, "=",
                    std::hash<std::string>()(std::string(buffer.data(), length)));
  };
  if (S_ISLNK(stat.stx_mode)) {
    add("text", kernel->Do(ReadLink(fd, buffer.data(), 4096)));
  }
  for (const char* xattr :
       {"user.a", "user.b", "trusted.c", kAccessAclName, kDefaultAclName}) {
    add(xattr, kernel->Do(GetXattr(FileRef::Descriptor(fd), xattr, buffer.data(), 4096)));
  }
  if (S_ISREG(stat.stx_mode)) {
    const int opened = kernel->Open(directory, name.c_str(), O_RDONLY);
    add("contents",
        kernel->Do(ReadAt(FileRef::Descriptor(opened), buffer.data(), 100'000, 0)));
    kernel->Close(opened);
  }
  lines->push_back(line);
  if (S_ISDIR(stat.stx_mode)) {
    const int opened = kernel->Open(directory, name.c_str(), O_RDONLY | O_DIRECTORY);
    std::set<std::string> names;
    int32_t size = 0;
    while ((size = kernel->Do(ReadDirectory(opened, buffer.data(), 300))) > 0) {
      for (int32_t at = 0; at < size;) {
        uint16_t length = 0;
        std::memcpy(&length, &buffer[at + offsetof(dirent64, d_reclen)], sizeof(length));
        const std::string entry = &buffer[at + offsetof(dirent64, d_name)];
        EXPECT_TRUE(names.insert(entry).second) << entry << " is listed twice";
        at += length;
      }
    }
    EXPECT_EQ(size, 0);
    for (const std::string& entry : names) {
      if (entry == "." || entry == "..") continue;
      ListTree(kernel, opened, entry, absl::StrCat(path, "/", entry), lines);
    }
    kernel->Close(opened);
  }
  kernel->Close(fd);
}

class SimFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    struct statfs stat = {};
    if (statfs("/dev/shm", &stat) != 0 || stat.f_type != TMPFS_MAGIC) {
      GTEST_SKIP() << "no tmpfs in /dev/shm";
    }
    if (geteuid() != 0) GTEST_SKIP() << "only root is refused nothing";
    signal(SIGPIPE, SIG_IGN);
    scratch_ = std::make_unique<ScratchDirectory>("/dev/shm");
    const std::string probe = scratch_->WriteFile("probe", "");
    options_.xattrs = setxattr(probe.c_str(), "user.a", "v", 1, 0) == 0;
    options_.acls =
        options_.xattrs &&
        (getxattr(probe.c_str(), kAccessAclName, nullptr, 0) >= 0 || errno == ENODATA);
  }

  // Returns false if the worlds differ.
  bool RunSequence(uint64_t seed);

  std::unique_ptr<ScratchDirectory> scratch_;
  RandomOps::Options options_;
};

bool SimFileSystemTest::RunSequence(uint64_t seed) {
  SimWorld world({.seed = seed});
  SimKernel sim_kernel(&world, {.wait_advances = true});
  SyscallKernel system_kernel(8);
  RandomOps ops(seed, options_);
  OpSide sides[2];
  sides[0].kernel = &system_kernel;
  sides[1].kernel = &sim_kernel;
  umask(022);
  MakeSimDirectory(world.files(), "/top");
  const std::string top = scratch_->MakeDirectory(absl::StrCat("top", seed));
  const mode_t mask = ops.OneIn(4) ? 027 : 022;
  umask(mask);
  world.files()->set_umask(mask);
  constexpr int kTopFlags = O_RDONLY | O_DIRECTORY;
  sides[0].fds = {system_kernel.Open(AT_FDCWD, top.c_str(), kTopFlags)};
  sides[1].fds = {sim_kernel.Open(AT_FDCWD, "/top", kTopFlags)};
  std::string differs;
  for (int i = 0; i < kOpsOfSequence && differs.empty(); ++i) {
    const OpPlan plan = ops.Next(sides[0].fds.size());
    int32_t results[2];
    std::string outputs[2];
    const bool opens = plan.op.kind == OpKind::kOpenAt;
    for (int side = 0; side < 2; ++side) {
      const Op op = plan.On(&sides[side]);
      // The worlds may differ in whether a directory shows names that were made after it
      // was listed, so it is listed again from its beginning.
      if (op.kind == OpKind::kReadDirectory) {
        sides[side].kernel->Do(Seek(op.file.descriptor(), 0, &sides[side].position));
      }
      results[side] = Carry(op, plan.is_queued, &sides[side]);
      outputs[side] = OutputOf(op, results[side], sides[side]);
    }
    if (opens && results[0] >= 0 && results[1] >= 0) {
      const size_t place = sides[0].fds.size() < kPlacesMax
                               ? sides[0].fds.size()
                               : 1 + ops.Below(kPlacesMax - 1);
      for (int side = 0; side < 2; ++side) {
        auto& fds = sides[side].fds;
        fds.resize(std::max(fds.size(), place + 1), -1);
        if (fds[place] >= 0) sides[side].kernel->Close(fds[place]);
        fds[place] = results[side];
      }
      continue;
    }
    if (plan.op.kind == OpKind::kClose && results[0] == 0) {
      for (OpSide& side : sides) side.fds[plan.op.file.descriptor()] = -1;
    }
    if (results[0] != results[1] || outputs[0] != outputs[1]) {
      differs = absl::StrCat(ToString(plan), ": the system says ", results[0], " ",
                             outputs[0].substr(0, 200), ", the simulation ", results[1],
                             " ", outputs[1].substr(0, 200));
    }
  }
  for (OpSide& side : sides) {
    for (size_t i = 1; i < side.fds.size(); ++i) {
      if (side.fds[i] >= 0) side.kernel->Close(side.fds[i]);
    }
  }
  std::vector<std::string> trees[2];
  for (int side = 0; side < 2; ++side) {
    ListTree(sides[side].kernel, sides[side].fds[0], ".", ".", &trees[side]);
    sides[side].kernel->Close(sides[side].fds[0]);
  }
  std::filesystem::remove_all(top);
  EXPECT_EQ(differs, "") << "with RINGCP_TEST_SEED=" << seed;
  EXPECT_EQ(DifferenceOfTrees(trees[0], trees[1]), "") << "with seed " << seed;
  EXPECT_TRUE(world.process()->descriptors().empty());
  if (!HasFailure()) return true;
  ADD_FAILURE() << world.Story();
  return false;
}

TEST_F(SimFileSystemTest, DoesWhatTheSystemDoes) {
  const uint64_t first = TestSeed();
  for (uint64_t seed = first; seed < first + kSequences; ++seed) {
    if (!RunSequence(seed)) return;
  }
}

}  // namespace
}  // namespace ringcp
