// Tests which sources of one command may be copied at the same time.

#include "core/job/name_table.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/job/top_level.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

class NoObserver : public JobObserver {
 public:
  void OnError(const FileError& /*error*/) override {}
  void OnWarning(std::string_view /*message*/) override {}
};

class NameTableTest : public testing::Test {
 protected:
  NameTableTest() {
    scratch_.MakeDirectory("target");
    scratch_.MakeDirectory("source");
    scratch_.WriteFile("source/a", "new a");
    scratch_.WriteFile("source/b", "new b");
  }

  // Whether the sources are copied one after the other.
  bool AreInOrder(const std::vector<std::string>& sources,
                  const std::string& letters = "r") {
    CopyRequest request;
    for (const std::string& source : sources) {
      request.sources.push_back(scratch_.Path(source));
    }
    request.target = scratch_.Path("target");
    request.options = OptionsFor(letters);
    NoObserver observer;
    Reporter reporter(&observer);
    const auto top = ResolveTopLevel(SystemKernel(), request, &reporter);
    EXPECT_TRUE(top.ok());
    SystemKernel()->Close(top->target_fd);
    EXPECT_EQ(top->sources.size(), sources.size());
    return top->sources.back().collides;
  }

  // The same for the names of sources in the directory "source", with --parents.
  bool AreInOrderWithParents(const std::string& names) {
    return InChildProcess([&]() -> std::string {
             if (chdir(scratch_.Path("source").c_str()) != 0) return "chdir";
             CopyRequest request;
             request.sources = absl::StrSplit(names, ' ');
             request.target = scratch_.Path("target");
             request.options = OptionsFor("r");
             request.options.parents = true;
             NoObserver observer;
             Reporter reporter(&observer);
             const auto top = ResolveTopLevel(SystemKernel(), request, &reporter);
             return top.ok() && top->sources.back().collides ? "in order" : "";
           }) == "in order";
  }

  const ScratchDirectory scratch_;
};

TEST_F(NameTableTest, WhereNoTargetIsThereAllAreCopiedTogether) {
  EXPECT_FALSE(AreInOrder({"source/a", "source/b"}));
}

TEST_F(NameTableTest, SourcesAreCopiedTogetherWhereOtherFilesAreOverwritten) {
  scratch_.WriteFile("target/a", "old a");
  EXPECT_FALSE(AreInOrder({"source/a", "source/b"}));
}

// No copy may write a file that another one reads, so they are copied one by one as in
// GNU cp.
TEST_F(NameTableTest, ASourceThatAnotherOneIsCopiedOverIsCopiedInOrder) {
  scratch_.WriteFile("target/a", "old a");
  ASSERT_EQ(link(scratch_.Path("target/a").c_str(), scratch_.Path("source/c").c_str()),
            0);
  EXPECT_TRUE(AreInOrder({"source/c", "source/a"}));
}

TEST_F(NameTableTest, ASourceThatIsALinkToATargetIsCopiedInOrder) {
  scratch_.WriteFile("target/a", "old a");
  ASSERT_EQ(symlink(scratch_.Path("target/a").c_str(), scratch_.Path("source/c").c_str()),
            0);
  EXPECT_TRUE(AreInOrder({"source/c", "source/a"}, "L"));
  EXPECT_FALSE(AreInOrder({"source/c", "source/a"}, "rP"));
}

TEST_F(NameTableTest, ASourceBelowADirectoryThatIsMergedIntoIsCopiedInOrder) {
  scratch_.MakeDirectory("target/d");
  scratch_.MakeDirectory("target/d/below");
  scratch_.WriteFile("target/d/below/x", "old x");
  scratch_.MakeDirectory("source/d");
  EXPECT_TRUE(AreInOrder({"target/d/below/x", "source/d"}));
  EXPECT_FALSE(AreInOrder({"source/a", "source/d"}));
}

TEST_F(NameTableTest, SourcesWithTheSameParentsAreCopiedTogether) {
  PrepareWithShell(scratch_.Path("source"), "mkdir -p d/e; touch d/e/f d/e/g d/h");
  EXPECT_FALSE(AreInOrderWithParents("d/e/f d/e/g d/h a d//h/. no/x"));
  EXPECT_FALSE(AreInOrderWithParents("./d/e/f ./d/h"));
  PrepareWithShell(scratch_.Path("target"), "mkdir -p d/e; touch d/e/f");
  EXPECT_FALSE(AreInOrderWithParents("d/e/f d/e/g d/h"));
}

// Else two of them could make or write one file at the same time.
TEST_F(NameTableTest, ParentsThatMayBeOneDirectoryAreCopiedInOrder) {
  PrepareWithShell(scratch_.Path("source"),
                   "mkdir -p d/e D d/d u; touch d/e/f D/f d/d/f u/f");
  EXPECT_TRUE(AreInOrderWithParents("d/e/f D/f"));
  EXPECT_TRUE(AreInOrderWithParents("d/e/f ./d/e/f"));
  EXPECT_TRUE(AreInOrderWithParents("d/e/f ./a d/e/../e/f u/f"));
  EXPECT_TRUE(AreInOrderWithParents("d/../d/e/f u/f"));
  EXPECT_TRUE(AreInOrderWithParents("d d/e/f"));
  EXPECT_TRUE(AreInOrderWithParents("d/e/f d"));
  EXPECT_TRUE(AreInOrderWithParents("d/e/f D u/f"));
  EXPECT_TRUE(AreInOrderWithParents("d/e/. d/e/f"));
  PrepareWithShell(scratch_.Path("target"), "mkdir d; ln -s d u");
  EXPECT_TRUE(AreInOrderWithParents("d/e/f u/f"));
  EXPECT_TRUE(AreInOrderWithParents("u/f d"));
  EXPECT_FALSE(AreInOrderWithParents("d/e/f d/d/f"));
}

}  // namespace
}  // namespace ringcp
