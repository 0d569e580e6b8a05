// What becomes of the slots of a ring that is gone.

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"
#include "tests/scratch_directory.h"
#include "tests/traced_child.h"

namespace ringcp {
namespace {

class UringSlotsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (MakeUringKernel(&why_not) == nullptr) GTEST_SKIP() << why_not;
  }

  // Writes the target by way of a slot, with a ring that is gone afterwards.
  void WriteThroughASlot() const {
    std::string why_not;
    const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
    char contents[] = "contents";
    Chain chain;
    chain.Add(OpenAt(AT_FDCWD, target_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600,
                     FileRef::Slot(0)));
    chain.Add(WriteAt(FileRef::Slot(0), contents, sizeof(contents), 0));
    chain.Add(Close(FileRef::Slot(0)));
    ASSERT_TRUE(kernel->Queue(ChainId{1}, chain.ops()));
    std::vector<ChainResults> settled;
    while (settled.empty()) kernel->Wait(absl::Seconds(60), &settled);
    ASSERT_EQ(settled[0].results()[2], 0);
  }

  ScratchDirectory scratch_;
  const std::string target_ = scratch_.Path("target");
};

// Where a slot's file is put away later (Linux 6.1), a program could not be executed.
TEST_F(UringSlotsTest, NobodyHasItsFilesOpenForWriting) {
  WriteThroughASlot();
  const int fd = open(target_.c_str(), O_RDONLY | O_CLOEXEC);
  // A lease for reading is given only where nobody can write.
  const int result = fcntl(fd, F_SETLEASE, F_RDLCK);
  const int error_number = errno;
  close(fd);
  if (result != 0 && error_number == EINVAL) GTEST_SKIP() << "no leases here";
  EXPECT_EQ(result, 0) << std::strerror(error_number);
}

TEST_F(UringSlotsTest, ARingGivesItsTableOfFilesBack) {
  int given_back = 0;
  const std::optional<std::string> result = InTracedChild(
      [this]() -> std::string {
        WriteThroughASlot();
        return "written";
      },
      [&](TracedCall* call) {
        if (call->number == SYS_io_uring_register &&
            call->arguments[1] == IORING_UNREGISTER_FILES) {
          ++given_back;
        }
      });
  if (!result.has_value()) GTEST_SKIP() << "no tracing here";
  EXPECT_EQ(*result, "written");
  EXPECT_EQ(given_back, 1);
}

}  // namespace
}  // namespace ringcp
