// Tests who may write to which target: the claims of copies on several threads, whatever
// names lead to one file.

#include "core/file/target_claims.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/file_system_kinds.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// Far longer than anything here takes.
constexpr absl::Duration kLimit = absl::Seconds(60);

// By kOther, kLocal and so on.
const FileSystemKind* const kKinds[] = {&OtherKind(), &LocalKind(), &NfsKind(),
                                        &OverlayKind()};
constexpr size_t kOther = 0;
constexpr size_t kLocal = 1;
constexpr size_t kOverlay = 3;

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

// Waits until a claim is released, as a thread with its own desk does.
void AwaitRelease(Desk* desk, absl::Duration limit) {
  desk->WakeOnRelease();
  AwaitWake(limit);
}

// Two desks, as of two workers, and a directory to which both write.
class TargetClaimsTest : public testing::Test {
 protected:
  TargetClaimsTest() {
    directory_ = open(scratch_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat stat = {};
    EXPECT_EQ(fstat(directory_, &stat), 0);
    device_ = stat.st_dev;
    for (const FileSystemKind* kind : kKinds) {
      here_.emplace_back(device_, *kind);
      elsewhere_.emplace_back(device_ + 1, *kind);
    }
  }
  ~TargetClaimsTest() override { close(directory_); }

  // Announces that `name` is about to be made.
  void Announce(Desk* desk, const char* name, Claim* claim) {
    desk->AnnounceNew(At(name, kLocal), claim);
  }

  // Claims what `name` leads to, as a copy does whose target exists.
  bool Take(Desk* desk, const std::string& name, Claim* claim) {
    struct stat stat = {};
    EXPECT_EQ(fstatat(directory_, name.c_str(), &stat, 0), 0) << name;
    return desk->TryTake(
        {.device = stat.st_dev, .inode = stat.st_ino, .file_system = &here_[kLocal]},
        At(name.c_str(), kLocal), false, claim);
  }

  // The place `name` in the directory of a kind of file system.
  TargetClaims::Place At(const char* name, size_t kind) const {
    return {.directory = directory_,
            .name = name,
            .file_system = &here_[kind],
            .directory_key = 1};
  }

  // Claims an inode of a kind of file system, under a name.
  bool TakeInode(Desk* desk, size_t kind, ino_t inode, uint64_t links, const char* name,
                 Claim* claim) {
    return desk->TryTake(
        {.device = device_, .inode = inode, .links = links, .file_system = &here_[kind]},
        At(name, kind), false, claim);
  }

  // Whether what `name` leads to can be claimed at `desk`.
  bool IsFree(Desk* desk, const std::string& name) {
    Claim claim;
    const bool is_free = Take(desk, name, &claim);
    desk->Release(&claim);
    return is_free;
  }

  ScratchDirectory scratch_;
  int directory_ = -1;
  dev_t device_ = 0;
  std::deque<FileSystem> here_;  // By kind.
  std::deque<FileSystem> elsewhere_;
  TargetClaims claims_;
  Desk desk_{&claims_, SystemKernel()};
  CountingKernel other_kernel_;
  Desk other_desk_{&claims_, &other_kernel_};
};

TEST_F(TargetClaimsTest, AnExistingTargetIsTakenOnlyOnceUntilItIsReleased) {
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

TEST_F(TargetClaimsTest, AnInodeNumberOnAnotherDeviceIsAnotherFile) {
  Claim first;
  ASSERT_TRUE(TakeInode(&desk_, kLocal, 4711, 1, "a", &first));
  Claim second;
  EXPECT_TRUE(other_desk_.TryTake(
      {.device = device_ + 1, .inode = 4711, .file_system = &elsewhere_[kLocal]},
      At("a", kLocal), false, &second));
  desk_.Release(&first);
  other_desk_.Release(&second);
}

TEST_F(TargetClaimsTest, ANewTargetIsTakenFromWhenItIsMadeUntilItIsReleased) {
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

TEST_F(TargetClaimsTest, AnnouncingATargetThatIsNotMadeConcernsNobody) {
  scratch_.WriteFile("target", "old");
  Claim claim;
  Announce(&desk_, "another", &claim);
  EXPECT_TRUE(IsFree(&other_desk_, "target"));
  desk_.Release(&claim);
}

// As when a file system takes them for one name, or one directory was merged into
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

TEST_F(TargetClaimsTest, AnExistingTargetIsKnownUnderItsNewNameToo) {
  scratch_.WriteFile("target", "old");
  Claim claim;
  ASSERT_TRUE(Take(&desk_, "target", &claim));
  ASSERT_EQ(rename(scratch_.Path("target").c_str(), scratch_.Path("renamed").c_str()), 0);
  scratch_.WriteFile("target", "somebody else's");
  EXPECT_FALSE(IsFree(&other_desk_, "renamed"));
  EXPECT_TRUE(IsFree(&other_desk_, "target"));
  desk_.Release(&claim);
}

// A server that does not answer would otherwise hold up copies to other places.
TEST_F(TargetClaimsTest, ANewTargetOnAnotherDeviceIsNotLookedAt) {
  struct stat stat = {};
  scratch_.WriteFile("target", "");
  ASSERT_EQ(fstatat(directory_, "target", &stat, 0), 0);
  for (size_t kind = 0; kind < std::size(kKinds); ++kind) {
    // A lie, to be seen when it is looked at: the file is on the device of the other.
    Claim made;
    desk_.AnnounceNew(
        {.directory = directory_, .name = "target", .file_system = &elsewhere_[kind]},
        &made);
    for (size_t existing_kind = 0; existing_kind < std::size(kKinds); ++existing_kind) {
      Claim claim;
      EXPECT_EQ(other_desk_.TryTake({.device = stat.st_dev,
                                     .inode = stat.st_ino,
                                     .file_system = &here_[existing_kind]},
                                    At("another", existing_kind), false, &claim),
                kind != kOverlay && existing_kind != kOverlay);
      other_desk_.Release(&claim);
    }
    desk_.Release(&made);
  }
}

TEST_F(TargetClaimsTest, ANewOneWhoseDeviceIsNotRememberedIsLookedAt) {
  scratch_.WriteFile("target", "");
  const FileSystem further(FileSystem::kNoDevice, LocalKind());
  Claim made;
  desk_.AnnounceNew({.directory = directory_, .name = "target", .file_system = &further},
                    &made);
  EXPECT_FALSE(IsFree(&other_desk_, "target"));
  desk_.Release(&made);
  EXPECT_TRUE(IsFree(&other_desk_, "target"));
}

// Their inodes' numbers may be made up by their file system.
TEST_F(TargetClaimsTest, TwoWithSeveralNamesAreOneWhereInodesAreNotKnownToBeTrue) {
  for (size_t kind = 0; kind < std::size(kKinds); ++kind) {
    Claim first;
    ASSERT_TRUE(TakeInode(&desk_, kind, 1, 2, "a", &first));
    Claim second;
    EXPECT_EQ(TakeInode(&other_desk_, kind, 2, 2, "b", &second), kind != kOther);
    other_desk_.Release(&second);
    EXPECT_TRUE(TakeInode(&other_desk_, kind, 2, 1, "b", &second));
    other_desk_.Release(&second);
    desk_.Release(&first);
  }
}

// ... one for each name: "F" may be "f".
TEST_F(TargetClaimsTest, TwoNamesThatDifferInCaseAreOneWhereInodesAreNotKnownToBeTrue) {
  for (size_t kind = 0; kind < std::size(kKinds); ++kind) {
    for (const bool is_new : {false, true}) {
      Claim first;
      if (is_new) {
        desk_.AnnounceNew(At("f", kind), &first);
      } else {
        ASSERT_TRUE(TakeInode(&desk_, kind, 1, 1, "f", &first));
      }
      Claim second;
      EXPECT_EQ(TakeInode(&other_desk_, kind, 2, 1, "F", &second), kind != kOther);
      other_desk_.Release(&second);
      EXPECT_TRUE(TakeInode(&other_desk_, kind, 2, 1, "g", &second));
      other_desk_.Release(&second);
      // A file of that name in another directory is another file.
      TargetClaims::Place elsewhere = At("F", kind);
      elsewhere.directory_key = 2;
      EXPECT_TRUE(other_desk_.TryTake(
          {.device = device_, .inode = 2, .file_system = &here_[kind]}, elsewhere, false,
          &second));
      other_desk_.Release(&second);
      desk_.Release(&first);
    }
  }
}

// On an overlay, opening a file for writing may change its inode.
TEST_F(TargetClaimsTest, ATargetThatIsNotOpenYetIsFoundByItsNameToo) {
  scratch_.WriteFile("target", "old");
  for (const bool announces : {false, true}) {
    Claim first;
    ASSERT_TRUE(
        desk_.TryTake({.device = device_, .inode = 1, .file_system = &here_[kOverlay]},
                      At("target", kOverlay), announces, &first));
    // What it is by now.
    EXPECT_EQ(IsFree(&other_desk_, "target"), !announces);
    desk_.Release(&first);
    EXPECT_TRUE(IsFree(&other_desk_, "target"));
  }
}

TEST_F(TargetClaimsTest, ATargetThatCanNotBeClaimedIsNotAnnouncedEither) {
  scratch_.WriteFile("target", "old");
  Claim first;
  ASSERT_TRUE(Take(&desk_, "target", &first));
  struct stat stat = {};
  ASSERT_EQ(fstatat(directory_, "target", &stat, 0), 0);
  Claim second;
  EXPECT_FALSE(other_desk_.TryTake(
      {.device = stat.st_dev, .inode = stat.st_ino, .file_system = &here_[kLocal]},
      At("target", kLocal), true, &second));
  EXPECT_FALSE(second.held());
  desk_.Release(&first);
  EXPECT_TRUE(IsFree(&desk_, "target"));
}

// Several that wait for one claim would otherwise wake each other for ever.
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

TEST_F(TargetClaimsTest, EachOfManyNewTargetsIsReleasedAlone) {
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

TEST(TargetClaimsDeathTest, ToLeaveAnExistingTargetClaimedIsABug) {
  const FileSystem local(/*device=*/0, LocalKind());
  const auto claim = [&local](bool gives_back) {
    TargetClaims claims;
    Desk desk(&claims, SystemKernel());
    Claim claim;
    EXPECT_TRUE(desk.TryTake({.inode = 1, .file_system = &local}, {.name = "target"},
                             /*announces=*/false, &claim));
    if (gives_back) desk.Release(&claim);
  };
  claim(/*gives_back=*/true);
  EXPECT_DEATH(claim(/*gives_back=*/false), "bug in ringcp");
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

TEST_F(TargetClaimsTest, AWaitingThreadIsWokenByARelease) {
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
    // One release may not suffice: a thread that is not waiting yet is not woken.
    EXPECT_FALSE(has_it);
    desk_.Release(&claim);
    while (!has_it) {
      Claim again;
      if (TakeInode(&desk_, kLocal, 0, 1, "again", &again)) {
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
  int times = 0;  // Changed only by the thread that has the target.
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

// One thread makes the file while the other finds what was made. They must never write to
// it at the same time.
TEST_F(TargetClaimsTest, ItsMakerAndItsFinderNeverWriteToItTogether) {
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
        if (fd < 0) continue;  // It is gone again.
        struct stat stat = {};
        EXPECT_EQ(fstat(fd, &stat), 0);
        while (!desk.TryTake(
            {.device = stat.st_dev, .inode = stat.st_ino, .file_system = &here_[kLocal]},
            At(name, kLocal), false, &claim)) {
          AwaitRelease(&desk, absl::Milliseconds(1));
        }
        // If another file has the name by now, this one belongs to nobody any more.
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
      // Removes every second one, so that it is made anew.
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
