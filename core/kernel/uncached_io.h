// Reading and writing through the page cache without leaving anything in it
// (RWF_DONTCACHE, Linux 6.14): for a job, whether its files can, as found out by trying.
// Where they can't, they are dropped from the cache when they have been copied.
//
// Known by side only: a job that reads from, or writes to, file systems of both kinds
// drops the files of all of them. That costs waiting for write-back, and nothing else.
//
// Thread-safety: all methods may be called by any thread, and take no lock.

#ifndef RINGCP_CORE_KERNEL_UNCACHED_IO_H_
#define RINGCP_CORE_KERNEL_UNCACHED_IO_H_

#include <atomic>
#include <cerrno>

namespace ringcp {

class UncachedIo {
 public:
  // RWF_DONTCACHE, which Debian 12's headers do not name yet; the number is ABI.
  static constexpr int kDontCache = 0x80;

  // The flags to read or write with.
  int read_flags() const { return reads_refused() ? 0 : kDontCache; }
  int write_flags() const { return writes_refused() ? 0 : kDontCache; }

  // Whether `result` says that the flags are not to be had.
  static bool IsRefusal(int result) { return result == -EOPNOTSUPP; }
  void NoteReadsRefused() { reads_refused_.store(true, std::memory_order_relaxed); }
  void NoteWritesRefused() { writes_refused_.store(true, std::memory_order_relaxed); }

  bool reads_refused() const { return reads_refused_.load(std::memory_order_relaxed); }
  bool writes_refused() const { return writes_refused_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> reads_refused_ = false;
  std::atomic<bool> writes_refused_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_UNCACHED_IO_H_
