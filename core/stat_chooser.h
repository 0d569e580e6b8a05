// Chooses how the stat of the next source is taken, by what the last ones took: at once,
// on the ring's thread, while their inodes are in memory; in the chain, where many are
// waited for at a time, when they have to be fetched.
//
// Why: a statx on the ring always goes to a kernel worker. With the stat at once a small
// file is one chain instead of two (50,000 warm files on ext4: 0.48 s before, 0.46 s). On
// a disk that has to seek, or over a network, each stat at once would stop the thread.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_CORE_STAT_CHOOSER_H_
#define RINGCP_CORE_STAT_CHOOSER_H_

#include <chrono>

#include "core/file_copy.h"

namespace ringcp {

class StatChooser {
 public:
  // A stat from memory takes about 1 us, one from a flash device 100 us and more.
  static constexpr std::chrono::microseconds kSlowMin{50};
  // Files whose stat is in the chain after a slow one. So where all of them are slow, one
  // in so many is waited for alone.
  static constexpr int kFilesInChain = 64;

  SourceStat Next() {
    if (is_warm()) return SourceStat::kAtOnce;
    --files_in_chain_;
    return SourceStat::kInChain;
  }

  // Whether inodes come from memory, as far as is known.
  bool is_warm() const { return files_in_chain_ == 0; }

  // Notes that a stat at once took `time`.
  void NoteAtOnce(std::chrono::nanoseconds time) {
    if (time >= kSlowMin) files_in_chain_ = kFilesInChain;
  }

 private:
  int files_in_chain_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_STAT_CHOOSER_H_
