#include "core/file/removal.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/file_identity.h"
#include "core/kernel/op.h"

namespace ringcp {

HasName WhatHasName(int32_t result, const struct statx& named, const struct statx& it) {
  if (result == -ENOENT) return HasName::kNothing;
  if (result < 0) return HasName::kUnknown;
  return IsStillTheSame(named, it) ? HasName::kIt : HasName::kAnother;
}

int RemoveIfSame(Kernel* kernel, int directory, const char* name,
                 const struct statx& made) {
  struct statx named;
  const int32_t result = kernel->Stat(directory, name, AT_SYMLINK_NOFOLLOW, &named);
  switch (WhatHasName(result, named, made)) {
    case HasName::kIt:
      break;
    case HasName::kNothing:
    case HasName::kAnother:
      return 0;
    case HasName::kUnknown:
      return -result;
  }
  const int32_t removed = kernel->Do(UnlinkAt(directory, name, 0));
  return removed == -ENOENT ? 0 : -removed;
}

}  // namespace ringcp
