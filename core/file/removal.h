// How a file is taken away by its name: what a copy has made and could not complete, or
// what is to make way, and nothing else. The name is compared with the file right before,
// and what has it then is removed only if it is that file.
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
  kAnother,  // Somebody else has put that there; it is left.
  kUnknown,  // It can't be looked at.
};

// A stat of the name, links not followed, has ended with `result` and, if that is 0,
// given `named`; `it` is the stat of the file, which is open or was so just now.
HasName WhatHasName(int32_t result, const struct statx& named, const struct statx& it);

// Removes `name` from `directory` if it is still the file that `made` is the stat of, no
// directory. By now somebody else may have put another file there: that one is left.
// Returns 0 if that file no longer has that name, else the errno that says why
// it is still there.
//
// REQUIRES: the caller has the file open, or made it and has closed it just now: once
// nothing holds a file, another can get its inode number.
//
// Linux can't remove a file by descriptor. So a window is left: what is put in the file's
// place by a rename between this function's last look and its unlink, a few microseconds
// later, is removed.
int RemoveIfSame(Kernel* kernel, int directory, const char* name,
                 const struct statx& made);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_REMOVAL_H_
