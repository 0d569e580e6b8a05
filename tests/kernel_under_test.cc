#include "tests/kernel_under_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/uring_kernel.h"
#include "tests/fake_kernel.h"
#include "tests/simulation/lone_sim_kernel.h"
#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_world.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr int kSlots = 8;

std::unique_ptr<Kernel> MakeSyscallKernel(std::string*) {
  return std::make_unique<SyscallKernel>(kSlots);
}

std::unique_ptr<Kernel> MakeFakeKernel(std::string*) {
  return std::make_unique<FakeKernel>(
      FakeKernelOptions{.slots = kSlots, .seed = TestSeed()});
}

std::unique_ptr<Kernel> MakeFakeKernelOfAnOldKernel(std::string*) {
  return std::make_unique<FakeKernel>(FakeKernelOptions{.slots = kSlots,
                                                        .chains_max = 1,
                                                        .can_install_descriptor = false,
                                                        .failed_path_op_severs = false,
                                                        .seed = TestSeed()});
}

std::unique_ptr<Kernel> MakeSimKernel(std::string*) {
  return std::make_unique<LoneSimKernel>(SimWorldOptions{.seed = TestSeed()},
                                         SimKernelOptions{.slots = kSlots});
}

std::unique_ptr<Kernel> MakeSimKernelOfAnOldKernel(std::string*) {
  return std::make_unique<LoneSimKernel>(
      SimWorldOptions{.seed = TestSeed()},
      SimKernelOptions{.slots = kSlots,
                       .chains_max = 1,
                       .can_install_descriptor = false,
                       .failed_path_op_severs = false});
}

std::unique_ptr<Kernel> MakeRing(const UringParameters& parameters,
                                 std::string* why_not) {
  absl::StatusOr<std::unique_ptr<UringKernel>> ring = UringKernel::Create(parameters);
  if (ring.ok()) return *std::move(ring);
  *why_not = std::string(ring.status().message());
  return nullptr;
}

std::unique_ptr<Kernel> MakeSqpollKernel(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots, .sqpoll = true}, why_not);
}

std::unique_ptr<Kernel> MakeIopollKernel(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots, .iopoll = true}, why_not);
}

}  // namespace

std::unique_ptr<Kernel> MakeUringKernel(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots}, why_not);
}

std::vector<KernelImplementation> SystemKernelImplementations() {
  return {{"Uring", MakeUringKernel},
          {"UringSqpoll", MakeSqpollKernel},
          {"UringIopoll", MakeIopollKernel},
          {"Syscall", MakeSyscallKernel},
          {"Fake", MakeFakeKernel},
          {"FakeOfAnOldKernel", MakeFakeKernelOfAnOldKernel}};
}

std::vector<KernelImplementation> KernelImplementations() {
  std::vector<KernelImplementation> all = SystemKernelImplementations();
  all.push_back({"Simulated", MakeSimKernel, /*is_simulated=*/true});
  all.push_back(
      {"SimulatedOfAnOldKernel", MakeSimKernelOfAnOldKernel, /*is_simulated=*/true});
  return all;
}

std::string KernelName(const testing::TestParamInfo<KernelImplementation>& info) {
  return info.param.name;
}

KernelTest::KernelTest()
    : open_source_(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef::Slot(0))),
      open_target_(OpenAt(AT_FDCWD, target_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0640,
                          FileRef::Slot(1))) {}

void KernelTest::SetUp() {
  std::string why_not;
  kernel_ = GetParam().make(&why_not);
  if (kernel_ == nullptr) GTEST_SKIP() << why_not;
  if (GetParam().is_simulated) {
    const std::string& path = scratch_.path();
    for (size_t end = path.find('/', 1); end != std::string::npos;
         end = path.find('/', end + 1)) {
      kernel_->Do(MakeDirectory(AT_FDCWD, path.substr(0, end).c_str(), 0755));
    }
    ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, path.c_str(), 0755)), 0);
  }
  WriteFile("source", "0123456789");
}

int KernelTest::Open(const std::string& path, int flags) {
  return kernel_->Do(OpenAt(AT_FDCWD, path.c_str(), flags, 0600, FileRef()));
}

std::string KernelTest::WriteFile(std::string_view name, std::string contents) {
  std::string path = Path(name);
  const int fd = Open(path, O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_GE(fd, 0) << path;
  const auto size = static_cast<int32_t>(contents.size());
  const Op write =
      WriteAt(FileRef::Descriptor(fd), contents.data(), static_cast<uint32_t>(size), 0);
  EXPECT_EQ(kernel_->Do(write), size) << path;
  EXPECT_EQ(kernel_->Close(fd), 0);
  return path;
}

std::string KernelTest::Contents(const std::string& path) {
  const int fd = Open(path, O_RDONLY);
  if (fd < 0) return "(none)";
  std::string contents(1000, '\0');
  const int32_t size = kernel_->Do(ReadAt(FileRef::Descriptor(fd), contents.data(),
                                          static_cast<uint32_t>(contents.size()), 0));
  EXPECT_GE(size, 0) << path;
  contents.resize(static_cast<size_t>(std::max(size, 0)));
  kernel_->Close(fd);
  return contents;
}

bool KernelTest::Exists(const std::string& path) {
  struct statx stat;
  return kernel_->Stat(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, &stat) == 0;
}

bool KernelTest::IsOpen(int fd) {
  struct statx stat;
  return kernel_->Stat(fd, &stat) != -EBADF;
}

bool KernelTest::IsClosedByExec(int fd) const {
  return GetParam().is_simulated || fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

void KernelTest::LimitFileSize(std::optional<uint32_t> bytes) {
  if (GetParam().is_simulated) {
    SimFileSystem* const files =
        static_cast<LoneSimKernel*>(kernel_.get())->its_world()->files();
    files->root_traits()->file_size_max = bytes.value_or(SimMountTraits().file_size_max);
    return;
  }
  // With the signal ignored, a write at the limit fails and does not end the process.
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes.has_value() ? rlim_t{*bytes} : limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

KernelTest::Results KernelTest::Run(const Chain& chain) {
  ChainResults settled;
  const Submitted submitted = kernel_->Submit(ChainId{1}, chain.ops(), &settled);
  EXPECT_NE(submitted, Submitted::kNoRoom);
  if (submitted == Submitted::kQueued) return SettleAll()[1];
  return {settled.results().begin(), settled.results().end()};
}

int32_t KernelTest::Run(const Op& op) { return Run(Chain().Add(op)).at(0); }

std::map<uint32_t, KernelTest::Results> KernelTest::SettleAll() {
  std::map<uint32_t, Results> results;
  const absl::Time deadline = absl::Now() + kLimit;
  while (kernel_->chains_in_flight() > 0) {
    std::vector<ChainResults> settled;
    kernel_->Wait(kLimit, &settled);
    for (const ChainResults& chain : settled) {
      EXPECT_EQ(results.count(chain.id.value), 0u) << "settled twice";
      results[chain.id.value] = {chain.results().begin(), chain.results().end()};
    }
    if (absl::Now() > deadline) {
      ADD_FAILURE() << kernel_->chains_in_flight() << " chains do not settle";
      break;
    }
  }
  return results;
}

}  // namespace ringcp
