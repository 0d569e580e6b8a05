#include "agent/target_footprint.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr PathIdentity kRoot = {.device = 1, .inode = 1};

PathStep There(const std::string& name, ino_t inode, dev_t device = 1) {
  return {.name = name, .exact_name = name, .identity = PathIdentity{device, inode}};
}

PathStep Missing(const std::string& name) {
  return {.name = name, .exact_name = name, .identity = {}};
}

PathSteps FromRoot(std::vector<PathStep> steps) {
  steps.insert(steps.begin(), {.name = "", .exact_name = "", .identity = kRoot});
  return steps;
}

TargetFootprint Place(std::vector<PathStep> steps) {
  TargetFootprint footprint;
  footprint.AddPlace(FromRoot(std::move(steps)));
  return footprint;
}

// Whether two footprints overlap. Checks that the answer is the same both ways, and that
// TakenPlaces finds the same.
bool Overlap(const TargetFootprint& one, const TargetFootprint& other) {
  const bool result = one.Overlaps(other);
  EXPECT_EQ(other.Overlaps(one), result);
  TakenPlaces taken;
  taken.Add(7, one);
  EXPECT_EQ(taken.FindOverlap(other), result ? std::optional<int64_t>(7) : std::nullopt);
  return result;
}

TEST(TargetFootprintTest, EqualPlacesOverlap) {
  const std::vector<PathStep> there = {There("a", 2), There("b", 3)};
  const std::vector<PathStep> missing = {There("a", 2), Missing("b")};
  EXPECT_TRUE(Overlap(Place(there), Place(there)));
  EXPECT_TRUE(Overlap(Place(missing), Place(missing)));
  EXPECT_TRUE(Overlap(Place({}), Place({})));
}

TEST(TargetFootprintTest, PlacesBesideEachOtherDoNotOverlap) {
  EXPECT_FALSE(Overlap(Place({There("a", 2)}), Place({There("b", 3)})));
  EXPECT_FALSE(Overlap(Place({There("a", 2), Missing("x")}),
                       Place({There("a", 2), Missing("y")})));
  EXPECT_FALSE(Overlap(Place({There("a", 2), Missing("x"), Missing("z")}),
                       Place({There("a", 2), Missing("y"), Missing("z")})));
  // "/xy" is not below "/x".
  EXPECT_FALSE(Overlap(Place({Missing("x")}), Place({Missing("xy")})));
}

TEST(TargetFootprintTest, APlaceOverlapsWithAllBelowIt) {
  EXPECT_TRUE(Overlap(Place({}), Place({There("a", 2)})));
  EXPECT_TRUE(Overlap(Place({There("a", 2)}), Place({There("a", 2), Missing("x")})));
  EXPECT_TRUE(Overlap(Place({There("a", 2)}),
                      Place({There("a", 2), There("b", 3), There("c", 4)})));
  EXPECT_TRUE(Overlap(Place({There("a", 2), Missing("x")}),
                      Place({There("a", 2), Missing("x"), Missing("y")})));
}

TEST(TargetFootprintTest, APlaceIsKnownByItsIdentityUnderEveryName) {
  EXPECT_TRUE(Overlap(Place({There("a", 2), There("one", 5)}),
                      Place({There("b", 3), There("two", 5)})));
  EXPECT_TRUE(
      Overlap(Place({There("a", 2)}), Place({There("mounted", 2), There("below", 9)})));
  EXPECT_FALSE(Overlap(Place({There("a", 2, 1)}), Place({There("b", 2, 8)})));
}

TEST(TargetFootprintTest, APlaceIsKnownByItsNameOnceItWasMadeOrReplaced) {
  const TargetFootprint before = Place({There("a", 2), Missing("x")});
  EXPECT_TRUE(Overlap(before, Place({There("a", 2), There("x", 5)})));
  EXPECT_TRUE(Overlap(before, Place({There("a", 2), There("x", 5), Missing("y")})));
  EXPECT_TRUE(Overlap(Place({There("a", 2), There("x", 4)}),
                      Place({There("a", 2), There("x", 5)})));
}

// Between two looks, someone may make a directory on the way, or its identity may change.
TEST(TargetFootprintTest, APlaceIsKnownByItsPathWhateverIdentitiesAreOnIt) {
  const TargetFootprint place = Place({There("a", 2), There("b", 3), Missing("x")});
  EXPECT_TRUE(Overlap(place, Place({There("a", 4), There("b", 5), Missing("x")})));
  EXPECT_TRUE(Overlap(place, Place({Missing("a"), Missing("b"), Missing("x")})));
  EXPECT_TRUE(Overlap(place, Place({There("a", 4), Missing("b")})));
  const auto step = [](const std::string& name, std::optional<PathIdentity> identity) {
    return PathStep{.name = "folded", .exact_name = name, .identity = identity};
  };
  EXPECT_TRUE(Overlap(Place({step("NAS", std::nullopt), step("X", std::nullopt)}),
                      Place({step("NAS", PathIdentity{1, 9}), step("X", std::nullopt)})));
  EXPECT_FALSE(Overlap(place, Place({There("a", 4), There("b", 5), Missing("y")})));
}

TEST(TargetFootprintTest, AWayOverlapsWithPlacesOnItOnly) {
  TargetFootprint footprint = Place({There("real", 2), Missing("x")});
  footprint.AddWay(FromRoot({There("links", 3), Missing("link")}));
  EXPECT_TRUE(Overlap(footprint, Place({There("links", 3), There("link", 8)})));
  EXPECT_TRUE(Overlap(footprint, Place({There("links", 3)})));
  EXPECT_FALSE(Overlap(footprint, Place({There("links", 3), Missing("other")})));
  TargetFootprint same_way = Place({There("real", 2), Missing("y")});
  same_way.AddWay(FromRoot({There("links", 3), Missing("link")}));
  EXPECT_FALSE(Overlap(footprint, same_way));
}

TEST(TargetFootprintTest, SeveralPlacesShareWhatLeadsToThem) {
  const PathSteps first = FromRoot({There("a", 2), Missing("x")});
  const PathSteps second = FromRoot({There("a", 2), Missing("y")});
  TargetFootprint footprint;
  footprint.AddPlace(first);
  footprint.AddPlace(second, /*known=*/2);
  EXPECT_TRUE(Overlap(footprint, Place({There("a", 2), Missing("x")})));
  EXPECT_TRUE(Overlap(footprint, Place({There("a", 2), Missing("y")})));
  EXPECT_TRUE(Overlap(footprint, Place({There("a", 2)})));
  EXPECT_FALSE(Overlap(footprint, Place({There("a", 2), Missing("z")})));
}

TEST(TargetFootprintTest, NothingOverlapsWithNothingAndEverywhereWithTheRest) {
  const TargetFootprint place = Place({There("a", 2)});
  EXPECT_FALSE(Overlap(TargetFootprint(), place));
  EXPECT_FALSE(Overlap(TargetFootprint(), TargetFootprint::Everywhere()));
  EXPECT_TRUE(Overlap(TargetFootprint::Everywhere(), place));
  EXPECT_TRUE(Overlap(TargetFootprint::Everywhere(), TargetFootprint::Everywhere()));
}

TEST(TakenPlacesTest, FindsAnOverlapExactlyWhereAPairHasOne) {
  std::mt19937 random(TestSeed());
  // In this small tree places often overlap. A name's identity follows from its path.
  const auto random_steps = [&random] {
    std::vector<PathStep> steps;
    ino_t inode = 1;
    bool there = true;
    for (size_t length = random() % 4; steps.size() < length;) {
      const ino_t digit = random() % 3;
      inode = inode * 4 + digit + 1;
      there = there && random() % 4 != 0;
      const std::string name(1, static_cast<char>('a' + digit));
      steps.push_back(there ? There(name, inode) : Missing(name));
    }
    return FromRoot(std::move(steps));
  };
  const auto random_footprint = [&] {
    TargetFootprint footprint;
    for (size_t count = random() % 3; count > 0; --count) {
      footprint.AddPlace(random_steps());
    }
    if (random() % 4 == 0) footprint.AddWay(random_steps());
    return random() % 40 == 0 ? TargetFootprint::Everywhere() : footprint;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<TargetFootprint> footprints(random() % 4);
    TakenPlaces taken;
    for (size_t i = 0; i < footprints.size(); ++i) {
      footprints[i] = random_footprint();
      taken.Add(static_cast<int64_t>(i), footprints[i]);
    }
    const TargetFootprint asked = random_footprint();
    bool overlaps = false;
    for (const TargetFootprint& footprint : footprints) {
      overlaps = overlaps || Overlap(footprint, asked);
    }
    const std::optional<int64_t> found = taken.FindOverlap(asked);
    ASSERT_EQ(found.has_value(), overlaps) << "round " << round;
    if (found.has_value()) {
      ASSERT_TRUE(footprints.at(static_cast<size_t>(*found)).Overlaps(asked));
    }
  }
}

}  // namespace
}  // namespace ringcp
