#include "core/kernel/asked_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class AskedCallsTest : public testing::Test {
 protected:
  void SetUp() override {
    scratch_.WriteFile("file", contents_);
    fd_ = open(scratch_.Path("file").c_str(), O_RDWR);
    ASSERT_GE(fd_, 0);
  }
  void TearDown() override { close(fd_); }

  int32_t Ask(const Op& op) {
    Chain chain;
    chain.Add(op).SetAtOnce(/*may_ask=*/true);
    return calls_.Run(chain[0]);
  }
  int32_t AskToRead(uint64_t offset = 0) {
    return Ask(ReadAt(FileRef::Descriptor(fd_), buffer_, sizeof(buffer_), offset));
  }

  const std::string contents_ = std::string(100'000, 'x');
  ScratchDirectory scratch_;
  AskedCalls calls_;
  int fd_ = -1;
  char buffer_[64];
};

TEST_F(AskedCallsTest, WhatIsInMemoryIsOpenedAndRead) {
  EXPECT_EQ(AskToRead(), static_cast<int32_t>(sizeof(buffer_)));
  EXPECT_EQ(buffer_[0], 'x');
  EXPECT_EQ(AskToRead(contents_.size()), 0);
  const std::string path = scratch_.Path("file");
  const int fd = Ask(OpenAt(AT_FDCWD, path.c_str(), O_RDONLY));
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  close(fd);
}

TEST_F(AskedCallsTest, WhatIsNotInThePageCacheIsNotWaitedFor) {
  if (preadv2(fd_, nullptr, 0, 0, RWF_NOWAIT) < 0 && errno == EOPNOTSUPP) {
    GTEST_SKIP() << "the file system of the scratch directory can't be asked";
  }
  ASSERT_EQ(fsync(fd_), 0);
  ASSERT_EQ(posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED), 0);
  EXPECT_EQ(AskToRead(), AskedCalls::kWouldWait);
  EXPECT_EQ(pread(fd_, buffer_, sizeof(buffer_), 0),
            static_cast<ssize_t>(sizeof(buffer_)));
  EXPECT_EQ(AskToRead(), static_cast<int32_t>(sizeof(buffer_)));
}

TEST_F(AskedCallsTest, AFileSystemThatCanNotBeAskedIsReadAllTheSame) {
  const int fd = memfd_create("memory", MFD_CLOEXEC);
  ASSERT_EQ(write(fd, "abc", 3), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask(ReadAt(FileRef::Descriptor(fd), buffer_, sizeof(buffer_), 1)), 2);
  }
  close(fd);
}

TEST_F(AskedCallsTest, ErrorsAreThoseOfCallsThatDoNotAsk) {
  const std::string missing = scratch_.Path("missing");
  // That there is no such name need not be in memory.
  const int32_t result = Ask(OpenAt(AT_FDCWD, missing.c_str(), O_RDONLY));
  EXPECT_TRUE(result == -ENOENT || result == AskedCalls::kWouldWait) << result;
  const std::string file = scratch_.Path("file");
  EXPECT_EQ(Ask(OpenAt(AT_FDCWD, file.c_str(), O_RDONLY | O_DIRECTORY)), -ENOTDIR);
  EXPECT_EQ(Ask(ReadAt(FileRef::Descriptor(-1), buffer_, sizeof(buffer_), 0)), -EBADF);
}

TEST(MayAskTest, OnlyTheFirstOpAsksIfItOpensOrReadsAndMayBeQueued) {
  const FileRef file = FileRef::Descriptor(7);
  const auto asks = [](const Op& op) {
    Chain chain;
    chain.Add(op).Add(Close(7)).SetAtOnce(/*may_ask=*/true);
    EXPECT_FALSE(chain[1].may_ask);
    EXPECT_TRUE(chain[0].at_once && chain[1].at_once);
    return chain[0].may_ask;
  };
  EXPECT_TRUE(asks(OpenAt(AT_FDCWD, "a", O_RDONLY)));
  EXPECT_FALSE(asks(OpenAt(AT_FDCWD, "a", O_WRONLY | O_CREAT, 0600, FileRef())));
  EXPECT_FALSE(asks(OpenAt(AT_FDCWD, "a", O_WRONLY | O_TRUNC)));
  EXPECT_TRUE(asks(ReadAt(file, nullptr, 1, 0)));
  EXPECT_FALSE(asks(ReadAt(file, nullptr, 1, kCurrentPosition)));
  // It was to be a call whatever happens.
  EXPECT_FALSE(asks(AtOnce(ReadAt(file, nullptr, 1, 0))));
  EXPECT_FALSE(asks(WriteAt(file, nullptr, 1, 0)));
}

}  // namespace
}  // namespace ringcp
