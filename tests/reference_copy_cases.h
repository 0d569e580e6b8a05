// The cases in which ringcp is compared with the reference copy: one or two files of
// every kind, what the target already has under their names, and how they are copied.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_REFERENCE_COPY_CASES_H_
#define RINGCP_TESTS_REFERENCE_COPY_CASES_H_

#include <array>
#include <cstdint>
#include <string>

#include "core/base/copy_options.h"

namespace ringcp {

// What there is to copy under a name. "Other" is the file of the other name.
enum class SourceEntry {
  kNone,
  kEmptyFile,
  kFile,
  kFileOfOddMode,  // And belongs to another user.
  kLinkToFile,
  kDanglingLink,
  kLinkToDirectory,
  kLinkToOther,
  kLinkToParent,
  kEmptyDirectory,
  kDirectory,
  kFifo,
  kSocket,
  kHardLink,  // To the other file.
};
inline constexpr int kSourceEntries = 14;

// What the target already has under the name that the copy gets.
enum class TargetEntry {
  kNone,
  kFile,
  kLongerFile,
  kFileWithOtherName,  // Outside the target; shows if the name was replaced.
  kLinkToFile,
  kDanglingLink,
  kLinkToDirectory,
  kLinkToOther,
  kLinkToSource,
  kEmptyDirectory,
  kDirectory,
  kFifo,
  kSocket,
  kHardLink,          // To the other file.
  kHardLinkOfSource,  // To the source of this copy.
};
inline constexpr int kTargetEntries = 15;

enum class Layout {
  kNamed,      // cp s/a s/b t
  kTree,       // cp -T s t
  kTreeToNew,  // cp -T s t, where t does not exist
  kFileToName  // cp -T s/a t/a
};
inline constexpr int kLayouts = 4;

struct CopyCase {
  Layout layout = Layout::kNamed;
  int options = 0;  // Less than NumberOfOptions().
  // For the names "a" and "b".
  std::array<SourceEntry, 2> sources = {SourceEntry::kNone, SourceEntry::kNone};
  std::array<TargetEntry, 2> targets = {TargetEntry::kNone, TargetEntry::kNone};
};

// How many sets of options there are: every set of up to two options, with and without
// -r, and -a with one more.
int NumberOfOptions();

// Cases are numbered from 0. A number always stands for the same case as long as nothing
// is added to the enumerations above.
int64_t NumberOfCases();
CopyCase CaseOfNumber(int64_t number);
int64_t NumberOfCase(const CopyCase& copy_case);

// Whether the case can be tried: some make no sense, some would wait for another process.
bool IsPossible(const CopyCase& copy_case);
bool HasTwoEntries(const CopyCase& copy_case);
// Not counting -r.
bool HasOneOptionAtMost(const CopyCase& copy_case);

// The case on one line, with a command that does the same.
std::string Description(const CopyCase& copy_case);

// The request that copies "s" to "t". Its options include the umask.
CopyRequest RequestOf(const CopyCase& copy_case, EngineChoice engine);

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_CASES_H_
