#include "core/kernel/pollable_length.h"

#include <sys/sysmacros.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

// Makes a /sys with a disk, 259:0, and its partition, 259:1.
class PollableLengthTest : public testing::Test {
 protected:
  PollableLengthTest() {
    PrepareWithShell(scratch_.path(),
                     "mkdir -p disk/queue disk/device disk/part dev/block;"
                     "ln -s ../../disk dev/block/259:0;"
                     "ln -s ../../disk/part dev/block/259:1;"
                     "echo 1 > disk/part/partition; cd disk/queue;"
                     "echo 1 > io_poll; echo 0 > chunk_sectors;"
                     "echo 512 > max_sectors_kb; echo 127 > max_segments");
  }

  uint32_t Disk() { return PollableLength(scratch_.path(), makedev(259, 0)); }
  uint32_t Partition() { return PollableLength(scratch_.path(), makedev(259, 1)); }
  // Makes the disk's `file` contain `value`.
  void Set(const std::string& file, const std::string& value) {
    PrepareWithShell(scratch_.path(), "echo " + value + " > disk/queue/" + file);
  }

  ScratchDirectory scratch_;
};

TEST_F(PollableLengthTest, IsWhatTheDiskTakesInOnePiece) {
  EXPECT_EQ(Disk(), 126u * 4096);
  EXPECT_EQ(Partition(), 126u * 4096);
  Set("max_sectors_kb", "130");
  EXPECT_EQ(Disk(), 128u * 1024);
  EXPECT_EQ(Partition(), 128u * 1024);
}

TEST_F(PollableLengthTest, IsNoneWithoutPollQueues) {
  Set("io_poll", "0");
  EXPECT_EQ(Disk(), 0u);
  EXPECT_EQ(Partition(), 0u);
}

TEST_F(PollableLengthTest, IsNoneWhereThePiecesAreNotKnown) {
  Set("chunk_sectors", "256");
  EXPECT_EQ(Disk(), 0u);
  Set("chunk_sectors", "0");
  Set("max_segments", "0");
  EXPECT_EQ(Disk(), 0u);
  Set("max_segments", "127");
  EXPECT_GT(Disk(), 0u);
  PrepareWithShell(scratch_.path(), "rmdir disk/device");  // As for RAID.
  EXPECT_EQ(Disk(), 0u);
}

TEST_F(PollableLengthTest, IsNoneOfADeviceThatIsNoDisk) {
  EXPECT_EQ(PollableLength(scratch_.path(), makedev(0, 35)), 0u);
}

}  // namespace
}  // namespace ringcp
