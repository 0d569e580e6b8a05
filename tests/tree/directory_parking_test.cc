// Tests directories that are closed for a while. When they are opened again they must be
// the same directories, or the failure must be reported.

#include "core/tree/directory_parking.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "core/tree/target_directory.h"
#include "gtest/gtest.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// s/a/b/c is being copied to t/a/b/c, and a and b get parked.
class DirectoryParkingTest : public testing::Test {
 protected:
  DirectoryParkingTest() {
    PrepareWithShell(scratch_.path(), "mkdir -p s/a/b/c t/a/b/c elsewhere/b/c");
    for (Directory* directory : {&top_, &a_, &b_, &c_}) {
      directory->target = std::make_unique<TargetDirectory>();
    }
    top_.source.fd = OpenAt(AT_FDCWD, scratch_.Path("s"));
    top_.target->fd = OpenAt(AT_FDCWD, scratch_.Path("t"));
    Open("a", &top_, &a_);
    Open("b", &a_, &b_);
    Open("c", &b_, &c_);
  }
  ~DirectoryParkingTest() override {
    for (Directory* directory : {&top_, &a_, &b_, &c_}) {
      for (const int fd : {directory->source.fd, directory->target->fd}) {
        if (fd >= 0) close(fd);
      }
    }
  }

  static int OpenAt(int at, const std::string& name) {
    const int fd = openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_GE(fd, 0) << name;
    return fd;
  }

  static void Open(const char* name, Directory* parent, Directory* directory) {
    directory->parent = parent;
    directory->source.name = directory->target->name = name;
    directory->source.fd = OpenAt(parent->source.fd, name);
    directory->target->fd = OpenAt(parent->target->fd, name);
    ASSERT_EQ(SystemKernel()->Stat(directory->source.fd, &directory->source.stat), 0);
  }

  // Expects that the descriptors of `directory` are those of `source` and `target`.
  void ExpectOpen(const Directory& directory, const std::string& source,
                  const std::string& target) const {
    EXPECT_TRUE(IsOf(directory.source.fd, source)) << source;
    EXPECT_TRUE(IsOf(directory.target->fd, target)) << target;
  }
  bool IsOf(int fd, const std::string& name) const {
    struct stat is = {};
    struct stat expected = {};
    return fstat(fd, &is) == 0 && stat(scratch_.Path(name).c_str(), &expected) == 0 &&
           is.st_ino == expected.st_ino && is.st_dev == expected.st_dev;
  }

  void ParkAll() {
    ASSERT_TRUE(ParkDirectory(SystemKernel(), &a_));
    ASSERT_TRUE(ParkDirectory(SystemKernel(), &b_));
    EXPECT_EQ(a_.source.fd, -1);
    EXPECT_EQ(b_.target->fd, -1);
  }

  // Reopens b. Returns "", or what went wrong.
  std::string Reopen(const Directory* child) {
    ReopenFailure failure;
    if (ReopenDirectory(SystemKernel(), &b_, child, &failure)) return "";
    EXPECT_EQ(b_.source.fd, -1);
    EXPECT_EQ(b_.target->fd, -1);
    return std::string(failure.on_target ? "target: " : "source: ") +
           std::to_string(failure.error_number);
  }

  const ScratchDirectory scratch_;
  Directory top_;
  Directory a_;
  Directory b_;
  Directory c_;
};

TEST_F(DirectoryParkingTest, ADirectoryIsReopenedBeneathTheNearestOpenOne) {
  ParkAll();
  EXPECT_EQ(Reopen(nullptr), "");
  ExpectOpen(b_, "s/a/b", "t/a/b");
  EXPECT_EQ(a_.source.fd, -1);
}

TEST_F(DirectoryParkingTest, AMovedDirectoryIsFoundFromItsChild) {
  ParkAll();
  PrepareWithShell(scratch_.path(), "mv s/a s/x; mv t/a/b t/y");
  EXPECT_EQ(Reopen(&c_), "");
  ExpectOpen(b_, "s/x/b", "t/y");
}

// Its source is never open, and its children are found by paths of their own.
TEST_F(DirectoryParkingTest, ADirectoryWhoseEntriesAreGivenGetsItsTargetBack) {
  close(a_.source.fd);
  a_.source.fd = AT_FDCWD;
  a_.given = std::make_unique<GivenEntries>();
  b_.source.name = scratch_.Path("s/a/b");
  ASSERT_TRUE(ParkDirectory(SystemKernel(), &a_));
  ASSERT_TRUE(ParkDirectory(SystemKernel(), &b_));
  EXPECT_EQ(a_.target->fd, -1);
  EXPECT_EQ(Reopen(nullptr), "");
  ExpectOpen(b_, "s/a/b", "t/a/b");
  ReopenFailure failure;
  ASSERT_TRUE(ReopenDirectory(SystemKernel(), &a_, &b_, &failure));
  EXPECT_TRUE(IsOf(a_.target->fd, "t/a"));
  EXPECT_EQ(a_.source.fd, AT_FDCWD);

  ASSERT_TRUE(ParkDirectory(SystemKernel(), &a_));
  PrepareWithShell(scratch_.path(), "mv t/a t/z; mkdir t/a");
  EXPECT_FALSE(ReopenDirectory(SystemKernel(), &a_, nullptr, &failure));
  EXPECT_TRUE(failure.on_target);
  EXPECT_EQ(failure.error_number, 0);
  EXPECT_EQ(a_.source.fd, AT_FDCWD);
}

TEST_F(DirectoryParkingTest, ATargetThatWasNeverOpenedStaysSo) {
  close(b_.target->fd);
  b_.target->fd = -1;
  ParkAll();
  EXPECT_EQ(Reopen(nullptr), "");
  EXPECT_TRUE(IsOf(b_.source.fd, "s/a/b"));
  EXPECT_EQ(b_.target->fd, -1);
}

TEST_F(DirectoryParkingTest, AnotherDirectoryInItsPlaceIsNotTaken) {
  ParkAll();
  PrepareWithShell(scratch_.path(), "mv t/a/b t/b; mkdir t/a/b");
  EXPECT_EQ(Reopen(nullptr), "target: 0");
}

TEST_F(DirectoryParkingTest, AnotherDirectoryOnTheWayIsNotTaken) {
  ParkAll();
  PrepareWithShell(scratch_.path(), "mv s/a s/x; mkdir s/a; mv s/x/b s/a/b");
  EXPECT_EQ(Reopen(nullptr), "source: 0");
}

TEST_F(DirectoryParkingTest, NoLinkIsFollowed) {
  ParkAll();
  PrepareWithShell(scratch_.path(), "mv t/a t/x; ln -s ../elsewhere t/a");
  EXPECT_EQ(Reopen(nullptr), "target: 0");
  PrepareWithShell(scratch_.path(), "rm t/a; ln -s x t/a");
  EXPECT_EQ(Reopen(nullptr), "target: 0");
}

TEST_F(DirectoryParkingTest, ALinkThatWasFollowedIsFollowedAgain) {
  PrepareWithShell(scratch_.path(), "mv s/a s/x; ln -s x s/a");
  a_.source.follow = true;
  ParkAll();
  EXPECT_EQ(Reopen(nullptr), "");
  ExpectOpen(b_, "s/x/b", "t/a/b");
}

TEST_F(DirectoryParkingTest, WhatIsGoneIsReported) {
  ParkAll();
  PrepareWithShell(scratch_.path(), "mv s/a/b s/b");
  EXPECT_EQ(Reopen(nullptr), "source: " + std::to_string(ENOENT));
}

}  // namespace
}  // namespace ringcp
