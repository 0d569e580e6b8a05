// Tests what happens to the files in slots when their ring is gone.

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

  // Writes the target through a slot of a ring, which is destroyed afterwards.
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

// Linux 6.1 releases a slot's file only later. A program that was just copied could not
// be executed meanwhile, because it would still be open for writing.
TEST_F(UringSlotsTest, NoFileOfARingThatIsGoneIsOpenForWriting) {
  WriteThroughASlot();
  const int fd = open(target_.c_str(), O_RDONLY | O_CLOEXEC);
  // A read lease is granted only if nobody has the file open for writing.
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
