// Tests what a simulation adds to a kernel's contract: its clock, its order, its faults,
// and others who interfere.

#include "tests/simulation/sim_kernel.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/simulation/sim_random_faults.h"
#include "tests/simulation/sim_random_others.h"
#include "tests/simulation/sim_tree.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL;

class SimKernelTest : public testing::Test {
 protected:
  int Open(const char* path, int flags) { return kernel_.Open(AT_FDCWD, path, flags); }
  int32_t Write(int fd, std::string bytes) {
    return kernel_.Do(WriteAt(FileRef::Descriptor(fd), bytes.data(),
                              static_cast<uint32_t>(bytes.size()), 0));
  }
  std::string Contents(const char* path) {
    const InodePtr inode = FindSim(*world_.files(), path);
    return inode == nullptr ? "(none)" : inode->contents.ToString();
  }
  // Advances the clock until all chains of `kernel` have settled.
  std::vector<ChainResults> SettleAll(SimKernel* kernel) {
    std::vector<ChainResults> settled;
    while (kernel->chains_in_flight() > 0) {
      kernel->Wait(absl::ZeroDuration(), &settled);
      if (const std::optional<SteadyTime> next = world_.NextEvent()) {
        world_.AdvanceTo(*next);
      }
    }
    return settled;
  }
  void FailNext(OpKind kind, const SimFault& fault) {
    world_.SetFaults([kind, fault](const SimOpContext& context) {
      return context.op->kind == kind ? fault : SimFault{};
    });
  }

  SimWorld world_{{.seed = 7}};
  SimKernel kernel_{&world_, {}};
  char buffer_[64] = {};
};

TEST_F(SimKernelTest, NothingSettlesUntilTheClockIsAdvanced) {
  MakeSimFile(world_.files(), "/a", "contents");
  struct statx stat = {};
  ASSERT_TRUE(
      kernel_.Queue(ChainId{3}, Chain().Add(StatAt(AT_FDCWD, "/a", 0, &stat)).ops()));
  std::vector<ChainResults> settled;
  kernel_.Wait(absl::Seconds(10), &settled);
  EXPECT_TRUE(settled.empty());
  ASSERT_TRUE(world_.NextEvent().has_value());
  EXPECT_GT(*world_.NextEvent(), world_.now());
  world_.AdvanceTo(*world_.NextEvent());
  kernel_.Wait(absl::Seconds(10), &settled);
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].id, ChainId{3});
  EXPECT_EQ(stat.stx_size, 8u);
}

TEST_F(SimKernelTest, ChainsOfTwoKernelsRunInBetweenEachOther) {
  SimKernel other(&world_, {});
  const auto make = [](SimKernel* kernel, const char* first, const char* second) {
    const auto open = [](const char* path) {
      return OpenAt(AT_FDCWD, path, kNewFile, 0600, FileRef::Slot(0));
    };
    ASSERT_TRUE(
        kernel->Queue(ChainId{1}, Chain().Add(open(first)).Add(open(second)).ops()));
  };
  bool is_between = false;
  for (int i = 0; i < 100 && !is_between; ++i) {
    const std::string name = "/" + std::to_string(i);
    const std::string names[] = {name + "a", name + "b", name + "c", name + "d"};
    const size_t before = world_.log().size();
    make(&kernel_, names[0].c_str(), names[1].c_str());
    make(&other, names[2].c_str(), names[3].c_str());
    SettleAll(&kernel_);
    SettleAll(&other);
    is_between = world_.log()[before].kernel != world_.log()[before + 1].kernel;
  }
  EXPECT_TRUE(is_between);
}

TEST_F(SimKernelTest, WaitingForAPipeAdvancesTheClockUntilSomebodyWrites) {
  MakeSimNode(world_.files(), "/pipe", S_IFIFO | 0600);
  const int reader = Open("/pipe", O_RDONLY | O_NONBLOCK);
  const int writer = Open("/pipe", O_WRONLY | O_NONBLOCK);
  const SteadyTime start = world_.now();
  EXPECT_EQ(kernel_.Do(Poll(FileRef::Descriptor(reader), POLLIN, 5)), 0);
  EXPECT_GE(world_.now() - start, std::chrono::milliseconds(5));
  world_.OthersDoAt(world_.now() + std::chrono::milliseconds(3),
                    [this, writer](SimFileSystem*) {
                      world_.process()->Get(writer)->inode->pipe = "written";
                    });
  EXPECT_EQ(kernel_.Do(Poll(FileRef::Descriptor(reader), POLLIN, 1000)), 1);
  EXPECT_LT(world_.now() - start, std::chrono::milliseconds(20));
  EXPECT_EQ(
      kernel_.Do(ReadAt(FileRef::Descriptor(reader), buffer_, 64, kCurrentPosition)), 7);
}

TEST_F(SimKernelTest, TheSameSeedGivesTheSameRun) {
  std::string stories[2];
  for (std::string& story : stories) {
    SimWorld world({.seed = 5});
    SimKernel kernel(&world, {.wait_advances = true});
    for (const char* name : {"/a", "/b", "/c", "/d"}) {
      MakeSimFile(world.files(), name, "x");
    }
    SimRandomFaults faults(9, {.one_in = 5});
    SimRandomOthers others(9, world.files(), {.trees = {"/"}, .one_in = 3});
    world.SetFaults(faults.function());
    world.SetInterference(others.function());
    struct statx stats[20];
    for (uint32_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(kernel.Queue(ChainId{i},
                               Chain().Add(StatAt(AT_FDCWD, "/c", 0, &stats[i])).ops()));
    }
    std::vector<ChainResults> settled;
    while (kernel.chains_in_flight() > 0) kernel.Wait(absl::Seconds(1), &settled);
    EXPECT_GT(others.done(), 0);
    EXPECT_FALSE(faults.injected().empty());
    story = world.Story() + faults.Story();
  }
  EXPECT_EQ(stories[0], stories[1]);
}

TEST_F(SimKernelTest, AFailingOpDoesNothingButACloseCloses) {
  FailNext(OpKind::kOpenAt, {.kind = SimFault::Kind::kFails, .error_number = ENOSPC});
  EXPECT_EQ(kernel_.Do(OpenAt(AT_FDCWD, "/a", kNewFile, 0600, FileRef())), -ENOSPC);
  EXPECT_EQ(Contents("/a"), "(none)");
  FailNext(OpKind::kClose, {.kind = SimFault::Kind::kFails, .error_number = EIO});
  const int fd = Open("/a", kNewFile);
  EXPECT_EQ(kernel_.Close(fd), -EIO);
  EXPECT_EQ(kernel_.Leaks(), "");
}

TEST_F(SimKernelTest, AnOpThatDoesNotRunMayTakeItsTailWithIt) {
  MakeSimFile(world_.files(), "/a", "contents");
  const int fd = Open("/a", O_RDONLY);
  Chain chain;
  chain.Add(ReadAt(FileRef::Descriptor(fd), buffer_, 4, 0));
  chain.Add(Close(fd), Tie::kHard);
  const auto results = [this, &chain] {
    EXPECT_TRUE(kernel_.Queue(ChainId{1}, chain.ops()));
    const ChainResults settled = SettleAll(&kernel_).at(0);
    return std::vector<int32_t>(settled.results().begin(), settled.results().end());
  };
  FailNext(OpKind::kRead, {.kind = SimFault::Kind::kTailDoesNotRun});
  EXPECT_EQ(results(), (std::vector<int32_t>{-ECANCELED, -ECANCELED}));
  EXPECT_EQ(kernel_.Leaks(), "descriptor 3 has /a open\n");
  FailNext(OpKind::kRead, {.kind = SimFault::Kind::kDoesNotRun});
  EXPECT_EQ(results(), (std::vector<int32_t>{-ECANCELED, 0}));
  EXPECT_EQ(kernel_.Leaks(), "");
}

TEST_F(SimKernelTest, AWriteCanBeStoredInPartOrFailWhenTheFileIsClosed) {
  const int fd = Open("/a", kNewFile);
  FailNext(OpKind::kWrite,
           {.kind = SimFault::Kind::kTransfersLess, .error_number = 0, .bytes = 3});
  EXPECT_EQ(Write(fd, "0123456789"), 3);
  FailNext(
      OpKind::kWrite,
      {.kind = SimFault::Kind::kStoresPartAndFails, .error_number = EIO, .bytes = 5});
  EXPECT_EQ(Write(fd, "0123456789"), -EIO);
  EXPECT_EQ(Contents("/a"), "01234");
  FailNext(OpKind::kWrite,
           {.kind = SimFault::Kind::kFailsAtClose, .error_number = EDQUOT, .bytes = 7});
  EXPECT_EQ(Write(fd, "0123456789"), 10);
  EXPECT_EQ(Contents("/a"), "0123456");
  EXPECT_EQ(kernel_.Close(fd), -EDQUOT);
}

TEST_F(SimKernelTest, AFullServerTellsSoWhenAFileIsClosedAsADescriptorOnly) {
  MakeSimDirectory(world_.files(), "/nfs");
  world_.files()->Mount(
      "/nfs", {.magic = NFS_SUPER_MAGIC, .pages_max = 1, .tells_errors_at_close = true});
  const std::string two_pages(8192, 'x');
  int fd = Open("/nfs/a", kNewFile);
  EXPECT_EQ(Write(fd, two_pages), 8192);
  EXPECT_EQ(kernel_.Close(fd), -ENOSPC);
  fd = Open("/nfs/a", O_WRONLY);
  EXPECT_EQ(kernel_.Close(fd), 0);  // Reported only once.
  // Closing a slot does not flush the file.
  Chain chain;
  chain.Add(OpenAt(AT_FDCWD, "/nfs/b", kNewFile, 0600, FileRef::Slot(0)))
      .Add(WriteAt(FileRef::Slot(0), const_cast<char*>(two_pages.data()), 8192, 0))
      .Add(Close(FileRef::Slot(0)));
  ASSERT_TRUE(kernel_.Queue(ChainId{1}, chain.ops()));
  EXPECT_EQ(SettleAll(&kernel_).at(0).results()[2], 0);
  EXPECT_NE(Contents("/nfs/b"), two_pages);
}

TEST_F(SimKernelTest, ALocalFileSystemTellsAtOnceThatItIsFull) {
  MakeSimDirectory(world_.files(), "/small");
  SimMount* const mount = world_.files()->Mount("/small", {.pages_max = 1});
  int fd = Open("/small/a", kNewFile);
  EXPECT_EQ(Write(fd, std::string(8192, 'x')), 4096);
  EXPECT_EQ(kernel_.Do(WriteAt(FileRef::Descriptor(fd), buffer_, 1, 4096)), -ENOSPC);
  ASSERT_EQ(kernel_.Do(UnlinkAt(AT_FDCWD, "/small/a", 0)), 0);
  EXPECT_EQ(mount->pages, 1u);  // It is still open.
  EXPECT_EQ(kernel_.Close(fd), 0);
  EXPECT_EQ(mount->pages, 0u);
}

TEST_F(SimKernelTest, WhatTheEngineDoesToFilesOfOthersIsKnown) {
  MakeSimFile(world_.files(), "/a", "before");
  bool is_done = false;
  world_.SetInterference([this, &is_done](const SimOpContext& context) {
    if (context.op->kind != OpKind::kUnlinkAt || is_done) return;
    is_done = true;
    world_.files()->Rename(world_.files()->root(), "/a", world_.files()->root(), "/b");
    MakeSimFile(world_.files(), "/a", "another");
  });
  ASSERT_EQ(kernel_.Do(UnlinkAt(AT_FDCWD, "/a", 0)), 0);
  const std::vector<SimEffect> touched = TouchedOfOthers(*world_.files());
  ASSERT_EQ(touched.size(), 1u);
  EXPECT_EQ(touched[0].kind, SimEffect::Kind::kLostName);
  EXPECT_EQ(touched[0].path, "/a");
  EXPECT_EQ(Contents("/b"), "before");
}

TEST_F(SimKernelTest, AFaultThatLastsHitsTheSameFileAgain) {
  MakeSimFile(world_.files(), "/a", "contents");
  MakeSimFile(world_.files(), "/b", "contents");
  const int a = Open("/a", O_RDONLY);
  const int b = Open("/b", O_RDONLY);
  SimRandomFaults faults(1, {.one_in = 1,
                             .most = 1,
                             .kinds = {SimFault::Kind::kFails},
                             .lasting_one_in = 1,
                             .only = {OpKind::kRead}});
  world_.SetFaults(faults.function());
  for (int i = 0; i < 3; ++i) {
    EXPECT_LT(kernel_.Do(ReadAt(FileRef::Descriptor(a), buffer_, 8, 0)), 0);
    EXPECT_EQ(kernel_.Do(ReadAt(FileRef::Descriptor(b), buffer_, 8, 0)), 8);
  }
  EXPECT_EQ(faults.injected().size(), 3u);
}

}  // namespace
}  // namespace ringcp
