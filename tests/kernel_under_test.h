// Every implementation of Kernel, for tests that run against each. A test also makes and
// looks at its files through the kernel under test, because the simulated kernel has
// files of its own.
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
  // Returns null, and says why, where the machine has no io_uring that can be used.
  std::function<std::unique_ptr<Kernel>(std::string* why_not)> make;
  // Its files and descriptors are not the system's, and only one thread may use it.
  bool is_simulated = false;
};

// The implementations that work on the system's files: io_uring, system calls, and the
// fake kernel in two variants.
std::vector<KernelImplementation> SystemKernelImplementations();
// The same, and the simulated kernel in two variants.
std::vector<KernelImplementation> KernelImplementations();
// The first of them.
std::unique_ptr<Kernel> MakeUringKernel(std::string* why_not);

// A test that runs with each of them:
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

  // Runs `chain` with nothing else in flight.
  Results Run(const Chain& chain);
  int32_t Run(const Op& op);
  // Waits until every chain in flight has settled. Returns the results by chain.
  std::map<uint32_t, Results> SettleAll();

  // The functions below act immediately. They make files in the scratch directory.
  std::string Path(std::string_view name) const { return scratch_.Path(name); }
  int Open(const std::string& path, int flags);
  // Makes the file or replaces its contents. Returns its path.
  std::string WriteFile(std::string_view name, std::string contents);
  // The file's contents, or "(none)" if there is no file.
  std::string Contents(const std::string& path);
  bool Exists(const std::string& path);
  bool IsOpen(int fd);
  // Whether a program that this process executes does not inherit `fd`. True for a kernel
  // that can't execute programs.
  bool IsClosedByExec(int fd) const;
  // Limits the size of files to `bytes` from now on; nullopt removes the limit.
  void LimitFileSize(std::optional<uint32_t> bytes);

  // The first `size` bytes of buffer_.
  std::string Buffer(size_t size) const { return {buffer_, size}; }

  const ScratchDirectory scratch_;  // A simulation has a directory of the same path.
  const std::string source_ = Path("source");           // "0123456789".
  const std::string target_ = scratch_.Path("target");  // Does not exist yet.
  const Op open_source_;                                // Opens source_ into slot 0.
  const Op open_target_;                                // Makes target_, into slot 1.
  char buffer_[64] = {};
  std::unique_ptr<Kernel> kernel_;

  KernelTest();
};

std::string KernelName(const testing::TestParamInfo<KernelImplementation>& info);

}  // namespace ringcp

#endif  // RINGCP_TESTS_KERNEL_UNDER_TEST_H_
