// Compares every engine with the reference copy: whatever one or two files are copied to
// whatever is there before, both must leave the same files and report the same failures.
//
// All cases of one file are tried with each engine. Of the cases of two files, as many as
// fit into the time are drawn, by RINGCP_TEST_SEED. For a case that fails, the test
// prints a command that runs only that one.

#include "tests/reference_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/reference_copy_cases.h"
#include "tests/reference_copy_files.h"
#include "tests/scratch_directory.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

// The functions below find the cases that are known to differ and are left out.

bool HasSource(const CopyCase& copy_case, std::initializer_list<SourceEntry> entries) {
  return std::any_of(entries.begin(), entries.end(), [&](SourceEntry entry) {
    return copy_case.sources[0] == entry || copy_case.sources[1] == entry;
  });
}
bool HasTarget(const CopyCase& copy_case, std::initializer_list<TargetEntry> entries) {
  return std::any_of(entries.begin(), entries.end(), [&](TargetEntry entry) {
    return copy_case.targets[0] == entry || copy_case.targets[1] == entry;
  });
}
bool HasSourceDirectory(const CopyCase& copy_case) {
  return HasSource(copy_case, {SourceEntry::kEmptyDirectory, SourceEntry::kDirectory});
}
bool HasSourceLink(const CopyCase& copy_case) {
  return HasSource(copy_case, {SourceEntry::kLinkToFile, SourceEntry::kDanglingLink,
                               SourceEntry::kLinkToDirectory, SourceEntry::kLinkToOther,
                               SourceEntry::kLinkToParent});
}
CopyOptions OptionsOf(const CopyCase& copy_case) {
  return RequestOf(copy_case, EngineChoice::kAuto).options;
}
bool SourcesAreNamed(const CopyCase& copy_case) {
  return copy_case.layout == Layout::kNamed || copy_case.layout == Layout::kFileToName;
}

// Whether symbolic links that the user names as sources are followed.
bool FollowsNamed(const CopyOptions& options) {
  return options.dereference == Dereference::kAlways ||
         options.dereference == Dereference::kCommandLine ||
         (options.dereference == Dereference::kDefault && !options.recursive);
}

// Whether both sources are copied as names of one file.
bool SourcesAreLinked(const CopyCase& copy_case) {
  return OptionsOf(copy_case).preserve.links &&
         (copy_case.sources[1] == SourceEntry::kHardLink ||
          (FollowsNamed(OptionsOf(copy_case)) &&
           HasSource(copy_case, {SourceEntry::kLinkToOther})));
}

// ringcp reads a named link's times after it has followed the link, which changes the
// access time. GNU cp reads them before.
bool AccessTimeOfNamedLinkIsLost(const CopyCase& copy_case) {
  return !HasTwoEntries(copy_case) && OptionsOf(copy_case).preserve.timestamps &&
         !FollowsNamed(OptionsOf(copy_case)) && SourcesAreNamed(copy_case) &&
         HasSourceLink(copy_case) && copy_case.targets[0] == TargetEntry::kNone;
}

// If one target is replaced while the other leads to it or shares its file, the order of
// the copies matters. ringcp copies both at the same time, and first what is not a
// regular file.
bool TargetsDependOnEachOther(const CopyCase& copy_case) {
  const CopyOptions options = OptionsOf(copy_case);
  const bool depend =
      HasTarget(copy_case, {TargetEntry::kLinkToOther, TargetEntry::kHardLink}) ||
      (HasTarget(copy_case, {TargetEntry::kHardLinkOfSource}) &&
       HasSource(copy_case, {SourceEntry::kLinkToOther}));
  return depend && HasTwoEntries(copy_case) &&
         (options.preserve.links || options.force || options.update != Update::kAll ||
          options.backup != Backup::kNone || options.makes != Makes::kCopies ||
          options.attributes_only || HasSourceDirectory(copy_case) ||
          HasSourceLink(copy_case) ||
          HasSource(copy_case, {SourceEntry::kFifo, SourceEntry::kSocket}));
}

// A source is named, and also lies in a directory that was named before through a link.
// GNU cp has already copied it with that directory; ringcp has not yet.
bool NamedSourceIsMetInAnother(const CopyCase& copy_case) {
  const CopyOptions options = OptionsOf(copy_case);
  return copy_case.layout == Layout::kNamed && HasTwoEntries(copy_case) &&
         FollowsNamed(options) && HasSource(copy_case, {SourceEntry::kLinkToParent}) &&
         (options.preserve.links || HasSourceDirectory(copy_case));
}

// Whether named sources must be copied in their order, as in GNU cp. ringcp keeps the
// order of sources that have the same target, but of several names of one file it may
// copy any and link the others.
bool OrderMatters(const CopyCase& copy_case) {
  return copy_case.layout == Layout::kNamed && !SourcesAreLinked(copy_case);
}

bool IsKnownToDiffer(const CopyCase& copy_case) {
  return AccessTimeOfNamedLinkIsLost(copy_case) || TargetsDependOnEachOther(copy_case) ||
         NamedSourceIsMetInAnother(copy_case);
}

// If a directory is to replace a link to itself, GNU cp says that both are the same file.
// ringcp says that it can't overwrite a non-directory.
bool SaysItInOtherWords(const CopyCase& copy_case) {
  return HasSourceDirectory(copy_case) &&
         HasTarget(copy_case, {TargetEntry::kLinkToSource});
}

// What can be seen of a copy that has ended.
struct Outcome {
  std::string messages;
  std::vector<std::string> files;
};

Outcome OutcomeOfReference(const CopyCase& copy_case, EntryOrder order) {
  const FilesOfCase files(copy_case);
  const CopyRequest request = RequestOf(copy_case, EngineChoice::kThreads);
  umask(request.options.umask);
  std::string messages = ReferenceCopy(request, order);
  if (SaysItInOtherWords(copy_case)) messages = "";
  return {std::move(messages), files.List()};
}

// "" if both are equal, otherwise lines that show how they differ.
std::string Difference(const Outcome& expected, const Outcome& actual) {
  std::string difference = DifferenceOfTrees(expected.files, actual.files);
  if (expected.messages != actual.messages) {
    absl::StrAppend(&difference, "expected messages:\n", expected.messages,
                    "\nactual messages:\n", actual.messages, "\n");
  }
  return difference;
}

class ReferenceCopyTest : public EngineTest {
 protected:
  static constexpr int kFailuresMax = 10;  // Failures that are reported.

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
    EngineTest::SetUp();
    umask_before_ = umask(0);
    directory_before_ = std::filesystem::current_path();
    std::filesystem::current_path(memory_.path());
  }
  void TearDown() override {
    if (directory_before_.empty()) return;  // The test was skipped.
    std::filesystem::current_path(directory_before_);
    umask(umask_before_);
    std::printf("%d cases\n", cases_);
  }

  // Runs a single case if the environment asks for one, even one that is known to differ.
  // Returns whether it has.
  bool RanTheCaseThatWasAskedFor() {
    const char* number = std::getenv("RINGCP_REFERENCE_CASE");
    if (number == nullptr) return false;
    const CopyCase copy_case = CaseOfNumber(std::strtoll(number, nullptr, 10));
    EXPECT_TRUE(IsPossible(copy_case)) << Description(copy_case);
    if (IsPossible(copy_case)) Try(copy_case);
    return true;
  }

  void Try(const CopyCase& copy_case) {
    if (failures_ == kFailuresMax) return;
    ++cases_;
    Outcome actual;
    {
      const FilesOfCase files(copy_case);
      const CopyRequest request = RequestOf(copy_case, GetParam());
      umask(request.options.umask);
      const JobRun run = RunJob(request);
      actual = {run.Messages(), files.List()};
      EXPECT_EQ(run.succeeded(), actual.messages.empty()) << Description(copy_case);
    }
    if (SaysItInOtherWords(copy_case)) actual.messages = "";
    const std::string difference =
        Difference(OutcomeOfReference(copy_case, EntryOrder::kForwards), actual);
    if (difference.empty() ||
        (!OrderMatters(copy_case) &&
         Difference(OutcomeOfReference(copy_case, EntryOrder::kBackwards), actual)
             .empty())) {
      return;
    }
    ++failures_;
    ADD_FAILURE() << Description(copy_case) << "\n"
                  << difference
                  << "To run it again: ./dev test //tests/job:reference_copy_test"
                  << " --test_filter='*/" << EngineName(GetParam())
                  << "' --test_env=RINGCP_REFERENCE_CASE=" << NumberOfCase(copy_case);
  }

  // In memory, because a disk's file system would take ten times as long.
  const ScratchDirectory memory_{ScratchDirectory::ParentInMemory()};
  int cases_ = 0;
  int failures_ = 0;
  mode_t umask_before_ = 0;
  std::string directory_before_;
};

TEST_P(ReferenceCopyTest, AllCasesOfOneFileAndOneOption) {
  if (RanTheCaseThatWasAskedFor()) return;
  for (int64_t number = 0; number < NumberOfCases(); ++number) {
    const CopyCase copy_case = CaseOfNumber(number);
    if (IsPossible(copy_case) && !HasTwoEntries(copy_case) &&
        HasOneOptionAtMost(copy_case) && !IsKnownToDiffer(copy_case)) {
      Try(copy_case);
    }
  }
}

TEST_P(ReferenceCopyTest, SomeOfAllCases) {
  if (RanTheCaseThatWasAskedFor()) return;
  constexpr int kCases = 40'000;
  std::mt19937_64 random(TestSeed());
  while (cases_ < kCases && failures_ < kFailuresMax) {
    CopyCase copy_case = CaseOfNumber(static_cast<int64_t>(random() % NumberOfCases()));
    // Otherwise hardly any case would have only one file.
    if (random() % 4 == 0) copy_case.sources[1] = SourceEntry::kNone;
    if (IsPossible(copy_case) && !IsKnownToDiffer(copy_case)) Try(copy_case);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ReferenceCopyTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp
