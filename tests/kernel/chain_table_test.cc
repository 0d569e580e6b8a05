#include "core/kernel/chain_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

std::vector<int32_t> Results(const ChainResults& chain) {
  return {chain.results().begin(), chain.results().end()};
}

TEST(OpTagTest, SurvivesTheKernel) {
  for (const uint32_t entry : {0u, 1u, 255u, 256u, 65535u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    for (int position = 0; position < Chain::kOpsMax; ++position) {
      for (const bool is_taken_back : {false, true}) {
        const OpTag tag = {entry, static_cast<uint8_t>(position), is_taken_back};
        EXPECT_EQ(OpTag::Decode(tag.Encode()), tag) << entry << " " << position;
      }
    }
  }
}

TEST(OpTagTest, DiffersForEachOp) {
  EXPECT_NE((OpTag{0, 1}.Encode()), (OpTag{1, 0}.Encode()));
  EXPECT_NE((OpTag{256, 0}.Encode()), (OpTag{1, 0}.Encode()));
  EXPECT_NE((OpTag{1, 2}.Encode()), (OpTag{1, 2, /*is_taken_back=*/true}.Encode()));
}

TEST(ChainTableTest, AChainSettlesWithItsLastResult) {
  ChainTable table(2);
  const uint32_t entry = table.Add(ChainId{7}, 3);
  std::vector<ChainResults> settled;
  EXPECT_FALSE(table.NoteResult({entry, 0}, 0, &settled));
  EXPECT_FALSE(table.NoteResult({entry, 1}, 100, &settled));
  EXPECT_TRUE(settled.empty());
  EXPECT_EQ(table.in_flight(), 1);
  EXPECT_TRUE(table.NoteResult({entry, 2}, -125, &settled));
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].id, ChainId{7});
  EXPECT_EQ(Results(settled[0]), (std::vector<int32_t>{0, 100, -125}));
  EXPECT_EQ(table.in_flight(), 0);
}

TEST(ChainTableTest, ResultsMayComeInAnyOrder) {
  std::vector<uint8_t> order = {0, 1, 2, 3, 4, 5};
  do {
    ChainTable table(1);
    const uint32_t entry = table.Add(ChainId{1}, 6);
    std::vector<ChainResults> settled;
    for (const uint8_t position : order) {
      table.NoteResult({entry, position}, position * 10, &settled);
    }
    ASSERT_EQ(settled.size(), 1u);
    ASSERT_EQ(Results(settled[0]), (std::vector<int32_t>{0, 10, 20, 30, 40, 50}));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ChainTableTest, AnEntryIsReusedOnlyAfterItsChainHasSettled) {
  ChainTable table(2);
  std::vector<ChainResults> settled;
  const uint32_t first = table.Add(ChainId{1}, 2);
  const uint32_t second = table.Add(ChainId{2}, 1);
  EXPECT_NE(first, second);
  EXPECT_TRUE(table.full());
  table.NoteResult({first, 1}, -125, &settled);  // The first op of that chain still runs.
  EXPECT_TRUE(table.full());
  table.NoteResult({second, 0}, 0, &settled);
  EXPECT_EQ(table.Add(ChainId{3}, 1), second);
}

TEST(ChainTableTest, ManyChainsSettleOnceEachWithTheirOwnResults) {
  std::mt19937 random(TestSeed());
  constexpr int kEntries = 16;
  ChainTable table(kEntries);
  std::vector<OpTag> missing;
  std::map<uint32_t, uint32_t> chain_of_entry;
  std::vector<ChainResults> settled;
  std::map<uint32_t, int> times_settled;
  uint32_t next_id = 0;
  while (times_settled.size() < 2000) {
    if (!table.full() && random() % 2 == 0) {
      const int size = 1 + static_cast<int>(random() % Chain::kOpsMax);
      const uint32_t entry = table.Add(ChainId{next_id}, size);
      chain_of_entry[entry] = next_id++;
      for (int i = 0; i < size; ++i) missing.push_back({entry, static_cast<uint8_t>(i)});
    }
    if (missing.empty()) continue;
    std::swap(missing[random() % missing.size()], missing.back());
    const OpTag tag = missing.back();
    missing.pop_back();
    settled.clear();
    const auto result =
        static_cast<int32_t>(chain_of_entry[tag.entry] * 8 + tag.position);
    if (!table.NoteResult(tag, result, &settled)) continue;
    ASSERT_EQ(settled.size(), 1u);
    const uint32_t id = settled[0].id.value;
    ASSERT_EQ(++times_settled[id], 1);
    for (int i = 0; i < settled[0].size; ++i) {
      ASSERT_EQ(settled[0].results()[i], static_cast<int32_t>(id * 8 + i));
    }
  }
}

TEST(ChainTableTest, GivenUpChainsHaveOneErrorAndConsequences) {
  ChainTable table(3);
  std::vector<ChainResults> settled;
  const uint32_t first = table.Add(ChainId{1}, 3);
  table.Add(ChainId{2}, 2);
  table.NoteResult({first, 0}, 7, &settled);
  table.GiveUp(-5, &settled);
  ASSERT_EQ(settled.size(), 2u);
  EXPECT_EQ(Results(settled[0]), (std::vector<int32_t>{7, -5, -125}));
  EXPECT_EQ(Results(settled[1]), (std::vector<int32_t>{-5, -125}));
  EXPECT_EQ(table.in_flight(), 0);
}

TEST(ChainTableTest, KnowsHowManyChainsAreAtAnOpOnTheTarget) {
  ChainTable table(3);
  std::vector<ChainResults> settled;
  const uint32_t copied = table.Add(ChainId{1}, 3, /*target_mask=*/0b010);
  EXPECT_EQ(table.on_target(), 0);
  const uint32_t written = table.Add(ChainId{2}, 1, /*target_mask=*/0b1);
  EXPECT_EQ(table.on_target(), 1);
  table.NoteResult({copied, 0}, 0, &settled);
  EXPECT_EQ(table.on_target(), 2);
  table.NoteResult({written, 0}, 0, &settled);
  EXPECT_EQ(table.on_target(), 1);
  table.NoteResult({copied, 1}, 0, &settled);
  EXPECT_EQ(table.on_target(), 0);
  table.NoteResult({copied, 2}, 0, &settled);
  table.Add(ChainId{3}, 2, /*target_mask=*/0b11);
  EXPECT_EQ(table.on_target(), 1);
  table.GiveUp(-5, &settled);
  EXPECT_EQ(table.on_target(), 0);
}

TEST(ChainTableDeathTest, ASecondResultForAnOpIsABug) {
  ChainTable table(1);
  std::vector<ChainResults> settled;
  const uint32_t entry = table.Add(ChainId{1}, 2);
  table.NoteResult({entry, 0}, 0, &settled);
  EXPECT_DEATH(table.NoteResult({entry, 0}, 0, &settled), "bug in ringcp");
}

}  // namespace
}  // namespace ringcp
