// Tests that a failure has the same errno with every implementation of the kernel.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/kernel_under_test.h"

namespace ringcp {
namespace {

using KernelErrorsTest = KernelTest;

TEST_P(KernelErrorsTest, FailuresHaveTheErrnoOfTheSystemCall) {
  const std::string directory = Path("directory");
  const std::string fifo = Path("fifo");
  const std::string link = Path("link");
  const std::string missing = Path("none");
  const std::string below_file = source_ + "/x";
  const std::string long_name = Path(std::string(256, 'n'));
  ASSERT_EQ(kernel_->Do(MakeDirectory(AT_FDCWD, directory.c_str(), 0755)), 0);
  ASSERT_EQ(kernel_->Do(MakeNode(AT_FDCWD, fifo.c_str(), S_IFIFO | 0600, 0)), 0);
  ASSERT_EQ(kernel_->Do(MakeSymlink("source", AT_FDCWD, link.c_str())), 0);
  struct statx stat = {};
  const FileRef slot = FileRef::Slot(0);
  const auto open_at = [&](const std::string& path, int flags) {
    return OpenAt(AT_FDCWD, path.c_str(), flags, 0600, slot);
  };
  const int write_only = Open(source_, O_WRONLY);
  const int directory_fd = Open(directory, O_RDONLY | O_DIRECTORY);
  const FileRef closed = FileRef::Descriptor(100'000);
  struct Case {
    const char* what;
    Op op;
    int error_number;
  };
  std::vector<Case> cases = {
      {"open missing", open_at(missing, O_RDONLY), ENOENT},
      {"open below a file", open_at(below_file, O_RDONLY), ENOTDIR},
      {"open a file as a directory", open_at(source_, O_RDONLY | O_DIRECTORY), ENOTDIR},
      {"create existing", open_at(source_, O_WRONLY | O_CREAT | O_EXCL), EEXIST},
      {"create over a link", open_at(link, O_WRONLY | O_CREAT | O_EXCL), EEXIST},
      {"write a directory", open_at(directory, O_WRONLY), EISDIR},
      {"open a link", open_at(link, O_RDONLY | O_NOFOLLOW), ELOOP},
      {"open a long name", open_at(long_name, O_RDONLY), ENAMETOOLONG},
      {"open a pipe nobody reads", open_at(fifo, O_WRONLY | O_NONBLOCK), ENXIO},
      {"open in no directory", OpenAt(100'000, "x", O_RDONLY, 0, slot), EBADF},
      {"stat missing", StatAt(AT_FDCWD, missing.c_str(), 0, &stat), ENOENT},
      {"stat below a file", StatAt(AT_FDCWD, below_file.c_str(), 0, &stat), ENOTDIR},
      {"unlink missing", UnlinkAt(AT_FDCWD, missing.c_str(), 0), ENOENT},
      {"unlink a directory", UnlinkAt(AT_FDCWD, directory.c_str(), 0), EISDIR},
      {"rmdir a file", UnlinkAt(AT_FDCWD, source_.c_str(), AT_REMOVEDIR), ENOTDIR},
      {"read an empty slot", ReadAt(slot, buffer_, 1, 0), EBADF},
      {"write an empty slot", WriteAt(slot, buffer_, 1, 0), EBADF},
      {"close an empty slot", Close(slot), EBADF},
      {"read a closed file", ReadAt(closed, buffer_, 1, 0), EBADF},
      {"close a closed file", Close(closed), EBADF},
      {"read what is open for writing",
       ReadAt(FileRef::Descriptor(write_only), buffer_, 1, 0), EBADF},
      {"read a directory", ReadAt(FileRef::Descriptor(directory_fd), buffer_, 1, 0),
       EISDIR},
      {"write a directory", WriteAt(FileRef::Descriptor(directory_fd), buffer_, 1, 0),
       EBADF},
  };
  for (const Case& failing : cases) {
    EXPECT_EQ(Run(failing.op), -failing.error_number) << failing.what;
  }
  kernel_->Close(write_only);
  kernel_->Close(directory_fd);
}

TEST_P(KernelErrorsTest, AFailedOpenLeavesItsSlotUsable) {
  const std::string missing = Path("none");
  EXPECT_EQ(Run(OpenAt(AT_FDCWD, missing.c_str(), O_RDONLY, 0, FileRef::Slot(0))),
            -ENOENT);
  EXPECT_EQ(Run(open_source_), 0);
  EXPECT_EQ(Run(Close(FileRef::Slot(0))), 0);
}

INSTANTIATE_TEST_SUITE_P(Rings, KernelErrorsTest,
                         testing::ValuesIn(KernelImplementations()), KernelName);

}  // namespace
}  // namespace ringcp
