// Chooses what of the next file's copy is done by calls at once, on the ring's thread
// (CallsAtOnce), by whether the thread had to wait in the last ones: all of it while
// files are in memory; less, and the rest by chains, so that many are waited for at a
// time, when they have to be fetched.
//
// Why: handing an op that creates or writes to the kernel wakes one of its workers, whose
// end wakes the ring's thread. From memory the call itself takes no longer than that.
// 50,000 files, chains against calls, medians of 11 runs: on ext4 0.460 s and 0.444 s,
// with -a 0.495 s and 0.484 s; on tmpfs 0.346 s and 0.307 s, with -a 0.372 s and 0.331 s;
// cloned on XFS 0.50 s and 0.44 s. On a disk that has to seek, or over a network, each
// call would stop the thread: read from a disk, the same files take 2.3 s by chains, 5.6
// s by calls on as many threads.
//
// Alternatives: one kind of call after the other for 32 files at a time is no faster than
// one file after the other. Always having only the stat at once, in front of one chain
// for the rest of the file, was in between.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_CORE_FILE_AT_ONCE_CHOOSER_H_
#define RINGCP_CORE_FILE_AT_ONCE_CHOOSER_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/file/calls_at_once.h"
#include "core/kernel/waited.h"

namespace ringcp {

class AtOnceChooser {
 public:
  // More time for each byte that was copied: memory is faster by far.
  static constexpr std::chrono::nanoseconds kTimePerByte{1};
  // Files that are copied without calls of a kind after it made the thread wait. So where
  // all of them would, one in so many is waited for alone.
  static constexpr int kFilesWithoutStat = 64;
  // Contents take several waits: each time that the next one waits as well there are
  // twice as many.
  static constexpr int kFilesWithoutAllMin = 64;
  static constexpr int kFilesWithoutAllMax = 1024;

  // `most`: what is done at once for files that are in memory.
  explicit AtOnceChooser(CallsAtOnce most) : most_(most) {}

  CallsAtOnce Next() {
    if (without_stat_ > 0) {
      --without_stat_;
      return CallsAtOnce::kNone;
    }
    if (most_ == CallsAtOnce::kBlocks) return most_;
    if (without_all_ > 0) {
      --without_all_;
      return CallsAtOnce::kOpen;
    }
    return most_;
  }

  // Whether inodes are in memory, as far as is known.
  bool is_warm() const { return is_warm_; }

  // For how long calls for a file that took `time`, `bytes` having been copied, may have
  // made the thread wait. It may also have had to let other threads run.
  static std::chrono::nanoseconds TimeToWait(std::chrono::nanoseconds time,
                                             int64_t bytes) {
    return time - bytes * kTimePerByte;
  }

  // Notes what the thread waited for in the calls that Next() told. Chains help against
  // short waits only if it is so for most files.
  void Note(CallsAtOnce calls, Waited waited) {
    const bool counts = filter_.Counts(waited);
    if (calls == CallsAtOnce::kOpen && counts) {
      without_stat_ = kFilesWithoutStat;
      is_warm_ = false;
    } else if (waited == Waited::kNot) {
      is_warm_ = true;
    }
    if (calls != CallsAtOnce::kAll) return;
    if (counts) {
      without_all_ = without_all_next_;
      without_all_next_ = std::min(2 * without_all_next_, kFilesWithoutAllMax);
    } else if (waited == Waited::kNot) {
      without_all_next_ = kFilesWithoutAllMin;
    }
  }

 private:
  const CallsAtOnce most_;
  // The stat of the last file that was tried was not waited for, as far as is known.
  bool is_warm_ = true;
  int without_stat_ = 0;  // Files to be copied without the stat at once.
  int without_all_ = 0;   // Files to be copied with no more than that.
  int without_all_next_ = kFilesWithoutAllMin;
  WaitFilter filter_{/*stays_alert=*/false};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_AT_ONCE_CHOOSER_H_
