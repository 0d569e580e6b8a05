#include "core/kernel/block_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <set>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr uint32_t kBlock = 8192;

TEST(BlockPoolTest, EveryCopyHasABlockHoweverManyAreLent) {
  BlockPool pool(/*copies_max=*/3, /*extra=*/2, kBlock);
  std::set<char*> blocks;
  blocks.insert(pool.TakeExtra(1));
  blocks.insert(pool.TakeExtra(1));
  EXPECT_EQ(pool.TakeExtra(1), nullptr);
  for (int i = 0; i < 3; ++i) blocks.insert(pool.Take());
  EXPECT_EQ(blocks.size(), 5u);
  EXPECT_EQ(blocks.count(nullptr), 0u);
}

TEST(BlockPoolTest, BlocksAreAlignedAndDoNotOverlap) {
  BlockPool pool(/*copies_max=*/4, /*extra=*/0, kBlock);
  char* blocks[4];
  for (int i = 0; i < 4; ++i) {
    blocks[i] = pool.Take();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks[i]) % 4096, 0u);
    std::memset(blocks[i], 'a' + i, kBlock);
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(blocks[i][0], 'a' + i);
    EXPECT_EQ(blocks[i][kBlock - 1], 'a' + i);
  }
}

TEST(BlockPoolTest, TheBlockGivenBackLastComesFirst) {
  BlockPool pool(/*copies_max=*/3, /*extra=*/0, kBlock);
  char* first = pool.Take();
  char* second = pool.Take();
  pool.GiveBack(first, /*extra=*/0);
  pool.GiveBack(second, /*extra=*/0);
  EXPECT_EQ(pool.Take(), second);
  EXPECT_EQ(pool.Take(), first);
}

TEST(BlockPoolTest, ALentBlockThatCameBackIsLentAgain) {
  BlockPool pool(/*copies_max=*/1, /*extra=*/1, kBlock);
  char* lent = pool.TakeExtra(1);
  EXPECT_EQ(pool.TakeExtra(1), nullptr);
  pool.GiveBack(lent, /*extra=*/1);
  EXPECT_NE(pool.TakeExtra(1), nullptr);
}

TEST(BlockPoolTest, BlocksSideBySideAreLentWhereSoManyAreFree) {
  BlockPool pool(/*copies_max=*/2, /*extra=*/8, kBlock);
  char* const one = pool.TakeExtra(1);
  char* const four = pool.TakeExtra(4);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(four, nullptr);
  EXPECT_TRUE(one + kBlock <= four || four + 4 * kBlock <= one);
  EXPECT_EQ(pool.TakeExtra(4), nullptr) << "three are left";
  std::memset(one, 'a', kBlock);
  std::memset(four, 'b', 4 * kBlock);
  std::memset(pool.Take(), 'c', kBlock);
  std::memset(pool.Take(), 'c', kBlock);
  EXPECT_EQ(one[kBlock - 1], 'a');
  EXPECT_EQ(four[0], 'b');
  EXPECT_EQ(four[4 * kBlock - 1], 'b');
  pool.GiveBack(four, /*extra=*/4);
  pool.GiveBack(one, /*extra=*/1);
  EXPECT_NE(pool.TakeExtra(8), nullptr);
  EXPECT_EQ(pool.TakeExtra(1), nullptr);
}

TEST(BlockPoolTest, BlocksThatDoNotLieTogetherAreNotLentTogether) {
  BlockPool pool(/*copies_max=*/1, /*extra=*/4, kBlock);
  char* blocks[4];
  for (char*& block : blocks) block = pool.TakeExtra(1);
  std::sort(std::begin(blocks), std::end(blocks));
  pool.GiveBack(blocks[0], /*extra=*/1);
  pool.GiveBack(blocks[2], /*extra=*/1);
  EXPECT_EQ(pool.TakeExtra(2), nullptr);
  pool.GiveBack(blocks[1], /*extra=*/1);
  EXPECT_EQ(pool.TakeExtra(3), blocks[0]);
}

TEST(BlockPoolDeathTest, ACopyThatTakesMoreThanItsBlockIsABug) {
  BlockPool pool(/*copies_max=*/1, /*extra=*/0, kBlock);
  pool.Take();
  EXPECT_DEATH(pool.Take(), "bug in ringcp");
}

}  // namespace
}  // namespace ringcp
