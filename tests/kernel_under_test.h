// The kernels that tests are run against: every implementation there is. What a test
// needs besides, such as a file, it makes and looks at through its kernel, because one of
// them has files of its own.
//
// Thread-safety: belongs to the test's thread.

#ifndef RINGCP_TESTS_KERNEL_UNDER_TEST_H_
#define RINGCP_TESTS_KERNEL_UNDER_TEST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  // Its files and descriptors are not the system's, and it is not for two threads.
  bool is_simulated = false;
};

// Those on the system's files: io_uring, system calls, and the fake one as two kinds of
// kernel.
std::vector<KernelImplementation> SystemKernelImplementations();
// These and the simulated one, as two kinds of kernel as well.
std::vector<KernelImplementation> KernelImplementations();
// The first of them.
std::unique_ptr<Kernel> MakeUringKernel(std::string* why_not);

// A test that is run with each of them:
//
//   using MyTest = KernelTest;
//   TEST_P(MyTest, ...) { ... kernel_ ... }
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

  // Each carries out what it says at once. Files are made in the scratch directory.
  std::string Path(std::string_view name) const { return scratch_.Path(name); }
  int Open(const std::string& path, int flags);
  // Makes it, or gives it other contents, and returns its path.
  std::string WriteFile(std::string_view name, std::string contents);
  // "(none)" if there is none.
  std::string Contents(const std::string& path);
  bool Exists(const std::string& path);
  bool IsOpen(int fd);
  // Whether another program that this process executes does not get `fd`; true where
  // there is no such program.
  bool IsClosedByExec(int fd) const;
  // From now on files have at most `bytes`; absent: as many as before.
  void LimitFileSize(std::optional<uint32_t> bytes);

  // buffer_ up to its first `size` bytes.
  std::string Buffer(size_t size) const { return {buffer_, size}; }

  const ScratchDirectory scratch_;  // In a simulation there is one of the same path.
  const std::string source_ = Path("source");           // "0123456789".
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
