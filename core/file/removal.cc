#include "core/file/removal.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/file_identity.h"
#include "core/kernel/op.h"

namespace ringcp {

int RemoveIfSame(Kernel* kernel, int directory, const char* name,
                 const struct statx& made) {
  struct statx stat;
  const int32_t result = kernel->Stat(directory, name, AT_SYMLINK_NOFOLLOW, &stat);
  if (result != 0) return result == -ENOENT ? 0 : -result;
  if (!IsStillTheSame(stat, made)) return 0;
  const int32_t removed = kernel->Do(UnlinkAt(directory, name, 0));
  return removed == -ENOENT ? 0 : -removed;
}

}  // namespace ringcp
