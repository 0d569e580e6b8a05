// Removes a file by its name: a target that a copy made and could not complete, or an old
// target that has to make way. Just before the removal the name is looked at, and nothing
// is removed unless the name still leads to the expected file.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_REMOVAL_H_
#define RINGCP_CORE_FILE_REMOVAL_H_

#include <sys/stat.h>

#include <cstdint>

#include "core/kernel/kernel.h"

namespace ringcp {

// What has the name of a file that is to be removed?
enum class HasName {
  kNothing,
  kIt,
  kAnother,  // Another file, which somebody else has put there. It stays.
  kUnknown,  // The name can't be looked at.
};

// Judges a stat of the name that followed no symbolic links: it ended with `result` and,
// if that is 0, gave `named`. `it` is the stat of the file that is to be removed, which
// is open or was open just now.
HasName WhatHasName(int32_t result, const struct statx& named, const struct statx& it);

// Removes `name` from `directory` if it still leads to the file whose stat is `made`. If
// somebody else has put another file there, that file stays. Returns 0 if the name does
// not lead to the file any more; otherwise the errno that says why it still does.
//
// REQUIRES: the file is no directory. The caller has the file open, or has made it and
// closed it just now: once nothing holds a file, another one can get its inode number.
//
// Linux can't remove a file by its descriptor, so a race remains. If somebody renames
// another file to `name` in the few microseconds between the last look and the unlink,
// that other file is removed.
int RemoveIfSame(Kernel* kernel, int directory, const char* name,
                 const struct statx& made);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_REMOVAL_H_
