#include "agent/page_token.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(PageTokensTest, APositionComesBack) {
  const PageTokens tokens("jobs");
  for (const int64_t position : {int64_t{0}, int64_t{7}, INT64_MAX}) {
    const auto decoded = tokens.Decode(tokens.Encode(position));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, position);
  }
}

TEST(PageTokensTest, AnEmptyTokenIsTheFirstPages) {
  const auto decoded = PageTokens("jobs").Decode("");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, std::nullopt);
}

TEST(PageTokensTest, AnotherListingsTokenIsRefused) {
  const auto decoded = PageTokens("jobs").Decode(PageTokens("errors").Encode(3));
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PageTokensTest, WhatIsNoTokenIsRefused) {
  const PageTokens tokens("jobs");
  const std::string good = tokens.Encode(12);
  for (const std::string& bad :
       {std::string("3"), good.substr(1), good + "x", good.substr(0, good.size() - 2),
        good.substr(0, good.size() - 2) + "-1"}) {
    EXPECT_FALSE(tokens.Decode(bad).ok()) << bad;
  }
}

TEST(PageSizeTest, ZeroIsTheDefaultAndTooManyAreCut) {
  EXPECT_EQ(*PageSize(0), 100);
  EXPECT_EQ(*PageSize(1), 1);
  EXPECT_EQ(*PageSize(1000), 1000);
  EXPECT_EQ(*PageSize(1001), 1000);
  EXPECT_FALSE(PageSize(-1).ok());
}

}  // namespace
}  // namespace ringcp
