// Tests copies that leave nothing in the page cache, or bypass it: the state machine with
// made-up results. copy_script.h explains the notation.

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/file/file_copy.h"
#include "core/file/next_chains.h"
#include "core/kernel/file_system_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

using testing::HasSubstr;

constexpr int kCancelled = -ECANCELED;
constexpr uint64_t kBlock = CopyScript::kBlock;

FileCopyPolicy Policy(PageCache page_cache) {
  FileCopyPolicy policy;
  policy.page_cache = page_cache;
  return policy;
}

// A copy of `size` bytes that has opened its source and looks at it next.
struct Opened {
  explicit Opened(PageCache page_cache, uint64_t size = 100)
      : copy({.policy = Policy(page_cache), .size = size}) {
    next = copy.OpenSource();
  }
  CopyScript copy;
  std::string next;
};

// A copy whose uncached read was refused. The file has been copied, and must be dropped
// from the page cache next.
struct ReadRefused : Opened {
  ReadRefused() : Opened(PageCache::kDrop) {
    EXPECT_EQ(copy.Settle({0, -EOPNOTSUPP}), "open T new 644>fd");
    EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - uncached write fd8 100@0");
    EXPECT_EQ(copy.Settle({100, 100}), "at once read fd7 4096@100");
    next = copy.Settle({0});
  }
};

// Removes a half-written target, where `next` is what comes next. Returns the outcome.
std::string Remove(CopyScript* copy, const std::string& next) {
  EXPECT_EQ(next, "fstat fd8 = lstat T");
  EXPECT_EQ(copy->Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy->Settle({0}), "close fd8 = close fd7");
  std::string outcome = copy->Settle({0, 0});
  EXPECT_TRUE(copy->all_blocks_back());
  return outcome;
}

TEST(FileCopyPageCacheTest, ASmallFileIsReadAndWrittenUncached) {
  for (const PageCache page_cache : {PageCache::kDrop, PageCache::kBypass}) {
    Opened opened(page_cache);
    EXPECT_EQ(opened.next, "fstat fd7 - no pipe fd7 - uncached read fd7 4096@0");
    EXPECT_EQ(opened.copy.Settle({0, 100}),
              "open T new 644>s0 - uncached write s0 100@0 - close s0 = close fd7");
    EXPECT_EQ(opened.copy.Settle({0, 100, 0, 0}), "copied");
    EXPECT_FALSE(opened.copy.file_system()->refuses_uncached_reads());
    EXPECT_FALSE(opened.copy.file_system()->refuses_uncached_writes());
  }
}

TEST(FileCopyPageCacheTest, WhereReadsAreRefusedTheFilesAreDroppedInTheEnd) {
  ReadRefused refused;
  CopyScript& copy = refused.copy;
  EXPECT_EQ(refused.next, "drop fd7 = write back fd8 = drop fd8");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(copy.file_system()->refuses_uncached_reads());
  EXPECT_FALSE(copy.file_system()->refuses_uncached_writes());
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyPageCacheTest, WhereWritesAreRefusedTheFilesAreDroppedInTheEnd) {
  Opened opened(PageCache::kDrop);
  CopyScript& copy = opened.copy;
  copy.Settle({0, 100});
  EXPECT_EQ(copy.Settle({0, -EOPNOTSUPP, kCancelled, kCancelled}),
            "install s0 = close s0");
  EXPECT_EQ(copy.Settle({8, 0}), "write fd8 100@0");
  EXPECT_EQ(copy.Settle({100}), "drop fd7 = write back fd8 = drop fd8");
  EXPECT_TRUE(copy.file_system()->refuses_uncached_writes());
}

// Both had queued such a read before the first learned of the refusal.
TEST(FileCopyPageCacheTest, TwoCopiesMayBeRefusedTheSame) {
  Opened first(PageCache::kDrop);
  CopyScript second({.policy = Policy(PageCache::kDrop),
                     .source_file_system = first.copy.file_system(),
                     .target_file_system = first.copy.file_system()});
  first.copy.Settle({0, 100});
  second.LookAtSource();
  for (CopyScript* copy : {&first.copy, &second}) {
    EXPECT_EQ(copy->Settle({0, -EOPNOTSUPP, kCancelled, kCancelled}),
              "install s0 = close s0");
    EXPECT_EQ(copy->Settle({8, 0}), "write fd8 100@0");
  }
}

TEST(FileCopyPageCacheTest, OnceRefusedItIsNotTriedAgain) {
  CopyScript copy({.policy = Policy(PageCache::kDrop)});
  copy.file_system()->NoteUncachedReadsRefused();
  copy.file_system()->NoteUncachedWritesRefused();
  EXPECT_EQ(copy.OpenSource(), "at once fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
}

TEST(FileCopyPageCacheTest, AnErrorThatHasNothingToDoWithTheFlagsIsFinal) {
  CopyScript copy({.policy = Policy(PageCache::kDrop)});
  copy.file_system()->NoteUncachedReadsRefused();
  copy.OpenBoth();
  EXPECT_EQ(Remove(&copy, copy.Settle({-EOPNOTSUPP, kCancelled})),
            "failed: read S EOPNOTSUPP");
}

TEST(FileCopyPageCacheTest, WhatCouldNotBeWrittenBackFails) {
  for (const int error : {EIO, ENOSPC, ENODATA, ESTALE}) {
    ReadRefused refused;
    EXPECT_EQ(Remove(&refused.copy, refused.copy.Settle({0, -error, 0})),
              "failed: write T " + ErrnoName(error));
  }
}

TEST(FileCopyPageCacheTest, WhereNothingCanBeDroppedTheFileIsStillCopied) {
  ReadRefused refused;
  EXPECT_EQ(refused.copy.Settle({-EINVAL, -ESPIPE, -EINVAL}), "close fd8 = close fd7");
  EXPECT_EQ(refused.copy.Settle({0, 0}), "copied");
}

TEST(FileCopyPageCacheTest, AStoppedCopyDoesNotWaitForTheDevice) {
  Opened opened(PageCache::kDrop);
  CopyScript& copy = opened.copy;
  copy.Settle({0, 100});
  copy.Settle({0, -EOPNOTSUPP, kCancelled, kCancelled});
  copy.Settle({8, 0});
  copy.Stop();
  EXPECT_EQ(copy.Settle({100}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyPageCacheTest, WhatWasReadBeforeReadsWereRefusedToOthersIsReadAgain) {
  Opened opened(PageCache::kDrop);
  opened.copy.file_system()->NoteUncachedReadsRefused();
  EXPECT_EQ(opened.copy.Settle({0, 100}), "open T new 644>fd");
  EXPECT_EQ(opened.copy.Settle({8}), "read fd7 100@0 - uncached write fd8 100@0");
}

TEST(FileCopyPageCacheTest, WhatOneFileSystemRefusesIsNotDroppedOnOthers) {
  FileSystem other(/*device=*/0, LocalKind());
  CopyScript copy({.policy = Policy(PageCache::kDrop),
                   .source_file_system = &other,
                   .target_file_system = &other});
  FileSystem* const refusing = copy.file_systems()->FindByDevice(4711);
  refusing->NoteUncachedReadsRefused();
  refusing->NoteUncachedWritesRefused();
  EXPECT_EQ(copy.OpenSource(), "fstat fd7 - no pipe fd7 - uncached read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0, 100}),
            "open T new 644>s0 - uncached write s0 100@0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
}

// Reads and writes are told apart, and so are the two file systems.
TEST(FileCopyPageCacheTest, WhatReadsOnItRefusedIsWrittenUncachedAllTheSame) {
  FileSystem refusing(/*device=*/0, LocalKind());
  refusing.NoteUncachedReadsRefused();
  FileSystem other(/*device=*/0, LocalKind());
  CopyScript to({.policy = Policy(PageCache::kDrop),
                 .source_file_system = &other,
                 .target_file_system = &refusing});
  to.LookAtSource();
  EXPECT_EQ(to.Settle({0, 100, 0, 0}), "copied");
  CopyScript from({.policy = Policy(PageCache::kDrop),
                   .source_file_system = &refusing,
                   .target_file_system = &other});
  EXPECT_EQ(from.OpenBoth(), "read fd7 100@0 - uncached write fd8 100@0");
  EXPECT_EQ(from.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(from.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
}

// What it is on is known only once it is open.
TEST(FileCopyPageCacheTest, ANamedSourceIsReadFirstUnlessSomeFileSystemHasRefused) {
  CopyScript copy({.policy = Policy(PageCache::kDrop), .is_named_source = true});
  EXPECT_EQ(copy.OpenSource(), "fstat fd7 - no pipe fd7 - uncached read fd7 4096@0");
  CopyScript after({.policy = Policy(PageCache::kDrop), .is_named_source = true});
  after.file_systems()->FindByDevice(4711)->NoteUncachedReadsRefused();
  EXPECT_EQ(after.OpenSource(), "at once fstat fd7");
  EXPECT_EQ(after.Settle({0}), "uncached read fd7 4096@0");
}

TEST(FileCopyPageCacheTest, WhatIsNotRememberedIsTriedForEachFileAndNotForEver) {
  FileSystem further(FileSystem::kNoDevice, LocalKind());
  for (int file = 0; file < 2; ++file) {
    CopyScript copy({.policy = Policy(PageCache::kDrop),
                     .size = kBlock + 1,
                     .source_file_system = &further,
                     .target_file_system = &further});
    EXPECT_EQ(copy.OpenBoth(),
              "0: uncached read fd7 4096@0 - uncached write fd8 4096@0 | "
              "1: uncached read fd7 1@4096 - uncached write fd8 1@4096");
    EXPECT_EQ(copy.Settle(0, {-EOPNOTSUPP, kCancelled}),
              "read fd7 4096@0 - uncached write fd8 4096@0");
    EXPECT_EQ(copy.Settle(0, {kBlock, -EOPNOTSUPP}), "write fd8 4096@0");
    EXPECT_EQ(copy.Settle(0, {kBlock}), "");
    EXPECT_EQ(copy.Settle(1, {-EOPNOTSUPP, kCancelled}),
              "1: read fd7 1@4096 - write fd8 1@4096");
    EXPECT_EQ(copy.Settle(1, {1, 1}), "at once read fd7 4096@4097");
    EXPECT_EQ(copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
  }
}

// --- O_DIRECT ---

// What a file's direct reads or writes have to be aligned to.
void TellAlignment(uint32_t bytes, struct statx* stat) {
  stat->stx_mask |= STATX_DIOALIGN;
  stat->stx_dio_offset_align = bytes;
}

// A large file that is to be copied with O_DIRECT; both files are open. `alignment`: what
// the source asks for, if it tells.
struct Direct {
  explicit Direct(uint64_t size = 2 * kBlock + 100, bool exists = false,
                  uint32_t alignment = 0)
      : copy({.policy = Policy(PageCache::kBypass), .size = size}) {
    if (alignment != 0) TellAlignment(alignment, &copy.source_stat);
    copy.LookAtSource();
    if (exists) {
      copy.Settle({-EEXIST});
      copy.Settle({0, 0});
      copy.Settle({8});
      copy.Settle({0});
      next = copy.Settle({0});
    } else {
      next = copy.Settle({8});
    }
  }
  CopyScript copy;
  std::string next;
};

constexpr char kTwoBlocks[] =
    "0: uncached read fd7 4096@0 - uncached write fd8 4096@0 | "
    "1: uncached read fd7 4096@4096 - uncached write fd8 4096@4096";

// A copy that has written its two whole blocks.
struct DirectWritten : Direct {
  explicit DirectWritten(uint64_t size = 2 * kBlock + 100) : Direct(size) {
    copy.Settle({0});
    copy.Settle({0});
    copy.Settle(0, {kBlock, kBlock});
    next = copy.Settle(1, {kBlock, kBlock});
  }
};

TEST(FileCopyPageCacheTest, OnlyTheLastBytesOfALargeFileAreCopiedWithoutODirect) {
  Direct direct;
  CopyScript& copy = direct.copy;
  EXPECT_EQ(direct.next, "direct on fd7 fd8 - fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "preallocate fd8 8292");
  EXPECT_EQ(copy.Settle({0}), kTwoBlocks);
  EXPECT_EQ(copy.Settle(0, {kBlock, kBlock}), "");
  EXPECT_EQ(copy.Settle(1, {kBlock, kBlock}), "direct off fd7 fd8");
  EXPECT_EQ(copy.Settle({0}), "at once uncached read fd7 4096@8192");
  EXPECT_EQ(copy.Settle({100}), "uncached write fd8 100@8192");
  EXPECT_EQ(copy.Settle({100}), "at once uncached read fd7 4096@8292");
  EXPECT_EQ(copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().files_direct.value(), 1);
  EXPECT_EQ(copy.counters().bytes_done.value(), 2 * kBlock + 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyPageCacheTest, WhatIsCopiedWithODirectIsAlignedAsBothFilesAsk) {
  for (const bool source_asks : {false, true}) {
    Direct direct(5 * kBlock, /*exists=*/false, source_asks ? 4 * kBlock : 512);
    CopyScript& copy = direct.copy;
    TellAlignment(source_asks ? 512 : 4 * kBlock, &copy.target_fd_stat);
    copy.Settle({0});
    copy.Settle({0});
    for (int lane = 0; lane < 3; ++lane) copy.Settle(lane, {kBlock, kBlock});
    EXPECT_EQ(copy.Settle(3, {kBlock, kBlock}), "direct off fd7 fd8");
    EXPECT_EQ(copy.Settle({0}), "at once uncached read fd7 4096@16384");
    EXPECT_EQ(copy.counters().files_direct.value(), 1);
  }
}

// A direct write that extends the target waits for all others, so the target gets nearly
// its full size first. It must not get all of it: if the copy is killed, the target must
// not look complete.
TEST(FileCopyPageCacheTest, ATargetOfManyBlocksIsExtendedBeforehandExceptForTheLast) {
  for (const int32_t lengthened : {0, -EPERM}) {
    constexpr int kBlocks = 10;
    Direct direct(kBlocks * kBlock + 100);
    CopyScript& copy = direct.copy;
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({0}), "at once set size fd8 36864");
    copy.Settle({lengthened});
    // If that is refused, the last block need not wait.
    const int first = lengthened == 0 ? kBlocks - 1 : kBlocks;
    for (int block = 0; block + kLanesMax < first; ++block) {
      EXPECT_THAT(copy.Settle(block, {kBlock, kBlock}),
                  HasSubstr(absl::StrCat("4096@", (block + kLanesMax) * kBlock)));
    }
    std::string next;
    for (int lane = 0; lane < kLanesMax; ++lane) {
      EXPECT_EQ(next, "");
      next = copy.Settle((lane + first) % kLanesMax, {kBlock, kBlock});
    }
    if (lengthened == 0) {
      EXPECT_EQ(next, "uncached read fd7 4096@36864 - uncached write fd8 4096@36864");
      next = copy.Settle({kBlock, kBlock});
    }
    EXPECT_EQ(next, "direct off fd7 fd8");
    EXPECT_EQ(copy.Settle({0}), "at once uncached read fd7 4096@40960");
    EXPECT_EQ(copy.counters().files_direct.value(), 1);
    EXPECT_EQ(copy.counters().bytes_done.value(), kBlocks * kBlock);
  }
}

TEST(FileCopyPageCacheTest, AFileOfWholePagesLeavesNothingForTheEnd) {
  DirectWritten written(2 * kBlock);
  EXPECT_EQ(written.next, "direct off fd7 fd8");
  EXPECT_EQ(written.copy.Settle({0}), "at once uncached read fd7 4096@8192");
  EXPECT_EQ(written.copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
}

constexpr char kAllBlocks[] =
    "0: uncached read fd7 4096@0 - uncached write fd8 4096@0 | "
    "1: uncached read fd7 4096@4096 - uncached write fd8 4096@4096 | "
    "2: uncached read fd7 100@8192 - uncached write fd8 100@8192";
constexpr char kAskSource[] = "direct on fd7 = direct off fd7";

TEST(FileCopyPageCacheTest, WhereThereIsNoODirectItIsCopiedUncached) {
  Direct direct;
  EXPECT_EQ(direct.copy.Settle({-EINVAL}), kAskSource);
  EXPECT_EQ(direct.copy.Settle({-EINVAL, 0}), kAllBlocks);
}

// A copy between the two up to when it would turn O_DIRECT on: what comes next.
std::string OpenBothOn(FileSystem* source, FileSystem* target) {
  CopyScript copy({.policy = Policy(PageCache::kBypass),
                   .size = 2 * kBlock + 100,
                   .source_file_system = source,
                   .target_file_system = target});
  return copy.OpenBoth();
}

TEST(FileCopyPageCacheTest, TheFileSystemThatRefusesODirectIsNotTriedAgain) {
  for (const bool source_refuses : {true, false}) {
    FileSystem source(/*device=*/0, LocalKind());
    FileSystem target(/*device=*/0, LocalKind());
    CopyScript copy({.policy = Policy(PageCache::kBypass),
                     .size = 2 * kBlock + 100,
                     .source_file_system = &source,
                     .target_file_system = &target});
    EXPECT_EQ(copy.OpenBoth(), "direct on fd7 fd8 - fstat fd8");
    EXPECT_EQ(copy.Settle({-EINVAL}), kAskSource);
    EXPECT_EQ(copy.Settle({source_refuses ? -EINVAL : 0, 0}), kAllBlocks);
    EXPECT_EQ(source.refuses_direct(), source_refuses);
    EXPECT_EQ(target.refuses_direct(), !source_refuses);
    EXPECT_EQ(OpenBothOn(&source, &target), kAllBlocks);
    FileSystem& refusing = source_refuses ? source : target;
    FileSystem& other = source_refuses ? target : source;
    EXPECT_EQ(OpenBothOn(&refusing, &other), kAllBlocks);
    EXPECT_EQ(OpenBothOn(&other, &refusing), kAllBlocks);
    EXPECT_EQ(OpenBothOn(&other, &other), "direct on fd7 fd8 - fstat fd8");
  }
}

TEST(FileCopyPageCacheTest, OfWhatIsNotRememberedEachFileIsTriedWithODirect) {
  FileSystem further(FileSystem::kNoDevice, LocalKind());
  further.NoteDirectRefused();
  EXPECT_EQ(OpenBothOn(&further, &further), "direct on fd7 fd8 - fstat fd8");
}

// That is no word about other files.
TEST(FileCopyPageCacheTest, WithoutMemoryODirectIsTriedForTheNextFile) {
  Direct direct;
  EXPECT_EQ(direct.copy.Settle({-ENOMEM}), kAllBlocks);
  EXPECT_FALSE(direct.copy.file_system()->refuses_direct());
  Direct asked;
  asked.copy.Settle({-EINVAL});
  EXPECT_EQ(asked.copy.Settle({-ENOMEM, 0}), kAllBlocks);
  EXPECT_FALSE(asked.copy.file_system()->refuses_direct());
}

// Its last bytes could not be read.
TEST(FileCopyPageCacheTest, ASourceThatKeepsODirectFails) {
  Direct direct;
  direct.copy.Settle({-EINVAL});
  EXPECT_EQ(Remove(&direct.copy, direct.copy.Settle({0, -EIO})), "failed: read S EIO");
}

TEST(FileCopyPageCacheTest, WithoutRoomItFailsBeforeAnythingIsWritten) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  EXPECT_EQ(Remove(&copy, copy.Settle({-ENOSPC})), "failed: write T ENOSPC");
}

TEST(FileCopyPageCacheTest, WhereSpaceCantBePreallocatedTheFileIsStillCopied) {
  Direct direct;
  direct.copy.Settle({0});
  EXPECT_EQ(direct.copy.Settle({-EOPNOTSUPP}), kTwoBlocks);
}

TEST(FileCopyPageCacheTest, ATargetThatStaysIsNotLeftAtItsFullSize) {
  Direct direct(2 * kBlock, /*exists=*/true);
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(copy.Settle(1, {kBlock, -ENOSPC}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: write T ENOSPC");
}

TEST(FileCopyPageCacheTest, AfterAFailedPreallocationATargetThatStaysIsEmptied) {
  Direct direct(2 * kBlock, /*exists=*/true);
  CopyScript& copy = direct.copy;
  EXPECT_EQ(copy.Settle({0}), "preallocate fd8 8192");
  EXPECT_EQ(copy.Settle({-ENOSPC}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: write T ENOSPC");
}

TEST(FileCopyPageCacheTest, AnInterruptedPreallocationIsTriedAgain) {
  Direct direct;
  direct.copy.Settle({0});
  EXPECT_EQ(direct.copy.Settle({-EINTR}), "preallocate fd8 8292");
}

// The device may have larger units, or the file may have lost an odd number of bytes.
TEST(FileCopyPageCacheTest, ACopyThatODirectRefusesLaterIsBegunAnewWithoutIt) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(copy.Settle(1, {kBlock, -EINVAL}), "direct off fd7 fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.counters().bytes_done.value(), 0);
  EXPECT_EQ(copy.Settle({0}),
            std::string(kTwoBlocks) +
                " | 2: uncached read fd7 100@8192 - uncached write fd8 100@8192");
  EXPECT_EQ(copy.counters().files_direct.value(), 0);
}

TEST(FileCopyPageCacheTest, ASourceThatShrankByPagesIsBegunAnew) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(copy.Settle(1, {0, kCancelled}), "direct off fd7 fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
}

// Space was preallocated for the size that it had.
TEST(FileCopyPageCacheTest, ASourceThatLostItsLastBytesGivesATargetOfItsSize) {
  for (const int32_t left : {0, 60}) {
    DirectWritten written;
    CopyScript& copy = written.copy;
    EXPECT_EQ(copy.Settle({0}), "at once uncached read fd7 4096@8192");
    if (left > 0) {
      EXPECT_EQ(copy.Settle({left}), "uncached write fd8 60@8192");
      EXPECT_EQ(copy.Settle({left}), "at once uncached read fd7 4096@8252");
    }
    EXPECT_EQ(copy.Settle({0}),
              left > 0 ? "at once set size fd8 8252" : "at once set size fd8 8192");
    EXPECT_EQ(copy.Settle({0}), left > 0 ? "at once uncached read fd7 4096@8252"
                                         : "at once uncached read fd7 4096@8192");
    EXPECT_EQ(copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
    EXPECT_EQ(copy.Settle({0, 0, 0}), "close fd8 = close fd7");
    EXPECT_EQ(copy.Settle({0, 0}), "copied");
  }
}

TEST(FileCopyPageCacheTest, ASourceThatGrewIsCopiedToItsRealEnd) {
  DirectWritten written;
  CopyScript& copy = written.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({200}), "uncached write fd8 200@8192");
  EXPECT_EQ(copy.Settle({200}), "at once uncached read fd7 4096@8392");
  EXPECT_EQ(copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
}

TEST(FileCopyPageCacheTest, AFailedDirectWriteFails) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(Remove(&copy, copy.Settle(1, {kBlock, -ENOSPC})), "failed: write T ENOSPC");
}

TEST(FileCopyPageCacheTest, StoppedInTheMiddleItRemovesTheTarget) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Stop();
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(Remove(&copy, copy.Settle(1, {kBlock, kBlock})), "cancelled");
}

TEST(FileCopyPageCacheTest, StoppedWithAFailedDirectWriteItHasFailed) {
  Direct direct;
  CopyScript& copy = direct.copy;
  copy.Settle({0});
  copy.Settle({0});
  copy.Stop();
  copy.Settle(0, {kBlock, kBlock});
  EXPECT_EQ(Remove(&copy, copy.Settle(1, {kBlock, -EIO})), "failed: write T EIO");
}

// --- Polling ---

// The refusal to poll that the copy reports, if there is only one.
PollRefusal PollRefusalOf(const CopyScript& copy) {
  const std::array<PollRefusal, 2> refusals = copy.copy().poll_refusals();
  return refusals[0].error_number != 0 ? refusals[0] : refusals[1];
}

// A polled copy of two whole blocks and 100 bytes, with space preallocated.
struct Polled {
  // The device takes up to `length_max` bytes at a time.
  explicit Polled(uint64_t size = 2 * kBlock + 100, uint32_t length_max = 1 << 20,
                  FileSystem* source = nullptr, FileSystem* target = nullptr)
      : file_systems([length_max](dev_t) { return length_max; }),
        copy(MakeSetup(size, source, target)) {
    copy.OpenBoth();
    copy.Settle({0});
    next = copy.Settle({0});
  }
  CopyScript::Setup MakeSetup(uint64_t size, FileSystem* source, FileSystem* target) {
    CopyScript::Setup setup = {.policy = Policy(PageCache::kBypass),
                               .size = size,
                               .source_file_system = source,
                               .target_file_system = target};
    setup.policy.file_systems = &file_systems;
    setup.policy.polls = true;
    return setup;
  }
  FileSystemTable file_systems;
  CopyScript copy;
  std::string next;
};

constexpr char kUnpolled[] = "uncached read fd7 4096@0 - uncached write fd8 4096@0";

TEST(FileCopyPageCacheTest, WithODirectEachReadAndWriteIsPolledAlone) {
  Polled polled;
  CopyScript& copy = polled.copy;
  EXPECT_EQ(polled.next, "0: polled read fd7 4096@0 | 1: polled read fd7 4096@4096");
  EXPECT_EQ(copy.Settle(1, {kBlock}), "1: polled write fd8 4096@4096");
  EXPECT_EQ(copy.Settle(0, {kBlock}), "polled write fd8 4096@0");
  EXPECT_EQ(copy.Settle(1, {kBlock}), "");
  EXPECT_EQ(copy.Settle(0, {kBlock}), "direct off fd7 fd8");
  EXPECT_EQ(copy.Settle({0}), "at once uncached read fd7 4096@8192");
  EXPECT_EQ(copy.Settle({100}), "uncached write fd8 100@8192");
  EXPECT_EQ(copy.Settle({100}), "at once uncached read fd7 4096@8292");
  EXPECT_EQ(copy.Settle({0}), "drop fd7 = write back fd8 = drop fd8");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().files_direct.value(), 1);
  EXPECT_EQ(copy.counters().bytes_done.value(), 2 * kBlock + 100);
  EXPECT_EQ(PollRefusalOf(copy).error_number, 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyPageCacheTest, OneBlocksReadIsPolledWhileAnothersWriteIs) {
  Polled polled(10 * kBlock);
  CopyScript& copy = polled.copy;
  copy.Settle({0});  // The target is extended.
  copy.Settle(3, {kBlock});
  EXPECT_EQ(copy.Settle(3, {kBlock}), "3: polled read fd7 4096@32768");
}

TEST(FileCopyPageCacheTest, AShortPolledReadIsWrittenAndTheRestRead) {
  Polled polled;
  CopyScript& copy = polled.copy;
  EXPECT_EQ(copy.Settle(0, {512}), "polled write fd8 512@0");
  EXPECT_EQ(copy.Settle(0, {512}), "polled read fd7 3584@512");
  EXPECT_EQ(copy.counters().short_reads.value(), 1);
  EXPECT_EQ(copy.Settle(0, {3584}), "polled write fd8 3584@512");
  EXPECT_EQ(copy.Settle(0, {1024}), "polled write fd8 2560@1536");
  EXPECT_EQ(copy.counters().short_writes.value(), 1);
}

TEST(FileCopyPageCacheTest, NoMoreIsPolledAtATimeThanTheDeviceTakes) {
  Polled polled(2 * kBlock, /*length_max=*/3072);
  CopyScript& copy = polled.copy;
  EXPECT_EQ(polled.next, "0: polled read fd7 3072@0 | 1: polled read fd7 3072@4096");
  EXPECT_EQ(copy.Settle(0, {3072}), "polled write fd8 3072@0");
  EXPECT_EQ(copy.Settle(0, {3072}), "polled read fd7 1024@3072");
  EXPECT_EQ(copy.Settle(0, {1024}), "polled write fd8 1024@3072");
  EXPECT_EQ(copy.Settle(0, {1024}), "");
  // This block, read in one piece when it was tried again, is written in two.
  EXPECT_EQ(copy.Settle(1, {-EAGAIN}),
            "1: uncached read fd7 4096@4096 - uncached write fd8 4096@4096");
  EXPECT_EQ(copy.Settle(1, {kBlock, kCancelled}), "1: polled write fd8 3072@4096");
  EXPECT_EQ(copy.Settle(1, {3072}), "1: polled write fd8 1024@7168");
  EXPECT_EQ(copy.Settle(1, {1024}), "direct off fd7 fd8");
  EXPECT_EQ(copy.counters().short_reads.value(), 0);
  EXPECT_EQ(copy.counters().short_writes.value(), 0);
}

TEST(FileCopyPageCacheTest, ADeviceThatCantBePolledIsNotTried) {
  Polled polled(2 * kBlock, /*length_max=*/0);
  EXPECT_EQ(polled.next, kTwoBlocks);
  EXPECT_TRUE(polled.copy.file_system()->refuses_polling());
  EXPECT_EQ(PollRefusalOf(polled.copy).error_number, EOPNOTSUPP);
  EXPECT_EQ(PollRefusalOf(polled.copy).operation, Operation::kRead);
}

TEST(FileCopyPageCacheTest, ARefusalToPollIsBelievedOnceTheOpWorksUnpolled) {
  for (const int error : {EOPNOTSUPP, EINVAL}) {
    Polled polled;
    CopyScript& copy = polled.copy;
    EXPECT_EQ(copy.Settle(0, {-error}), kUnpolled);
    EXPECT_FALSE(polled.copy.file_system()->refuses_polling());
    EXPECT_EQ(copy.Settle(0, {kBlock, kBlock}), "");
    EXPECT_TRUE(polled.copy.file_system()->refuses_polling());
    EXPECT_EQ(PollRefusalOf(copy).error_number, error);
    EXPECT_EQ(PollRefusalOf(copy).operation, Operation::kRead);
    // The other read was already queued.
    EXPECT_EQ(copy.Settle(1, {-error}),
              "1: uncached read fd7 4096@4096 - uncached write fd8 4096@4096");
    EXPECT_EQ(copy.Settle(1, {kBlock, kBlock}), "direct off fd7 fd8");
    EXPECT_EQ(PollRefusalOf(copy).error_number, error);
    EXPECT_EQ(copy.counters().retries.value(), 0);
  }
}

TEST(FileCopyPageCacheTest, AWriteThatCantBePolledIsARefusalToo) {
  Polled polled;
  CopyScript& copy = polled.copy;
  EXPECT_EQ(copy.Settle(0, {kBlock}), "polled write fd8 4096@0");
  EXPECT_EQ(copy.Settle(0, {-EOPNOTSUPP}), "uncached write fd8 4096@0");
  EXPECT_EQ(copy.Settle(0, {kBlock}), "");
  EXPECT_EQ(PollRefusalOf(copy).operation, Operation::kWrite);
  EXPECT_EQ(PollRefusalOf(copy).error_number, EOPNOTSUPP);
  EXPECT_EQ(copy.Settle(1, {kBlock}), "1: uncached write fd8 4096@4096");
}

TEST(FileCopyPageCacheTest, OnlyTheFirstCopyToLearnOfARefusalReportsIt) {
  Polled polled;
  polled.copy.file_system()->NotePollingRefused();
  CopyScript& copy = polled.copy;
  EXPECT_EQ(copy.Settle(0, {-EOPNOTSUPP}), kUnpolled);
  EXPECT_EQ(copy.Settle(0, {kBlock, kBlock}), "");
  EXPECT_EQ(PollRefusalOf(copy).error_number, 0);
}

TEST(FileCopyPageCacheTest, WhoseReadOrWriteWasRefusedIsNotPolledOthersAre) {
  FileSystem source(/*device=*/0, LocalKind());
  FileSystem target(/*device=*/0, LocalKind());
  FileSystem other(/*device=*/0, LocalKind());
  Polled polled(2 * kBlock, 1 << 20, &source, &target);
  CopyScript& copy = polled.copy;
  copy.Settle(0, {kBlock});
  copy.Settle(0, {-EOPNOTSUPP});
  EXPECT_EQ(copy.Settle(0, {kBlock}), "");
  EXPECT_FALSE(source.refuses_polling());
  EXPECT_TRUE(target.refuses_polling());
  EXPECT_EQ(PollRefusalOf(copy).error_number, EOPNOTSUPP);
  const std::string is_polled =
      "0: polled read fd7 4096@0 | 1: polled read fd7 4096@4096";
  EXPECT_EQ(Polled(2 * kBlock, 1 << 20, &source, &target).next, kTwoBlocks);
  EXPECT_EQ(Polled(2 * kBlock, 1 << 20, &target, &other).next, kTwoBlocks);
  EXPECT_EQ(Polled(2 * kBlock, 1 << 20, &source, &other).next, is_polled);
  Polled another(2 * kBlock, 1 << 20, &other, &source);
  EXPECT_EQ(another.next, is_polled);
  // Its refusal is told as well.
  another.copy.Settle(0, {-EOPNOTSUPP});
  another.copy.Settle(0, {kBlock, kBlock});
  EXPECT_TRUE(other.refuses_polling());
  EXPECT_EQ(PollRefusalOf(another.copy).operation, Operation::kRead);
  EXPECT_EQ(PollRefusalOf(another.copy).error_number, EOPNOTSUPP);
}

TEST(FileCopyPageCacheTest, RefusalsOfBothFilesAreBothReported) {
  FileSystem source(/*device=*/0, LocalKind());
  FileSystem target(/*device=*/0, LocalKind());
  Polled polled(2 * kBlock, 1 << 20, &source, &target);
  CopyScript& copy = polled.copy;
  copy.Settle(0, {kBlock});
  copy.Settle(0, {-EOPNOTSUPP});
  copy.Settle(1, {-EINVAL});
  copy.Settle(0, {kBlock});
  copy.Settle(1, {kBlock, kBlock});
  EXPECT_TRUE(source.refuses_polling());
  EXPECT_TRUE(target.refuses_polling());
  const std::array<PollRefusal, 2> refusals = copy.copy().poll_refusals();
  EXPECT_EQ(refusals[0].operation, Operation::kRead);
  EXPECT_EQ(refusals[0].error_number, EINVAL);
  EXPECT_EQ(refusals[1].operation, Operation::kWrite);
  EXPECT_EQ(refusals[1].error_number, EOPNOTSUPP);
}

// That is O_DIRECT's, as without polling.
TEST(FileCopyPageCacheTest, WhatIsInvalidWithoutPollingTooIsNoRefusal) {
  Polled polled;
  CopyScript& copy = polled.copy;
  EXPECT_EQ(copy.Settle(0, {-EINVAL}), kUnpolled);
  EXPECT_EQ(copy.Settle(0, {-EINVAL, kCancelled}), "");
  EXPECT_EQ(copy.Settle(1, {kBlock}), "direct off fd7 fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}),
            std::string(kTwoBlocks) +
                " | 2: uncached read fd7 100@8192 - uncached write fd8 100@8192");
  EXPECT_FALSE(polled.copy.file_system()->refuses_polling());
}

TEST(FileCopyPageCacheTest, AnUncachedRefusalAfterAPolledOneIsToldApart) {
  Polled polled;
  CopyScript& copy = polled.copy;
  copy.Settle(0, {-EOPNOTSUPP});
  EXPECT_EQ(copy.Settle(0, {-EOPNOTSUPP, kCancelled}),
            "read fd7 4096@0 - uncached write fd8 4096@0");
  EXPECT_TRUE(copy.file_system()->refuses_uncached_reads());
  EXPECT_FALSE(polled.copy.file_system()->refuses_polling());
  EXPECT_EQ(copy.Settle(0, {kBlock, kBlock}), "");
  EXPECT_TRUE(polled.copy.file_system()->refuses_polling());
}

TEST(FileCopyPageCacheTest, AnInterruptedPolledReadIsTriedUnpolledOnce) {
  Polled polled(10 * kBlock);
  CopyScript& copy = polled.copy;
  copy.Settle({0});  // The target is extended.
  EXPECT_EQ(copy.Settle(0, {-EAGAIN}), kUnpolled);
  EXPECT_EQ(copy.Settle(0, {kBlock, kBlock}), "polled read fd7 4096@32768");
  EXPECT_FALSE(polled.copy.file_system()->refuses_polling());
}

TEST(FileCopyPageCacheTest, AnErrorOfThePolledDeviceIsFinal) {
  Polled polled;
  CopyScript& copy = polled.copy;
  EXPECT_EQ(copy.Settle(0, {-EIO}), "");
  EXPECT_EQ(Remove(&copy, copy.Settle(1, {kBlock})), "failed: read S EIO");
}

TEST(FileCopyPageCacheTest, OnceRefusedNothingIsPolled) {
  Polled polled(2 * kBlock);
  CopyScript& copy = polled.copy;
  copy.Settle(0, {-EOPNOTSUPP});
  copy.Settle(0, {kBlock, kBlock});
  copy.Settle(1, {kBlock});
  copy.Settle(1, {kBlock});
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle({0, 0, 0});
  ASSERT_EQ(copy.Settle({0, 0}), "copied");
  copy.OpenBoth();
  EXPECT_EQ(PollRefusalOf(copy).error_number, 0);
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), kTwoBlocks);
}

TEST(FileCopyPageCacheTest, AFileOfOneBlockIsNotWorthODirect) {
  Opened opened(PageCache::kBypass, kBlock);
  EXPECT_EQ(opened.copy.Settle({0, kBlock}), "at once read fd7 1024@4096");
  EXPECT_EQ(opened.copy.Settle({0}),
            "open T new 644>s0 - uncached write s0 4096@0 - close s0 = close fd7");
}

}  // namespace
}  // namespace ringcp
