// The cases in which ringcp is compared with the reference copy: one or two files of
// every kind, what is already there under their names in the target, and how they are
// copied.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_REFERENCE_COPY_CASES_H_
#define RINGCP_TESTS_REFERENCE_COPY_CASES_H_

#include <array>
#include <cstdint>
#include <string>

#include "core/base/copy_options.h"

namespace ringcp {

// What there is to copy under a name. "The other" is what the other name stands for.
enum class SourceEntry {
  kNone,
  kEmptyFile,
  kFile,
  kFileOfOddMode,  // And of another user.
  kLinkToFile,
  kDanglingLink,
  kLinkToDirectory,
  kLinkToOther,
  kLinkToParent,
  kEmptyDirectory,
  kDirectory,
  kFifo,
  kSocket,
  kHardLink,  // Of the other.
};
inline constexpr int kSourceEntries = 14;

// What is there before, under the name that the copy is to have.
enum class TargetEntry {
  kNone,
  kFile,
  kLongerFile,
  kFileWithOtherName,  // Outside the target; tells whether the file or the name is taken.
  kLinkToFile,
  kDanglingLink,
  kLinkToDirectory,
  kLinkToOther,
  kLinkToSource,
  kEmptyDirectory,
  kDirectory,
  kFifo,
  kSocket,
  kHardLink,          // Of the other.
  kHardLinkOfSource,  // Of what is to be copied there.
};
inline constexpr int kTargetEntries = 15;

enum class Layout {
  kNamed,      // cp s/a s/b t
  kTree,       // cp -T s t
  kTreeToNew,  // cp -T s t, with no t
  kFileToName  // cp -T s/a t/a
};
inline constexpr int kLayouts = 4;

struct CopyCase {
  Layout layout = Layout::kNamed;
  int options = 0;  // Below NumberOfOptions().
  // Of the names "a" and "b".
  std::array<SourceEntry, 2> sources = {SourceEntry::kNone, SourceEntry::kNone};
  std::array<TargetEntry, 2> targets = {TargetEntry::kNone, TargetEntry::kNone};
};

// How many ways to copy there are: all sets of up to two options, also with -r, and -a
// with one more.
int NumberOfOptions();

// Cases are numbered from 0 on; a number stands for one case for good only while nothing
// is added above.
int64_t NumberOfCases();
CopyCase CaseOfNumber(int64_t number);
int64_t NumberOfCase(const CopyCase& copy_case);

// Whether there is such a case: some make no sense, some would wait for another process.
bool IsPossible(const CopyCase& copy_case);
bool HasTwoEntries(const CopyCase& copy_case);
// Besides -r.
bool HasOneOptionAtMost(const CopyCase& copy_case);

// On one line, with the command that does the same.
std::string Description(const CopyCase& copy_case);

// What is named in it are "s", "t" and their entries. The umask is part of the options.
CopyRequest RequestOf(const CopyCase& copy_case, EngineChoice engine);

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_CASES_H_
