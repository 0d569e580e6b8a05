// Which file on which device a name or a descriptor leads to. No two files that exist at
// the same time have the same identity, and a file that is open exists. Once a file is
// gone, a new one may get its inode number; the time of birth (from statx(2), on most
// file systems) tells the two apart.
//
// All stats here are statx(2)'s, because io_uring has no other form.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_BASE_FILE_IDENTITY_H_
#define RINGCP_CORE_BASE_FILE_IDENTITY_H_

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <utility>

namespace ringcp {

struct FileIdentity {
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint64_t inode = 0;
  uint64_t made_at_nanoseconds = 0;  // Time of birth since 1970; 0: not known.

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const FileIdentity& id) {
    return H::combine(std::move(h), id.device_major, id.device_minor, id.inode,
                      id.made_at_nanoseconds);
  }
};

// The device that a file is on, and the one that a device file stands for.
inline dev_t DeviceOf(const struct statx& stat) {
  return makedev(stat.stx_dev_major, stat.stx_dev_minor);
}
inline dev_t NodeDeviceOf(const struct statx& stat) {
  return makedev(stat.stx_rdev_major, stat.stx_rdev_minor);
}

// Whether two stats are of the same file. The files of both must still exist.
inline bool SameFile(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
         a.stx_dev_minor == b.stx_dev_minor;
}

// Whether two stats, taken one after the other, are of the same file. Between them the
// file may have been removed, and its inode number given to a new one; the time of birth
// shows this if both stats have it.
inline bool IsStillTheSame(const struct statx& a, const struct statx& b) {
  if (!SameFile(a, b)) return false;
  if ((a.stx_mask & b.stx_mask & STATX_BTIME) == 0) return true;
  return a.stx_btime.tv_sec == b.stx_btime.tv_sec &&
         a.stx_btime.tv_nsec == b.stx_btime.tv_nsec;
}

inline FileIdentity IdentityOf(const struct statx& stat) {
  constexpr uint64_t kNanoseconds = 1'000'000'000;
  const bool is_known = (stat.stx_mask & STATX_BTIME) != 0;
  return {.device_major = stat.stx_dev_major,
          .device_minor = stat.stx_dev_minor,
          .inode = stat.stx_ino,
          .made_at_nanoseconds =
              is_known ? static_cast<uint64_t>(stat.stx_btime.tv_sec) * kNanoseconds +
                             stat.stx_btime.tv_nsec
                       : 0};
}

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_FILE_IDENTITY_H_
