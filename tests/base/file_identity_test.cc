#include "core/base/file_identity.h"

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

struct statx StatOf(uint64_t inode, uint32_t device, std::optional<uint32_t> made_at) {
  struct statx stat = {};
  stat.stx_ino = inode;
  stat.stx_dev_minor = device;
  if (!made_at.has_value()) return stat;
  stat.stx_mask = STATX_BTIME;
  stat.stx_btime.tv_nsec = *made_at;
  return stat;
}

TEST(FileIdentityTest, ANumberThatWasFreeAgainIsAnotherFiles) {
  EXPECT_TRUE(IsStillTheSame(StatOf(1, 1, 5), StatOf(1, 1, 5)));
  EXPECT_FALSE(IsStillTheSame(StatOf(1, 1, 5), StatOf(1, 1, 6)));
  EXPECT_FALSE(IdentityOf(StatOf(1, 1, 5)) == IdentityOf(StatOf(1, 1, 6)));
}

TEST(FileIdentityTest, WhereItIsNotKnownWhenAFileWasMadeItsNumberHasToDo) {
  EXPECT_TRUE(IsStillTheSame(StatOf(1, 1, 5), StatOf(1, 1, std::nullopt)));
  EXPECT_TRUE(IsStillTheSame(StatOf(1, 1, std::nullopt), StatOf(1, 1, std::nullopt)));
  EXPECT_FALSE(IsStillTheSame(StatOf(1, 1, std::nullopt), StatOf(2, 1, std::nullopt)));
}

TEST(FileIdentityTest, ANumberOnAnotherDeviceIsAnotherFiles) {
  EXPECT_FALSE(IsStillTheSame(StatOf(1, 1, 5), StatOf(1, 2, 5)));
  EXPECT_FALSE(SameFile(StatOf(1, 1, 5), StatOf(1, 2, 5)));
}

}  // namespace
}  // namespace ringcp
