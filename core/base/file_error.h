// One thing that could not be copied: what was tried, on which path, and why. The text is
// GNU cp's, because scripts and people are used to it.
//
// Thread-safety: plain values and pure functions.

#ifndef RINGCP_CORE_BASE_FILE_ERROR_H_
#define RINGCP_CORE_BASE_FILE_ERROR_H_

#include <string>
#include <string_view>

namespace ringcp {

// What was being done when it failed. The table in file_error.cc has the same order.
enum class Operation {
  kStat,
  kOpen,
  kCreate,
  kRead,
  kWrite,
  kClose,
  kReadDirectory,
  kAccessDirectory,
  kMakeDirectory,
  kMakeParent,    // A directory above a target (--parents).
  kLookAtParent,  // A directory above a source.
  kReadLink,
  kMakeSymlink,
  kMakeSymlinkTo,
  kMakeHardLink,
  kMakeFifo,
  kMakeSpecial,
  kRemove,
  kBackUp,
  kTakeBack,
  kSetTimes,
  kSetTimesOfParent,
  kSetOwner,
  kSetMode,
  kListXattrs,
  kGetXattr,
  kSetXattr,
  kSetXattrs,  // The file system takes none of them.
  // SELinux's label: a source's, that of what is made next, by the policy or not, and
  // that of an existing target.
  kGetLabel,
  kLabelNext,
  kLabelNextByPolicy,
  kSetLabel,
  kClone,
  // A refusal: no system call failed, and the error number is 0.
  kRefuse,
};

struct FileError {
  Operation operation = Operation::kRefuse;
  int error_number = 0;  // errno of the failed call; 0 for a refusal.
  std::string path;     // The path the operation failed on, as typed; may hold any bytes.
  std::string message;  // The whole line without the program's name; valid UTF-8.
};

// The failure of `operation` on `path` with `error_number` (an errno value, > 0), worded
// as GNU cp words it. `other_path` is the second path of the operations that name two:
// what kMakeSymlinkTo and kMakeHardLink link to, the source of kClone; or the name of the
// attribute of kGetXattr and kSetXattr, or the label of kLabelNext. It is ignored for the
// others.
FileError MakeFileError(Operation operation, std::string_view path, int error_number,
                        std::string_view other_path = {});

// A refusal on `path`: `message` is the whole line.
FileError MakeRefusal(std::string_view path, std::string message);

// A short lower-case name of `operation` for machines: "open", "mkdir", "refuse", ...
std::string_view OperationName(Operation operation);

// "ENOSPC" for ENOSPC; "" for 0; "errno 4711" for a number without a name.
std::string ErrnoName(int error_number);

// From now on names are quoted for a person, as by GNU programs: in UTF-8 if `is_utf8`
// says that the person's locale is one of UTF-8, or else in ASCII. Otherwise they are
// quoted in UTF-8 in any case. Called by main(), before there are other threads;
// `is_utf8` is called when the first name is quoted, by any thread.
void QuoteForPerson(bool (*is_utf8)());

// `name` quoted for people and shells, as GNU cp does it: 'plain', "it's",
// 'new'$'\n''line'. Bytes that are not printable UTF-8, or beyond ASCII if that is
// what names are quoted in, become octal escapes, so the result is always one line of
// printable, valid UTF-8.
std::string Quote(std::string_view name);

// `name` as it is, or quoted if a shell would take it for something else, as GNU cp names
// a file at the beginning of a line.
std::string QuoteIfNeeded(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_FILE_ERROR_H_
