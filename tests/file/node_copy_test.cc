// Tests which ops the copy of a pipe, device or link takes, and what happens if the
// kernel refuses one.

#include "core/file/node_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

// Notes the kinds of ops carried out, and can make some of them fail.
class WatchedKernel : public SyscallKernel {
 public:
  WatchedKernel() : SyscallKernel(/*slots=*/0) {}

  int32_t Do(const Op& op) override {
    kinds.push_back(op.kind);
    const int error_number = fault ? fault(op) : 0;
    return error_number != 0 ? -error_number : SyscallKernel::Do(op);
  }

  std::vector<OpKind> kinds;
  std::function<int(const Op&)> fault;  // 0 means that the op runs.
};

class NodeCopyTest : public testing::Test {
 protected:
  NodeResult Copy(const char* source_name, const char* target_name) {
    policy_.kernel = &kernel_;
    policy_.user = geteuid();
    policy_.preserve = {.mode = true, .ownership = true, .timestamps = true};
    const int directory =
        open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const FileCopyNames names = {.source_directory = directory,
                                 .source = source_name,
                                 .target_directory = directory,
                                 .target = target_name,
                                 .target_default_acl = std::nullopt,
                                 .target_group = getegid(),
                                 .target_file_system = FileSystemKind::kLocal};
    NodeSource source(&kernel_);
    EXPECT_EQ(source.Open(names), 0);
    kernel_.kinds.clear();
    const NodeResult result = CopyNode(policy_, names, source);
    asked_ = kernel_.kinds;
    close(directory);
    return result;
  }

  struct stat Stat(const char* name) const {
    struct stat stat = {};
    EXPECT_EQ(lstat(scratch_.Path(name).c_str(), &stat), 0);
    return stat;
  }

  ScratchDirectory scratch_;
  WatchedKernel kernel_;
  FileCopyPolicy policy_;
  std::vector<OpKind> asked_;  // By CopyNode().
};

TEST_F(NodeCopyTest, ANodeWithTheRightOwnerAndModeIsLookedAtOnlyOneTime) {
  PrepareWithShell(scratch_.path(), "mkfifo -m 644 p");
  EXPECT_EQ(Copy("p", "t").outcome, NodeOutcome::kCopied);
  EXPECT_EQ(asked_, (std::vector{OpKind::kListXattrs, OpKind::kMakeNode, OpKind::kOpenAt,
                                 OpKind::kStatx, OpKind::kSetTimes, OpKind::kClose}));
}

// GNU cp does so, too, even where the failure is an error.
TEST_F(NodeCopyTest, WhereTheOwnerIsRefusedTheGroupIsTried) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a file away";
  PrepareWithShell(scratch_.path(), "mkfifo -m 644 p; chown 5:6 p");
  kernel_.fault = [](const Op& op) {
    const bool is_owner =
        op.kind == OpKind::kSetOwner && op.owner.user != static_cast<uid_t>(-1);
    return is_owner ? EPERM : 0;
  };
  const NodeResult result = Copy("p", "t");
  EXPECT_EQ(result.outcome, NodeOutcome::kFailed);
  EXPECT_EQ(result.failure.operation, Operation::kSetOwner);
  EXPECT_EQ(result.failure.error_number, EPERM);
  const struct stat target = Stat("t");
  EXPECT_EQ(target.st_uid, 0u);
  EXPECT_EQ(target.st_gid, 6u);
  // What was withheld until the node has its owner stays withheld.
  EXPECT_EQ(target.st_mode, mode_t{S_IFIFO | 0600});
}

}  // namespace
}  // namespace ringcp
