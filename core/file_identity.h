// Which file on which device: what a name leads to, or a descriptor. No two files that
// exist at a time have the same; one that is open exists.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_IDENTITY_H_
#define RINGCP_CORE_FILE_IDENTITY_H_

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <utility>

namespace ringcp {

struct FileIdentity {
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint64_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const FileIdentity& id) {
    return H::combine(std::move(h), id.device_major, id.device_minor, id.inode);
  }
};

inline FileIdentity IdentityOf(const struct stat& stat) {
  return {major(stat.st_dev), minor(stat.st_dev), stat.st_ino};
}

inline FileIdentity IdentityOf(const struct statx& stat) {
  return {stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino};
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_IDENTITY_H_
