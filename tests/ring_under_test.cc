#include "tests/ring_under_test.h"

#include <fcntl.h>

#include <utility>

#include "absl/time/clock.h"
#include "core/kernel/syscall_ring.h"
#include "core/kernel/uring_ring.h"
#include "tests/fake_ring.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr int kSlots = 8;

std::unique_ptr<Ring> MakeSyscallRing(std::string*) {
  return std::make_unique<SyscallRing>(kSlots);
}

std::unique_ptr<Ring> MakeFakeRing(std::string*) {
  return std::make_unique<FakeRing>(FakeRingOptions{.slots = kSlots, .seed = TestSeed()});
}

std::unique_ptr<Ring> MakeFakeRingOfAnOldKernel(std::string*) {
  return std::make_unique<FakeRing>(FakeRingOptions{.slots = kSlots,
                                                    .chains_max = 1,
                                                    .can_install_descriptor = false,
                                                    .failed_path_op_severs = false,
                                                    .seed = TestSeed()});
}

std::unique_ptr<Ring> MakeRing(const UringParameters& parameters, std::string* why_not) {
  absl::StatusOr<std::unique_ptr<UringRing>> ring = UringRing::Create(parameters);
  if (ring.ok()) return *std::move(ring);
  *why_not = std::string(ring.status().message());
  return nullptr;
}

std::unique_ptr<Ring> MakeSqpollRing(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots, .sqpoll = true}, why_not);
}

std::unique_ptr<Ring> MakeIopollRing(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots, .iopoll = true}, why_not);
}

}  // namespace

std::unique_ptr<Ring> MakeUringRing(std::string* why_not) {
  return MakeRing({.entries = 32, .slots = kSlots}, why_not);
}

std::vector<RingImplementation> RingImplementations() {
  return {
      {"Uring", MakeUringRing},        {"UringSqpoll", MakeSqpollRing},
      {"UringIopoll", MakeIopollRing}, {"Syscall", MakeSyscallRing},
      {"Fake", MakeFakeRing},          {"FakeOfAnOldKernel", MakeFakeRingOfAnOldKernel}};
}

std::string RingName(const testing::TestParamInfo<RingImplementation>& info) {
  return info.param.name;
}

RingTest::RingTest()
    : open_source_(OpenAt(AT_FDCWD, source_.c_str(), O_RDONLY, 0, FileRef::Slot(0))),
      open_target_(OpenAt(AT_FDCWD, target_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0640,
                          FileRef::Slot(1))) {}

void RingTest::SetUp() {
  std::string why_not;
  ring_ = GetParam().make(&why_not);
  if (ring_ == nullptr) GTEST_SKIP() << why_not;
}

RingTest::Results RingTest::Run(const Chain& chain) {
  if (IsImmediate(chain[0])) {
    const SettledChain settled = ring_->RunAtOnce(ChainId{1}, chain.ops());
    return {settled.results().begin(), settled.results().end()};
  }
  EXPECT_TRUE(ring_->Queue(ChainId{1}, chain.ops()));
  return SettleAll()[1];
}

int32_t RingTest::Run(const Op& op) { return Run(Chain().Add(op)).at(0); }

std::map<uint32_t, RingTest::Results> RingTest::SettleAll() {
  std::map<uint32_t, Results> results;
  const absl::Time deadline = absl::Now() + kLimit;
  while (ring_->chains_in_flight() > 0) {
    std::vector<SettledChain> settled;
    ring_->Settle(kLimit, &settled);
    for (const SettledChain& chain : settled) {
      EXPECT_EQ(results.count(chain.id.value), 0u) << "settled twice";
      results[chain.id.value] = {chain.results().begin(), chain.results().end()};
    }
    if (absl::Now() > deadline) {
      ADD_FAILURE() << ring_->chains_in_flight() << " chains do not settle";
      break;
    }
  }
  return results;
}

}  // namespace ringcp
