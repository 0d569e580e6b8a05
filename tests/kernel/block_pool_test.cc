#include "core/kernel/block_pool.h"

#include <cstdint>
#include <cstring>
#include <set>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr uint32_t kBlock = 8192;

TEST(BlockPoolTest, EveryCopyHasABlockHoweverManyAreLent) {
  BlockPool pool(/*copies_max=*/3, /*extra=*/2, kBlock);
  std::set<char*> blocks;
  blocks.insert(pool.TakeExtra());
  blocks.insert(pool.TakeExtra());
  EXPECT_EQ(pool.TakeExtra(), nullptr);
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
  pool.GiveBack(first, /*extra=*/false);
  pool.GiveBack(second, /*extra=*/false);
  EXPECT_EQ(pool.Take(), second);
  EXPECT_EQ(pool.Take(), first);
}

TEST(BlockPoolTest, ALentBlockThatCameBackIsLentAgain) {
  BlockPool pool(/*copies_max=*/1, /*extra=*/1, kBlock);
  char* lent = pool.TakeExtra();
  EXPECT_EQ(pool.TakeExtra(), nullptr);
  pool.GiveBack(lent, /*extra=*/true);
  EXPECT_NE(pool.TakeExtra(), nullptr);
}

TEST(BlockPoolDeathTest, ACopyThatTakesMoreThanItsBlockIsABug) {
  BlockPool pool(/*copies_max=*/1, /*extra=*/0, kBlock);
  pool.Take();
  EXPECT_DEATH(pool.Take(), "bug in ringcp");
}

}  // namespace
}  // namespace ringcp
