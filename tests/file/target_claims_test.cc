// Who may write to which target: the claims of copies on several threads, whatever names
// lead to one file.

#include "core/file/target_claims.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// Far longer than anything here takes.
constexpr absl::Duration kLimit = absl::Seconds(60);

constexpr FileSystemKind kKinds[] = {FileSystemKind::kOther, FileSystemKind::kLocal,
                                     FileSystemKind::kNfs, FileSystemKind::kOverlay};

using Claim = TargetClaims::Claim;
using Desk = TargetClaims::Desk;

// Counts how often it is woken.
class CountingKernel : public SyscallKernel {
 public:
  CountingKernel() : SyscallKernel(/*slots=*/0) {}
  void Wake() override {
    ++wakes;
    SyscallKernel::Wake();
  }
  std::atomic<int> wakes = 0;
};

// Waits until a claim is released, as a thread with a desk of its own.
void AwaitRelease(Desk* desk, absl::Duration limit) {
  desk->WakeOnRelease();
  AwaitWake(limit);
}

// Two desks, as of two workers, and a directory that both write to.
class TargetClaimsTest : public testing::Test {
 protected:
  TargetClaimsTest() {
    directory_ = open(scratch_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat stat = {};
    EXPECT_EQ(fstat(directory_, &stat), 0);
    device_ = stat.st_dev;
  }
  ~TargetClaimsTest() override { close(directory_); }

  // Announces that `name` is about to be made.
  void Announce(Desk* desk, const char* name, Claim* claim) {
    desk->AnnounceNew({.directory = directory_, .name = name, .device = device_}, claim);
  }

  // Claims what `name` leads to, as a copy does that has found it existing.
  bool Take(Desk* desk, const std::string& name, Claim* claim) {
    struct stat stat = {};
    EXPECT_EQ(fstatat(directory_, name.c_str(), &stat, 0), 0) << name;
    return desk->TryTake({.device = stat.st_dev,
                          .inode = stat.st_ino,
                          .file_system = FileSystemKind::kLocal},
                         At(name.c_str(), FileSystemKind::kLocal), false, claim);
  }

  // The place `name` in the directory of a kind of file system.
  TargetClaims::Place At(const char* name, FileSystemKind kind) const {
    return {.directory = directory_,
            .name = name,
            .device = device_,
            .file_system = kind,
            .directory_key = 1};
  }

  // Claims an inode of a kind of file system, under a name.
  bool TakeInode(Desk* desk, FileSystemKind kind, ino_t inode, uint64_t links,
                 const char* name, Claim* claim) {
    return desk->TryTake(
        {.device = device_, .inode = inode, .links = links, .file_system = kind},
        At(name, kind), false, claim);
  }

  // Whether what `name` leads to could be claimed at `desk`.
  bool IsFree(Desk* desk, const std::string& name) {
    Claim claim;
    const bool is_free = Take(desk, name, &claim);
    desk->Release(&claim);
    return is_free;
  }

  ScratchDirectory scratch_;
  int directory_ = -1;
  dev_t device_ = 0;
  TargetClaims claims_;
  Desk desk_{&claims_, SystemKernel()};
  CountingKernel other_kernel_;
  Desk other_desk_{&claims_, &other_kernel_};
};

TEST_F(TargetClaimsTest, OneThatExistsIsTakenOnceUntilItIsReleased) {
  scratch_.WriteFile("target", "old");
  for (Desk* const later : {&desk_, &other_desk_}) {
    Claim first;
    EXPECT_FALSE(first.held());
    ASSERT_TRUE(Take(&desk_, "target", &first));
    EXPECT_TRUE(first.held());
    Claim second;
    EXPECT_FALSE(Take(later, "target", &second));
    EXPECT_FALSE(second.held());
    desk_.Release(&first);
    EXPECT_FALSE(first.held());
    EXPECT_TRUE(Take(later, "target", &second));
    later->Release(&second);
  }
}

TEST_F(TargetClaimsTest, OtherFilesAreNotConcerned) {
  scratch_.WriteFile("target", "old");
  scratch_.WriteFile("another", "old");
  Claim claim;
  ASSERT_TRUE(Take(&desk_, "target", &claim));
  EXPECT_TRUE(IsFree(&desk_, "another"));
  EXPECT_TRUE(IsFree(&other_desk_, "another"));
  desk_.Release(&claim);
}

TEST_F(TargetClaimsTest, ANumberOnAnotherDeviceIsAnotherFile) {
  Claim first;
  ASSERT_TRUE(TakeInode(&desk_, FileSystemKind::kLocal, 4711, 1, "a", &first));
  Claim second;
  EXPECT_TRUE(other_desk_.TryTake({.device = device_ + 1, .inode = 4711},
                                  At("a", FileSystemKind::kLocal), false, &second));
  desk_.Release(&first);
  other_desk_.Release(&second);
}

TEST_F(TargetClaimsTest, ANewOneIsTakenFromWhenItIsMadeUntilItIsReleased) {
  for (Desk* const later : {&desk_, &other_desk_}) {
    Claim claim;
    Announce(&desk_, "target", &claim);
    EXPECT_TRUE(claim.held());
    scratch_.WriteFile("target", "new");
    EXPECT_FALSE(IsFree(later, "target"));
    desk_.Release(&claim);
    EXPECT_TRUE(IsFree(later, "target"));
  }
}

TEST_F(TargetClaimsTest, AnnouncingOneThatIsNotMadeConcernsNobody) {
  scratch_.WriteFile("target", "old");
  Claim claim;
  Announce(&desk_, "another", &claim);
  EXPECT_TRUE(IsFree(&other_desk_, "target"));
  desk_.Release(&claim);
}

// As when a file system takes their names for equal, or one directory was merged into
// another.
TEST_F(TargetClaimsTest, TwoNamesThatLeadToOneFileAreOneTarget) {
  Claim claim;
  Announce(&desk_, "target", &claim);
  scratch_.WriteFile("target", "new");
  ASSERT_EQ(link(scratch_.Path("target").c_str(), scratch_.Path("hard link").c_str()), 0);
  ASSERT_EQ(symlink("target", scratch_.Path("symlink").c_str()), 0);
  EXPECT_FALSE(IsFree(&other_desk_, "hard link"));
  EXPECT_FALSE(IsFree(&other_desk_, "symlink"));
  desk_.Release(&claim);

  ASSERT_TRUE(Take(&desk_, "symlink", &claim));
  EXPECT_FALSE(IsFree(&other_desk_, "target"));
  EXPECT_FALSE(IsFree(&other_desk_, "hard link"));
  desk_.Release(&claim);
}

TEST_F(TargetClaimsTest, OneThatExistsIsKnownUnderItsNextNameToo) {
  scratch_.WriteFile("target", "old");
  Claim claim;
  ASSERT_TRUE(Take(&desk_, "target", &claim));
  ASSERT_EQ(rename(scratch_.Path("target").c_str(), scratch_.Path("renamed").c_str()), 0);
  scratch_.WriteFile("target", "somebody else's");
  EXPECT_FALSE(IsFree(&other_desk_, "renamed"));
  EXPECT_TRUE(IsFree(&other_desk_, "target"));
  desk_.Release(&claim);
}

// A server that does not answer would keep those waiting who copy elsewhere.
TEST_F(TargetClaimsTest, ANewOneOnAnotherDeviceIsNotLookedAt) {
  struct stat stat = {};
  scratch_.WriteFile("target", "");
  ASSERT_EQ(fstatat(directory_, "target", &stat, 0), 0);
  for (const FileSystemKind kind : kKinds) {
    // A lie, to be seen when it is looked at: the file is on the device of the other.
    Claim made;
    desk_.AnnounceNew({.directory = directory_,
                       .name = "target",
                       .device = device_ + 1,
                       .file_system = kind},
                      &made);
    for (const FileSystemKind existing_kind : kKinds) {
      Claim claim;
      EXPECT_EQ(
          other_desk_.TryTake(
              {.device = stat.st_dev, .inode = stat.st_ino, .file_system = existing_kind},
              At("another", existing_kind), false, &claim),
          kind != FileSystemKind::kOverlay && existing_kind != FileSystemKind::kOverlay);
      other_desk_.Release(&claim);
    }
    desk_.Release(&made);
  }
}

// Their inodes' numbers may be made up by their file system.
TEST_F(TargetClaimsTest, TwoWithSeveralNamesAreOneWhereInodesAreNotKnownToBeTrue) {
  for (const FileSystemKind kind : kKinds) {
    Claim first;
    ASSERT_TRUE(TakeInode(&desk_, kind, 1, 2, "a", &first));
    Claim second;
    EXPECT_EQ(TakeInode(&other_desk_, kind, 2, 2, "b", &second),
              kind != FileSystemKind::kOther);
    other_desk_.Release(&second);
    EXPECT_TRUE(TakeInode(&other_desk_, kind, 2, 1, "b", &second));
    other_desk_.Release(&second);
    desk_.Release(&first);
  }
}

// ... one for each name: "F" may be "f".
TEST_F(TargetClaimsTest, TwoNamesThatDifferInCaseAreOneWhereInodesAreNotKnownToBeTrue) {
  for (const FileSystemKind kind : kKinds) {
    for (const bool is_new : {false, true}) {
      Claim first;
      if (is_new) {
        desk_.AnnounceNew(At("f", kind), &first);
      } else {
        ASSERT_TRUE(TakeInode(&desk_, kind, 1, 1, "f", &first));
      }
      Claim second;
      EXPECT_EQ(TakeInode(&other_desk_, kind, 2, 1, "F", &second),
                kind != FileSystemKind::kOther);
      other_desk_.Release(&second);
      EXPECT_TRUE(TakeInode(&other_desk_, kind, 2, 1, "g", &second));
      other_desk_.Release(&second);
      // One of that name elsewhere is another file.
      TargetClaims::Place elsewhere = At("F", kind);
      elsewhere.directory_key = 2;
      EXPECT_TRUE(
          other_desk_.TryTake({.device = device_, .inode = 2, .file_system = kind},
                              elsewhere, false, &second));
      other_desk_.Release(&second);
      desk_.Release(&first);
    }
  }
}

// On an overlay a file gets another inode by being opened.
TEST_F(TargetClaimsTest, OneThatIsYetToBeOpenedIsFoundByItsNameToo) {
  scratch_.WriteFile("target", "old");
  for (const bool announces : {false, true}) {
    Claim first;
    ASSERT_TRUE(desk_.TryTake(
        {.device = device_, .inode = 1, .file_system = FileSystemKind::kOverlay},
        At("target", FileSystemKind::kOverlay), announces, &first));
    // What it is by now.
    EXPECT_EQ(IsFree(&other_desk_, "target"), !announces);
    desk_.Release(&first);
    EXPECT_TRUE(IsFree(&other_desk_, "target"));
  }
}

TEST_F(TargetClaimsTest, OneThatIsNotHadIsNotAnnouncedEither) {
  scratch_.WriteFile("target", "old");
  Claim first;
  ASSERT_TRUE(Take(&desk_, "target", &first));
  struct stat stat = {};
  ASSERT_EQ(fstatat(directory_, "target", &stat, 0), 0);
  Claim second;
  EXPECT_FALSE(other_desk_.TryTake({.device = stat.st_dev,
                                    .inode = stat.st_ino,
                                    .file_system = FileSystemKind::kLocal},
                                   At("target", FileSystemKind::kLocal), true, &second));
  EXPECT_FALSE(second.held());
  desk_.Release(&first);
  EXPECT_TRUE(IsFree(&desk_, "target"));
}

// With several that wait for one, each would wake the others for ever.
TEST_F(TargetClaimsTest, AnAttemptThatFailsWakesNobody) {
  Claim made;
  Announce(&desk_, "target", &made);
  scratch_.WriteFile("target", "new");
  other_desk_.WakeOnRelease();
  Desk third(&claims_, SystemKernel());
  Claim failed;
  EXPECT_FALSE(Take(&third, "target", &failed));
  EXPECT_EQ(other_kernel_.wakes, 0);
  desk_.Release(&made);
  EXPECT_EQ(other_kernel_.wakes, 1);
}

TEST_F(TargetClaimsTest, OfManyNewOnesEachIsReleasedAlone) {
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  std::vector<Claim> claims(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    Announce(&desk_, names[i].c_str(), &claims[i]);
    scratch_.WriteFile(names[i], "new");
  }
  for (const size_t released : {1u, 3u, 0u, 2u}) {
    EXPECT_FALSE(IsFree(&other_desk_, names[released]));
    desk_.Release(&claims[released]);
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(IsFree(&other_desk_, names[i]), !claims[i].held()) << names[i];
    }
  }
}

TEST_F(TargetClaimsTest, WhatIsNotHeldMayBeReleased) {
  Claim claim;
  desk_.Release(&claim);
  EXPECT_FALSE(claim.held());
}

TEST_F(TargetClaimsTest, ADeskThatIsGoneIsAskedNoMore) {
  scratch_.WriteFile("target", "old");
  {
    Desk short_lived(&claims_, SystemKernel());
    Claim claim;
    Announce(&short_lived, "target", &claim);
    EXPECT_FALSE(IsFree(&desk_, "target"));
    short_lived.Release(&claim);
  }
  EXPECT_TRUE(IsFree(&desk_, "target"));
}

TEST_F(TargetClaimsTest, WaitingEndsWithItsTimeout) {
  const absl::Time start = absl::Now();
  AwaitRelease(&desk_, absl::Milliseconds(1));
  EXPECT_LT(absl::Now() - start, kLimit / 2);
}

// Each time the other thread takes the file, somebody waits for it.
TEST_F(TargetClaimsTest, WhoHasAskedForItIsWokenByTheNextRelease) {
  scratch_.WriteFile("target", "old");
  Desk own_desk(&claims_, SystemKernel());
  Claim claim;
  Claim own;
  ASSERT_TRUE(Take(&desk_, "target", &claim));
  EXPECT_FALSE(Take(&own_desk, "target", &own));
  own_desk.WakeOnRelease();
  desk_.Release(&claim);
  // That is kept until it waits.
  EXPECT_TRUE(AwaitWake(absl::Seconds(10)));
}

TEST_F(TargetClaimsTest, WhoWaitsIsWokenByARelease) {
  scratch_.WriteFile("target", "old");
  for (const bool is_new : {false, true}) {
    Claim claim;
    if (is_new) {
      Announce(&desk_, "target", &claim);
    } else {
      ASSERT_TRUE(Take(&desk_, "target", &claim));
    }
    std::atomic<bool> has_it = false;
    const absl::Time start = absl::Now();
    std::thread waiting([&] {
      Desk own_desk(&claims_, SystemKernel());
      Claim own;
      while (!Take(&own_desk, "target", &own)) AwaitRelease(&own_desk, kLimit);
      has_it = true;
      own_desk.Release(&own);
    });
    // It may have to be told more than once: whoever is about to wait is not waiting.
    EXPECT_FALSE(has_it);
    desk_.Release(&claim);
    while (!has_it) {
      Claim again;
      if (TakeInode(&desk_, FileSystemKind::kLocal, 0, 1, "again", &again)) {
        desk_.Release(&again);
      }
      std::this_thread::yield();
    }
    waiting.join();
    EXPECT_LT(absl::Now() - start, kLimit / 2);
  }
}

TEST_F(TargetClaimsTest, OfManyThreadsOneAtATimeHasTheTarget) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 500;
  scratch_.WriteFile("target", "old");
  std::atomic<int> inside = 0;
  std::atomic<int> collisions = 0;
  int times = 0;  // Changed only by who has the target.
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Desk desk(&claims_, SystemKernel());
      for (int left = kTimes; left > 0; --left) {
        Claim claim;
        while (!Take(&desk, "target", &claim)) AwaitRelease(&desk, absl::Milliseconds(1));
        if (++inside > 1) ++collisions;
        ++times;
        --inside;
        desk.Release(&claim);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(collisions, 0);
  EXPECT_EQ(times, kThreads * kTimes);
}

// Makers race with those who find what was made: never do two write to it at a time.
TEST_F(TargetClaimsTest, WhoMakesItAndWhoFindsItAreNeverInItTogether) {
  constexpr int kTimes = 500;
  std::atomic<int> inside = 0;
  std::atomic<int> collisions = 0;
  const auto copy = [&](const char* name) {
    Desk desk(&claims_, SystemKernel());
    for (int left = kTimes; left > 0; --left) {
      Claim claim;
      Announce(&desk, name, &claim);
      int fd = openat(directory_, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0) {
        desk.Release(&claim);
        fd = openat(directory_, name, O_WRONLY | O_CLOEXEC);
        if (fd < 0) continue;  // Gone again.
        struct stat stat = {};
        EXPECT_EQ(fstat(fd, &stat), 0);
        while (!desk.TryTake({.device = stat.st_dev,
                              .inode = stat.st_ino,
                              .file_system = FileSystemKind::kLocal},
                             At(name, FileSystemKind::kLocal), false, &claim)) {
          AwaitRelease(&desk, absl::Milliseconds(1));
        }
        // Another file may have its name by now; then it is nobody else's.
        struct stat named = {};
        const bool is_named =
            fstatat(directory_, name, &named, 0) == 0 && named.st_ino == stat.st_ino;
        if (!is_named) {
          close(fd);
          desk.Release(&claim);
          continue;
        }
      }
      if (++inside > 1) ++collisions;
      std::this_thread::yield();
      --inside;
      // Every other one is removed again, so that it is made anew.
      if (left % 2 == 0) unlinkat(directory_, name, 0);
      close(fd);
      desk.Release(&claim);
    }
  };
  std::thread first(copy, "target");
  std::thread second(copy, "target");
  first.join();
  second.join();
  EXPECT_EQ(collisions, 0);
}

}  // namespace
}  // namespace ringcp
