#include "core/tree/link_table.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

using Claim = LinkTable::Claim;

constexpr FileIdentity kFile = {.device_major = 8, .device_minor = 1, .inode = 42};

WaitingEntry Named(const std::string& name) {
  WaitingEntry entry;
  entry.source_name = name;
  return entry;
}

class LinkTableTest : public testing::Test {
 protected:
  // Claims the file `id`, which has `links` links, for an entry called `name`.
  Claim ClaimFor(const std::string& name, uint32_t links,
                 const FileIdentity& id = kFile) {
    return table_.ClaimFile(id, links, Named(name), &copied_as_);
  }

  std::vector<std::string> EndClaim(const std::string& copied_as) {
    std::vector<std::string> names;
    for (const WaitingEntry& entry : table_.EndClaim(kFile, copied_as)) {
      names.push_back(entry.source_name);
    }
    return names;
  }

  LinkTable table_;
  std::string copied_as_;
};

using Names = std::vector<std::string>;

TEST_F(LinkTableTest, TheFirstNameIsCopiedAndLaterOnesAreLinked) {
  EXPECT_EQ(ClaimFor("a", 3), Claim::kCopy);
  EXPECT_EQ(EndClaim("dir/a"), Names{});
  EXPECT_EQ(ClaimFor("b", 3), Claim::kLink);
  EXPECT_EQ(copied_as_, "dir/a");
  EXPECT_EQ(ClaimFor("c", 3), Claim::kLink);
}

TEST_F(LinkTableTest, ManyMayWaitForACopyThatFailsEachTime) {
  // If each failure moved all entries that are left, this would take an hour.
  constexpr uint32_t kMany = 200'000;
  for (uint32_t i = 0; i < kMany; ++i) ClaimFor(std::to_string(i), kMany);
  for (uint32_t i = 1; i + 1 < kMany; ++i) {
    ASSERT_EQ(EndClaim(""), Names{std::to_string(i)});
  }
  EXPECT_EQ(EndClaim("copy"), Names{std::to_string(kMany - 1)});
}

TEST_F(LinkTableTest, NamesMetMeanwhileWaitForTheCopy) {
  EXPECT_EQ(ClaimFor("a", 4), Claim::kCopy);
  EXPECT_EQ(ClaimFor("b", 4), Claim::kWait);
  EXPECT_EQ(ClaimFor("c", 4), Claim::kWait);
  EXPECT_EQ(EndClaim("a"), (Names{"b", "c"}));
  EXPECT_EQ(ClaimFor("d", 4), Claim::kLink);
}

TEST_F(LinkTableTest, WhenTheCopyFailsTheNextInLineHasTheClaim) {
  EXPECT_EQ(ClaimFor("a", 4), Claim::kCopy);
  EXPECT_EQ(ClaimFor("b", 4), Claim::kWait);
  EXPECT_EQ(ClaimFor("c", 4), Claim::kWait);
  EXPECT_EQ(EndClaim(""), Names{"b"});
  EXPECT_EQ(ClaimFor("d", 4), Claim::kWait);
  EXPECT_EQ(EndClaim("b"), (Names{"c", "d"}));
}

TEST_F(LinkTableTest, WhenTheCopyFailsAndNobodyWaitsTheNextNameIsCopied) {
  EXPECT_EQ(ClaimFor("a", 2), Claim::kCopy);
  EXPECT_EQ(EndClaim(""), Names{});
  EXPECT_EQ(ClaimFor("b", 2), Claim::kCopy);
  EXPECT_EQ(EndClaim("b"), Names{});
}

TEST_F(LinkTableTest, OnceAllNamesHaveBeenMetTheFileIsForgotten) {
  EXPECT_EQ(ClaimFor("a", 2), Claim::kCopy);
  EXPECT_EQ(EndClaim("a"), Names{});
  EXPECT_EQ(ClaimFor("b", 2), Claim::kLink);
  EXPECT_EQ(ClaimFor("c", 2), Claim::kCopy);  // A name that was added meanwhile.
}

TEST_F(LinkTableTest, EqualInodeNumbersOnDifferentDevicesAreDifferentFiles) {
  EXPECT_EQ(ClaimFor("a", 2), Claim::kCopy);
  EXPECT_EQ(ClaimFor("b", 2, {.device_major = 8, .device_minor = 2, .inode = 42}),
            Claim::kCopy);
  EXPECT_EQ(ClaimFor("c", 2, {.device_major = 9, .device_minor = 1, .inode = 42}),
            Claim::kCopy);
}

TEST_F(LinkTableTest, WaitingEntriesCanBeTakenOut) {
  EXPECT_EQ(ClaimFor("a", 3), Claim::kCopy);
  EXPECT_EQ(ClaimFor("b", 3), Claim::kWait);
  const std::vector<WaitingEntry> waiting = table_.TakeAllWaiting();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].source_name, "b");
  EXPECT_TRUE(table_.TakeAllWaiting().empty());
  EXPECT_EQ(EndClaim("a"), Names{});
}

TEST_F(LinkTableTest, ThreadsCopyEachFileOnceAndLinkTheRest) {
  constexpr int kThreads = 4;
  constexpr uint64_t kFiles = 2000;
  std::atomic<int> copies = 0;
  std::atomic<int> links = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (uint64_t inode = 0; inode < kFiles; ++inode) {
        const FileIdentity id = {.inode = inode};
        std::string copied_as;
        switch (table_.ClaimFile(id, kThreads, Named("x"), &copied_as)) {
          case Claim::kCopy:
            ++copies;
            links += static_cast<int>(table_.EndClaim(id, "copy").size());
            break;
          case Claim::kLink:
            ++links;
            break;
          case Claim::kWait:
          case Claim::kWaitForLater:
            break;  // The thread that copies the file makes the link.
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(copies, static_cast<int>(kFiles));
  EXPECT_EQ(links, static_cast<int>(kFiles) * (kThreads - 1));
  EXPECT_TRUE(table_.TakeAllWaiting().empty());
}

}  // namespace
}  // namespace ringcp
