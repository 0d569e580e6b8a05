// The rings that tests are run against: every implementation there is.
//
// Thread-safety: belongs to the test's thread.

#ifndef RINGCP_TESTS_KERNEL_UNDER_TEST_H_
#define RINGCP_TESTS_KERNEL_UNDER_TEST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"

namespace ringcp {

struct KernelImplementation {
  const char* name;
  // Null, with the reason, where the machine has no such ring.
  std::function<std::unique_ptr<Kernel>(std::string* why_not)> make;
};

// io_uring, system calls, and the fake ring as two kinds of kernel.
std::vector<KernelImplementation> KernelImplementations();
// The first of them.
std::unique_ptr<Kernel> MakeUringKernel(std::string* why_not);

// A test that is run with each of them:
//
//   using MyTest = KernelTest;
//   TEST_P(MyTest, ...) { ... ring_ ... }
//   INSTANTIATE_TEST_SUITE_P(Rings, MyTest, testing::ValuesIn(KernelImplementations()),
//                            KernelName);
class KernelTest : public testing::TestWithParam<KernelImplementation> {
 protected:
  using Results = std::vector<int32_t>;

  // Far longer than anything here takes.
  static constexpr absl::Duration kLimit = absl::Seconds(60);

  void SetUp() override;

  // Runs `chain` alone.
  Results Run(const Chain& chain);
  int32_t Run(const Op& op);
  // Settles all that is in flight: the results by chain.
  std::map<uint32_t, Results> SettleAll();

  // buffer_ up to its first `size` bytes.
  std::string Buffer(size_t size) const { return {buffer_, size}; }

  ScratchDirectory scratch_;
  const std::string source_ = scratch_.WriteFile("source", "0123456789");
  const std::string target_ = scratch_.Path("target");  // Not there yet.
  const Op open_source_;                                // Into slot 0.
  const Op open_target_;                                // Into slot 1, which makes it.
  char buffer_[64] = {};
  std::unique_ptr<Kernel> kernel_;

  KernelTest();
};

std::string KernelName(const testing::TestParamInfo<KernelImplementation>& info);

}  // namespace ringcp

#endif  // RINGCP_TESTS_KERNEL_UNDER_TEST_H_
