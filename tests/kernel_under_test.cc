#include "tests/kernel_under_test.h"

#include <fcntl.h>

#include <utility>

#include "absl/time/clock.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/uring_kernel.h"
#include "tests/fake_kernel.h"
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

std::vector<KernelImplementation> KernelImplementations() {
  return {{"Uring", MakeUringKernel},
          {"UringSqpoll", MakeSqpollKernel},
          {"UringIopoll", MakeIopollKernel},
          {"Syscall", MakeSyscallKernel},
          {"Fake", MakeFakeKernel},
          {"FakeOfAnOldKernel", MakeFakeKernelOfAnOldKernel}};
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
}

KernelTest::Results KernelTest::Run(const Chain& chain) {
  if (IsImmediate(chain[0])) {
    const ChainResults settled = kernel_->RunAtOnce(ChainId{1}, chain.ops());
    return {settled.results().begin(), settled.results().end()};
  }
  EXPECT_TRUE(kernel_->Queue(ChainId{1}, chain.ops()));
  return SettleAll()[1];
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
