// Takes away what a copy has made and could not complete, and nothing else.
//
// Thread-safety: the function may be called by any thread.

#ifndef RINGCP_CORE_FILE_REMOVAL_H_
#define RINGCP_CORE_FILE_REMOVAL_H_

#include <sys/stat.h>

#include "core/kernel/kernel.h"

namespace ringcp {

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
