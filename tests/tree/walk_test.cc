#include "core/tree/walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"
#include "tests/random_tree.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"
#include "tests/test_seed.h"
#include "tests/walk_recorder.h"

namespace ringcp {
namespace {

using Paths = std::set<std::string>;

TEST(WalkTest, EveryEntryIsYieldedOnceToAnyNumberOfThreads) {
  const uint32_t seed = TestSeed();
  const ScratchDirectory scratch;
  for (const int threads : {1, 2, 4}) {
    const std::string root = scratch.MakeDirectory(std::to_string(threads));
    const Paths expected =
        MakeRandomTree(root, {.seed = seed + threads, .directories = 200, .files = 3000});
    RecordedWalk walk;
    walk.AddRoot(root);
    walk.Run(threads, seed);
    EXPECT_EQ(walk.PathsBelow(root), expected) << threads << " threads";
    EXPECT_TRUE(walk.recorder().errors().empty());
  }
}

TEST(WalkTest, AFlatDirectoryIsSharedAmongThreads) {
  const ScratchDirectory scratch;
  for (int i = 0; i < 2000; ++i) scratch.WriteFile("f" + std::to_string(i), "");
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/4, TestSeed());
  EXPECT_EQ(walk.recorder().found().size(), 2000u);
  EXPECT_EQ(walk.recorder().left(), 1);
}

// Neither ext4 (by hash) nor tmpfs (newest first) lists entries in this order.
TEST(WalkTest, EntriesComeByTheirInodes) {
  const ScratchDirectory scratch;
  for (int i = 0; i < 300; ++i) scratch.WriteFile("f" + std::to_string(i), "");
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  ASSERT_EQ(walk.AwaitNext(&batch), Walk::Result::kBatch);
  std::vector<uint64_t> inodes;
  while (!batch.entries().empty()) {
    const WalkEntry entry = walk.walk().Take(&batch);
    struct stat stat;
    ASSERT_EQ(fstatat(batch.directory()->source.fd, entry.source_name, &stat, 0), 0);
    EXPECT_EQ(entry.inode, stat.st_ino);
    inodes.push_back(entry.inode);
    walk.recorder().Yielded(*batch.directory(), entry);
    walk.recorder().Released(*batch.directory());
    walk.walk().Release(SystemKernel(), batch.directory());
  }
  EXPECT_EQ(inodes.size(), 300u);
  EXPECT_TRUE(std::is_sorted(inodes.begin(), inodes.end()));
  walk.Run(/*threads=*/1, TestSeed());
}

// Returns the directories to which two threads go first: those whose subdirectories they
// enter at the same time. Each subdirectory of the subdirectories of `root` must hold a
// file.
std::pair<std::string, std::string> WhereTwoThreadsGo(const std::string& root) {
  RecordedWalk walk;
  std::pair<std::string, std::string> where;
  WalkBatch batch;
  walk.recorder().on_enter = [&](Directory* directory) {
    const bool is_below = !directory->is_root && !directory->parent->is_root;
    if (!is_below || !where.first.empty()) return;
    where.first = directory->parent->source.name;
    // This thread has this directory in hand; now it is the second thread as well.
    if (walk.walk().Next(SystemKernel(), /*may_wait=*/false, &batch) !=
        Walk::Result::kBatch) {
      return;
    }
    where.second = batch.directory()->parent->source.name;
    while (!batch.entries().empty()) {
      walk.recorder().Yielded(*batch.directory(), walk.walk().Take(&batch));
      walk.recorder().Released(*batch.directory());
      walk.walk().Release(SystemKernel(), batch.directory());
    }
  };
  walk.AddRoot(root);
  walk.Run(/*threads=*/1, TestSeed());
  return where;
}

TEST(WalkTest, ThreadsGoToDifferentDirectories) {
  const ScratchDirectory scratch;
  for (const char* name : {"a", "b", "c"}) {
    scratch.MakeDirectory(name);
    for (const char* below : {"/1", "/2", "/3"}) {
      const std::string path = std::string(name) + below;
      scratch.MakeDirectory(path);
      scratch.WriteFile(path + "/file", "");
    }
  }
  const auto [first, second] = WhereTwoThreadsGo(scratch.path());
  EXPECT_NE(first, second);
  EXPECT_NE(second, "");
}

TEST(WalkTest, ThreadsShareADirectoryWhereThereIsNoOther) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("a");
  for (const char* name : {"a/1", "a/2", "a/3"}) {
    scratch.MakeDirectory(name);
    scratch.WriteFile(std::string(name) + "/file", "");
  }
  EXPECT_EQ(WhereTwoThreadsGo(scratch.path()),
            (std::pair<std::string, std::string>("a", "a")));
}

TEST(WalkTest, NamesMayHoldAnyBytes) {
  const ScratchDirectory scratch;
  Paths expected;
  for (int byte = 1; byte < 256; ++byte) {
    const std::string name(1, static_cast<char>(byte));
    if (name != "/" && name != ".") expected.insert(name);
  }
  for (const char* name : {"...", "..x", ".x", "-f", "a\nb", "\xFF\xFE"}) {
    expected.insert(name);
  }
  expected.insert(std::string(255, 'n'));
  for (const std::string& name : expected) scratch.WriteFile(name, "");
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/2, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()), expected);
}

TEST(WalkTest, EntriesHaveTheirKind) {
  const ScratchDirectory scratch;
  scratch.WriteFile("file", "");
  scratch.MakeFifo("fifo");
  ASSERT_EQ(symlink("file", scratch.Path("link").c_str()), 0);
  ASSERT_EQ(symlink("none", scratch.Path("dangling").c_str()), 0);
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  const auto found = walk.recorder().found();
  EXPECT_EQ(found.at(scratch.Path("file")).kind, EntryKind::kRegular);
  EXPECT_EQ(found.at(scratch.Path("fifo")).kind, EntryKind::kSpecial);
  EXPECT_EQ(found.at(scratch.Path("link")).kind, EntryKind::kSymlink);
  EXPECT_EQ(found.at(scratch.Path("dangling")).kind, EntryKind::kSymlink);
}

TEST(WalkTest, LinksAreLookedThroughIfAsked) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("directory");
  scratch.WriteFile("directory/inside", "");
  ASSERT_EQ(symlink("directory/inside", scratch.Path("to_file").c_str()), 0);
  ASSERT_EQ(symlink("directory", scratch.Path("to_directory").c_str()), 0);
  ASSERT_EQ(symlink("none", scratch.Path("dangling").c_str()), 0);
  ASSERT_EQ(symlink("circle", scratch.Path("circle").c_str()), 0);
  RecordedWalk walk(/*follow_links=*/true);
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()),
            (Paths{"directory", "directory/inside", "to_directory", "to_directory/inside",
                   "to_file"}));
  const auto found = walk.recorder().found();
  EXPECT_EQ(found.at(scratch.Path("to_file")).kind, EntryKind::kRegular);
  EXPECT_TRUE(found.at(scratch.Path("to_file")).follow);
  EXPECT_EQ(walk.recorder().errors(),
            (std::map<std::string, int>{{scratch.Path("dangling"), ENOENT},
                                        {scratch.Path("circle"), ELOOP}}));
}

TEST(WalkTest, WhatCanNotBeReadIsReportedAndTheRestIsWalked) {
  const ScratchDirectory scratch;
  for (const char* name : {"a", "broken", "c"}) {
    scratch.MakeDirectory(name);
    scratch.WriteFile(std::string(name) + "/file", "");
  }
  RecordedWalk walk;
  walk.recorder().unreadable = {"broken"};
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/2, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()),
            (Paths{"a", "a/file", "broken", "c", "c/file"}));
  EXPECT_EQ(walk.recorder().errors(),
            (std::map<std::string, int>{{scratch.Path("broken"), EBADF}}));
}

// Makes the walk list `name` as a directory, and replaces it with what `make` makes when
// the walk is about to enter it.
void ReplaceWhenEntered(const ScratchDirectory& scratch, const std::string& name,
                        const std::function<void(const std::string& path)>& make,
                        RecordedWalk* walk) {
  walk->recorder().on_enter = [&scratch, name, make](Directory* directory) {
    if (directory->source.name != name || directory->source.looked_at) return;
    ASSERT_EQ(rmdir(scratch.Path(name).c_str()), 0);
    make(scratch.Path(name));
  };
}

TEST(WalkTest, AnEntryListedAsADirectoryIsYieldedAsWhatItIs) {
  const std::pair<EntryKind, std::function<void(const std::string&)>> kinds[] = {
      {EntryKind::kRegular,
       [](const std::string& path) { close(creat(path.c_str(), 0644)); }},
      {EntryKind::kSymlink,
       [](const std::string& path) { EXPECT_EQ(symlink("sub", path.c_str()), 0); }},
      {EntryKind::kSpecial,
       [](const std::string& path) { EXPECT_EQ(mkfifo(path.c_str(), 0644), 0); }},
  };
  for (const auto& [kind, make] : kinds) {
    const ScratchDirectory scratch;
    scratch.MakeDirectory("odd");
    scratch.MakeDirectory("sub");
    RecordedWalk walk;
    ReplaceWhenEntered(scratch, "odd", make, &walk);
    walk.AddRoot(scratch.path());
    walk.Run(/*threads=*/1, TestSeed());
    EXPECT_EQ(walk.PathsBelow(scratch.path()), (Paths{"odd", "sub"}));
    EXPECT_TRUE(walk.recorder().errors().empty());
    const auto found = walk.recorder().found();
    ASSERT_TRUE(found.contains(scratch.Path("odd")));
    EXPECT_EQ(found.at(scratch.Path("odd")).kind, kind);
    EXPECT_TRUE(found.at(scratch.Path("odd")).looked_at);
  }
}

TEST(WalkTest, ALinkThatIsListedAsADirectoryIsFollowedIfAsked) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("odd");
  scratch.MakeDirectory("sub");
  scratch.WriteFile("sub/file", "");
  RecordedWalk walk(/*follow_links=*/true);
  const auto make = [](const std::string& path) {
    EXPECT_EQ(symlink("sub", path.c_str()), 0);
  };
  ReplaceWhenEntered(scratch, "odd", make, &walk);
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()),
            (Paths{"odd", "odd/file", "sub", "sub/file"}));
}

TEST(WalkTest, AnEntryThatIsGoneWhenItIsToBeEnteredIsReported) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("odd");
  RecordedWalk walk;
  const auto make = [](const std::string& path) { close(creat(path.c_str(), 0644)); };
  ReplaceWhenEntered(scratch, "odd", make, &walk);
  walk.recorder().on_no_directory = [&](const Directory&) {
    EXPECT_EQ(unlink(scratch.Path("odd").c_str()), 0);
  };
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.recorder().errors(),
            (std::map<std::string, int>{{scratch.Path("odd"), ENOENT}}));
}

// The walk has already finished when an entry turns out to be a directory.
TEST(WalkTest, ADirectoryThatIsGivenBackIsWalkedThoughTheWalkHasFinished) {
  const ScratchDirectory scratch;
  scratch.WriteFile("odd", "");
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  ASSERT_EQ(walk.AwaitNext(&batch), Walk::Result::kBatch);
  Directory* const directory = batch.directory();
  const WalkEntry entry = walk.walk().Take(&batch);
  walk.recorder().Yielded(*directory, entry);
  WalkBatch none;
  ASSERT_EQ(walk.AwaitNext(&none), Walk::Result::kFinished);
  ASSERT_EQ(unlink(scratch.Path("odd").c_str()), 0);
  scratch.MakeDirectory("odd");
  scratch.WriteFile("odd/file", "");
  walk.walk().AddDirectory(directory, entry.source_name, /*follow=*/false);
  walk.recorder().Released(*directory);
  walk.walk().Release(SystemKernel(), directory);
  walk.Run(/*threads=*/2, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()), (Paths{"odd", "odd/file"}));
}

TEST(WalkTest, ADirectoryThatIsGivenBackWhenTheWalkHasStoppedIsForgotten) {
  const ScratchDirectory scratch;
  scratch.WriteFile("odd", "");
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  ASSERT_EQ(walk.AwaitNext(&batch), Walk::Result::kBatch);
  walk.recorder().Yielded(*batch.directory(), walk.walk().Take(&batch));
  walk.walk().Stop(SystemKernel());
  walk.walk().AddDirectory(batch.directory(), "odd", /*follow=*/false);
  walk.recorder().Released(*batch.directory());
  walk.walk().Release(SystemKernel(), batch.directory());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.recorder().entered().size(), 1u);
}

TEST(WalkTest, ADirectoryThatIsRemovedMeanwhileIsEmpty) {
  // Like readdir(3), the walk does not report that the directory is gone.
  const ScratchDirectory scratch;
  scratch.MakeDirectory("gone");
  RecordedWalk walk;
  walk.recorder().on_entered = [&](const Directory& directory) {
    if (directory.source.name == "gone") rmdir(scratch.Path("gone").c_str());
  };
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_TRUE(walk.recorder().errors().empty());
  EXPECT_EQ(walk.recorder().left(), 2);
}

TEST(WalkTest, ARefusedDirectoryIsLeftButNotRead) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("refused");
  scratch.WriteFile("refused/file", "");
  RecordedWalk walk;
  walk.recorder().refused = {"refused"};
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()), Paths{"refused"});
  EXPECT_EQ(walk.recorder().left(), 2);
}

TEST(WalkTest, WhetherADirectoryIsEmptyIsKnownBeforeItIsMadeReady) {
  const ScratchDirectory scratch;
  for (const char* name : {"empty", "full", "full/empty", "refused"}) {
    scratch.MakeDirectory(name);
  }
  scratch.WriteFile("full/file", "");
  RecordedWalk walk;
  walk.recorder().refused = {"refused"};
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/2, TestSeed());
  EXPECT_EQ(walk.recorder().ready(),
            (std::map<std::string, bool>{{scratch.path(), false},
                                         {scratch.Path("empty"), true},
                                         {scratch.Path("full"), false},
                                         {scratch.Path("full/empty"), true}}));
}

TEST(WalkTest, NothingIsYieldedFromADirectoryThatCanNotBeMadeReady) {
  const ScratchDirectory scratch;
  for (const char* name : {"a", "a/sub", "b"}) scratch.MakeDirectory(name);
  for (const char* name : {"a/file", "a/sub/file", "b/file"}) scratch.WriteFile(name, "");
  RecordedWalk walk;
  walk.recorder().not_made = {"a"};
  walk.AddRoot(scratch.path());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk.PathsBelow(scratch.path()), (Paths{"a", "b", "b/file"}));
  EXPECT_EQ(walk.recorder().left(), 3);
}

NamedEntry Named(const std::string& name) {
  return {.source_name = name, .target_name = "target"};
}

TEST(WalkTest, TopLevelEntriesAndRootsAreYieldedUnderTheirNames) {
  const ScratchDirectory scratch;
  RecordedWalk walk;
  for (const char* name : {"one", "two"}) {
    walk.AddRoot(scratch.MakeDirectory(name));
    scratch.WriteFile(std::string(name) + "/file", "");
  }
  Paths expected = {scratch.Path("one/file"), scratch.Path("two/file")};
  for (int i = 0; i < 100; ++i) {
    const std::string name = "entry" + std::to_string(i);
    walk.walk().AddEntry(walk.walk().top(), Named(name));
    expected.insert(name);
  }
  walk.Run(/*threads=*/2, TestSeed());
  Paths found;
  for (const auto& [path, entry] : walk.recorder().found()) found.insert(path);
  EXPECT_EQ(found, expected);
}

TEST(WalkTest, IfTheirOrderIsKeptNamedDirectoriesComeInTheirTurn) {
  const ScratchDirectory scratch;
  RecordedWalk walk;
  walk.walk().KeepOrder();
  std::vector<std::string> expected;
  const auto add_entries = [&](int first, int count) {
    for (int i = first; i < first + count; ++i) {
      expected.push_back(absl::StrCat("entry", i));
      walk.walk().AddEntry(walk.walk().top(), Named(expected.back()));
    }
  };
  const auto add_root = [&](const std::string& name) {
    walk.AddRoot(scratch.MakeDirectory(name));
    scratch.MakeDirectory(name + "/below");
    for (const char* file : {"/file", "/below/file"}) {
      scratch.WriteFile(name + file, "");
      expected.push_back(scratch.Path(name + file));
    }
  };
  add_root("first");
  add_entries(0, 1);
  add_root("second");
  walk.AddRoot(scratch.MakeDirectory("empty"));
  add_root("third");
  add_entries(1, 50);
  add_root("last");

  std::vector<std::string> found;
  WalkBatch batch;
  while (walk.AwaitNext(&batch) == Walk::Result::kBatch) {
    Directory* const directory = batch.directory();
    while (!batch.entries().empty()) {
      found.push_back(SourcePath(*directory, walk.walk().Take(&batch).source_name));
      walk.walk().Release(SystemKernel(), directory);
    }
  }
  EXPECT_EQ(found, expected);
}

// No directory has to exist for them.
TEST(WalkTest, GivenEntriesAreYieldedInsteadOfBeingRead) {
  const ScratchDirectory scratch;
  scratch.MakeDirectory("root");
  scratch.WriteFile("root/file", "");
  for (const int threads : {1, 4}) {
    RecordedWalk walk;
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back(absl::StrCat("entry", i));
    Directory* const outer = walk.AddGiven(walk.walk().top(), "no such", names);
    Directory* const inner = walk.AddGiven(outer, "no such/below", {"inner"});
    walk.AddRoot(scratch.Path("root"), inner);
    walk.AddGiven(inner, "no such/empty", {});
    walk.Run(threads, TestSeed());
    Paths expected(names.begin(), names.end());
    expected.insert({"inner", scratch.Path("root/file")});
    Paths found;
    for (const auto& [path, entry] : walk.recorder().found()) found.insert(path);
    EXPECT_EQ(found, expected);
    EXPECT_EQ(walk.recorder().left(), 4);
    EXPECT_EQ(walk.recorder().ready(),
              (std::map<std::string, bool>{{"no such", false},
                                           {"no such/below", false},
                                           {"no such/empty", true},
                                           {scratch.Path("root"), false}}));
  }
}

TEST(WalkTest, GivenEntriesComeInTheirOrder) {
  RecordedWalk walk;
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back(std::string(i, 'x') + "name");
  walk.AddGiven(walk.walk().top(), "given", names);
  WalkBatch batch;
  std::vector<std::string> yielded;
  while (walk.AwaitNext(&batch) == Walk::Result::kBatch) {
    while (!batch.entries().empty()) {
      const WalkEntry entry = walk.walk().Take(&batch);
      EXPECT_TRUE(entry.looked_at);
      yielded.emplace_back(entry.source_name);
      walk.recorder().Yielded(*batch.directory(), entry);
      walk.recorder().Released(*batch.directory());
      walk.walk().Release(SystemKernel(), batch.directory());
    }
  }
  EXPECT_EQ(yielded, names);
  walk.Run(/*threads=*/1, TestSeed());
}

TEST(WalkTest, WhatIsGivenInADirectoryThatCantBeUsedIsDropped) {
  const ScratchDirectory scratch;
  RecordedWalk walk;
  Directory* const outer = walk.AddGiven(walk.walk().top(), "outer", {"a"});
  walk.AddGiven(walk.AddGiven(outer, "refused", {"b"}), "never entered", {"c"});
  walk.AddGiven(outer, "not made", {"d"});
  walk.recorder().refused.insert("refused");
  walk.recorder().not_made.insert("not made");
  walk.Run(/*threads=*/2, TestSeed());
  Paths found;
  for (const auto& [path, entry] : walk.recorder().found()) found.insert(path);
  EXPECT_EQ(found, Paths{"a"});
  EXPECT_EQ(walk.recorder().entered(), (Paths{"outer", "refused", "not made"}));
}

TEST(WalkTest, RootsComeInTheOrderTheyWereAdded) {
  // Adding this many roots is fast only if none is inserted before the others.
  constexpr int kMany = 100'000;
  const ScratchDirectory scratch;
  RecordedWalk walk;
  std::vector<std::string> entered;
  walk.recorder().on_enter = [&](Directory* directory) {
    entered.push_back(directory->source.name);
    if (entered.size() == 3) walk.walk().Stop(SystemKernel());
  };
  std::vector<std::string> expected;
  for (const char* name : {"a", "b", "c"}) {
    expected.push_back(scratch.MakeDirectory(name));
  }
  for (const std::string& path : expected) walk.AddRoot(path);
  for (int i = 0; i < kMany; ++i) walk.AddRoot("never entered");
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(entered, expected);
}

TEST(WalkTest, AWalkStoppedInTheMiddleLeavesWhatItEntered) {
  const ScratchDirectory scratch;
  MakeRandomTree(scratch.path(),
                 {.seed = TestSeed(), .directories = 100, .files = 500, .fifos = 0});
  for (const int stop_at : {1, 2, 10, 50}) {
    RecordedWalk walk;
    int entered = 0;
    walk.recorder().on_enter = [&](Directory*) {
      if (++entered == stop_at) walk.walk().Stop(SystemKernel());
    };
    walk.AddRoot(scratch.path());
    walk.Run(/*threads=*/1, TestSeed());
    EXPECT_EQ(entered, stop_at);
  }
}

TEST(WalkTest, OnceAWalkIsStoppedNothingIsMadeReady) {
  const ScratchDirectory scratch;
  scratch.WriteFile("file", "");
  RecordedWalk walk;
  walk.recorder().on_entered = [&](const Directory&) {
    walk.walk().Stop(SystemKernel());
  };
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  EXPECT_EQ(walk.AwaitNext(&batch), Walk::Result::kFinished);
  EXPECT_TRUE(walk.recorder().ready().empty());
  EXPECT_EQ(walk.recorder().left(), 1);
}

TEST(WalkTest, WhatIsFoundWhileAWalkIsStoppedIsDropped) {
  const ScratchDirectory scratch;
  scratch.WriteFile("file", "");
  scratch.MakeDirectory("below");
  RecordedWalk walk;
  walk.recorder().on_ready = [&](const Directory&) { walk.walk().Stop(SystemKernel()); };
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  EXPECT_EQ(walk.AwaitNext(&batch), Walk::Result::kFinished);
  EXPECT_EQ(walk.recorder().ready().size(), 1u);
  EXPECT_EQ(walk.recorder().left(), 1);
}

TEST(WalkTest, WhoStopsAWalkMayGiveBackByItselfWhatNobodyWillTake) {
  const ScratchDirectory scratch;
  scratch.WriteFile("file", "");
  for (const char* name : {"a", "b"}) scratch.MakeDirectory(name);
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  WalkBatch batch;
  ASSERT_EQ(walk.AwaitNext(&batch), Walk::Result::kBatch);
  walk.recorder().Yielded(*batch.directory(), walk.walk().Take(&batch));
  std::vector<Directory*> held;
  walk.walk().Stop(SystemKernel(),
                   [&](Directory* directory) { held.push_back(directory); });
  EXPECT_EQ(held.size(), 3u);  // What may be left of the root, and two others.
  walk.recorder().Released(*batch.directory());
  held.push_back(batch.directory());
  for (Directory* directory : held) {
    EXPECT_EQ(walk.recorder().left(), 0);
    walk.walk().Release(SystemKernel(), directory);
  }
  EXPECT_EQ(walk.recorder().left(), 1);
}

TEST(WalkTest, AWalkStoppedByAnotherThreadWakesWaitingThreads) {
  const ScratchDirectory scratch;
  RecordedWalk walk;
  std::latch is_reading(1);
  std::latch may_go_on(1);
  walk.recorder().on_enter = [&](Directory*) {
    is_reading.count_down();
    may_go_on.wait();
  };
  walk.AddRoot(scratch.path());
  std::thread reader([&] {
    WalkBatch batch;
    EXPECT_EQ(walk.AwaitNext(&batch), Walk::Result::kFinished);
  });
  is_reading.wait();
  WalkBatch batch;
  // The other thread may still find something.
  EXPECT_EQ(walk.walk().Next(SystemKernel(), /*may_wait=*/false, &batch),
            Walk::Result::kNothingYet);
  std::thread waiter([&] {
    WalkBatch none;
    EXPECT_EQ(walk.AwaitNext(&none), Walk::Result::kFinished);
  });
  walk.walk().Stop(SystemKernel());
  waiter.join();
  may_go_on.count_down();
  reader.join();
  walk.Run(/*threads=*/1, TestSeed());
}

// One thread has a directory's entries in hand while another waits for work.
class WalkShareTest : public testing::Test {
 protected:
  static constexpr size_t kFiles = 10;

  WalkShareTest() {
    for (size_t i = 0; i < kFiles; ++i) {
      scratch_.WriteFile(absl::StrCat("file", i), "");
    }
    walk_.AddRoot(scratch_.path());
    EXPECT_EQ(walk_.AwaitNext(&batch_), Walk::Result::kBatch);
    EXPECT_EQ(batch_.entries().size(), kFiles);
  }

  // Makes another thread ask for work. What it gets is in its_result_ and its_batch_.
  std::thread StartWaiting() {
    return std::thread([this] { its_result_ = walk_.AwaitNext(&its_batch_); });
  }

  void Use(WalkBatch* batch) {
    while (!batch->entries().empty()) {
      walk_.recorder().Yielded(*batch->directory(), walk_.walk().Take(batch));
      walk_.recorder().Released(*batch->directory());
      walk_.walk().Release(SystemKernel(), batch->directory());
    }
  }

  // Whether somebody has woken it, or does so soon.
  static bool IsWoken(Kernel* kernel) {
    constexpr absl::Duration kLimit = absl::Seconds(10);
    std::vector<ChainResults> none;
    const SteadyTime until = kernel->Now() + absl::ToChronoNanoseconds(kLimit);
    kernel->Wait(kLimit, &none);
    return kernel->Now() < until;
  }

  const ScratchDirectory scratch_;
  RecordedWalk walk_;
  WalkBatch batch_;
  WalkBatch its_batch_;
  Walk::Result its_result_ = Walk::Result::kNothingYet;
};

TEST_F(WalkShareTest, AWaitingThreadGetsHalfOfWhatIsLeft) {
  std::thread other = StartWaiting();
  while (batch_.entries().size() == kFiles) walk_.walk().ShareIfWanted(&batch_);
  other.join();
  EXPECT_EQ(its_result_, Walk::Result::kBatch);
  EXPECT_EQ(batch_.entries().size(), kFiles / 2);
  EXPECT_EQ(its_batch_.entries().size(), kFiles / 2);
  Use(&its_batch_);
  Use(&batch_);
  walk_.Run(/*threads=*/1, TestSeed());
  EXPECT_EQ(walk_.recorder().found().size(), kFiles);
}

TEST_F(WalkShareTest, AWaitingThreadReturnsWhenNothingIsLeftToShare) {
  Use(&batch_);  // Nobody waits yet.
  std::thread other = StartWaiting();
  WalkBatch none;
  EXPECT_EQ(walk_.AwaitNext(&none), Walk::Result::kFinished);
  other.join();
  EXPECT_EQ(its_result_, Walk::Result::kFinished);
  walk_.Run(/*threads=*/1, TestSeed());
}

// Without a second thread, which might begin to wait when there is no need any more.
TEST_F(WalkShareTest, WhoHasAskedForAShareIsWokenAndFindsIt) {
  SyscallKernel asking(/*slots=*/0);
  EXPECT_FALSE(walk_.walk().AskForShare(&asking));
  walk_.walk().ShareIfWanted(&batch_);
  EXPECT_TRUE(IsWoken(&asking));
  EXPECT_EQ(walk_.walk().PiecesToTake(), 2u);  // The share, and the rest of it.
  // Another thread's share is taken as well, instead of being waited for.
  SyscallKernel second(/*slots=*/0);
  EXPECT_TRUE(walk_.walk().AskForShare(&second));
  EXPECT_EQ(walk_.walk().Next(&second, /*may_wait=*/false, &its_batch_),
            Walk::Result::kBatch);
  EXPECT_EQ(its_batch_.entries().size(), kFiles / 2);
  Use(&its_batch_);
  Use(&batch_);  // The first thread still asks, and gets some of this.
  EXPECT_EQ(walk_.walk().Next(&asking, /*may_wait=*/true, &its_batch_),
            Walk::Result::kBatch);
  Use(&its_batch_);
  EXPECT_EQ(walk_.walk().Next(&asking, /*may_wait=*/true, &its_batch_),
            Walk::Result::kFinished);
  walk_.Run(/*threads=*/1, TestSeed());
}

TEST_F(WalkShareTest, WhoHasAskedInVainIsWokenWhenTheLastEntryIsTaken) {
  Directory* const directory = batch_.directory();
  const auto take = [&] {
    walk_.recorder().Yielded(*directory, walk_.walk().Take(&batch_));
    walk_.recorder().Released(*directory);
  };
  for (size_t i = 0; i + 1 < kFiles; ++i) {
    take();
    walk_.walk().Release(SystemKernel(), directory);
  }
  SyscallKernel waiting(/*slots=*/0);
  WalkBatch none;
  EXPECT_EQ(walk_.walk().Next(&waiting, /*may_wait=*/true, &none),
            Walk::Result::kNothingYet);
  take();
  EXPECT_TRUE(IsWoken(&waiting));
  walk_.walk().Release(SystemKernel(), directory);
  EXPECT_EQ(walk_.walk().Next(&waiting, /*may_wait=*/true, &none),
            Walk::Result::kFinished);
  walk_.Run(/*threads=*/1, TestSeed());
}

TEST_F(WalkShareTest, WhoHasAskedInVainIsWokenWhenTheWalkIsStopped) {
  SyscallKernel waiting(/*slots=*/0);
  WalkBatch none;
  EXPECT_EQ(walk_.walk().Next(&waiting, /*may_wait=*/true, &none),
            Walk::Result::kNothingYet);
  walk_.walk().Stop(SystemKernel());
  EXPECT_TRUE(IsWoken(&waiting));
  EXPECT_EQ(walk_.walk().Next(&waiting, /*may_wait=*/true, &none),
            Walk::Result::kFinished);
  Use(&batch_);
  walk_.Run(/*threads=*/1, TestSeed());
}

TEST_F(WalkShareTest, ABatchThatIsForgottenIsNotWaitedForAnyMore) {
  for (size_t i = 0; i < kFiles; ++i) {
    walk_.recorder().Yielded(*batch_.directory(), batch_.entries()[i]);
    walk_.recorder().Released(*batch_.directory());
    if (i + 1 < kFiles) walk_.walk().Release(SystemKernel(), batch_.directory());
  }
  Directory* const last = batch_.directory();
  std::thread other = StartWaiting();
  EXPECT_EQ(walk_.AwaitNext(&batch_), Walk::Result::kFinished);
  other.join();
  EXPECT_EQ(its_result_, Walk::Result::kFinished);
  walk_.walk().Release(SystemKernel(), last);
  walk_.Run(/*threads=*/1, TestSeed());
}

TEST_F(WalkShareTest, WhatIsSharedButNotTakenIsReleasedByStopping) {
  std::thread other = StartWaiting();
  while (batch_.entries().size() == kFiles) walk_.walk().ShareIfWanted(&batch_);
  walk_.walk().Stop(SystemKernel());
  other.join();
  Use(&its_batch_);  // The other thread may have got it in time.
  Use(&batch_);
  walk_.Run(/*threads=*/1, TestSeed());
}

TEST(WalkTest, AWalkThatNeverStartsLeavesNothingBehind) {
  const ScratchDirectory scratch;
  RecordedWalk walk;
  walk.AddRoot(scratch.path());
  walk.AddGiven(walk.walk().top(), "never entered", {"y"});
  walk.walk().AddEntry(walk.walk().top(), Named("x"));
  walk.walk().Stop(SystemKernel());
  walk.Run(/*threads=*/1, TestSeed());
  EXPECT_TRUE(walk.recorder().entered().empty());
  EXPECT_TRUE(walk.recorder().found().empty());
}

}  // namespace
}  // namespace ringcp
