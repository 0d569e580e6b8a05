#include "core/file/removal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ringcp {

int RemoveIfSame(int directory, const char* name, const FileIdentity& identity) {
  struct stat stat;
  if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
    return errno == ENOENT ? 0 : errno;
  }
  if (IdentityOf(stat) != identity) return 0;
  return unlinkat(directory, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace ringcp
