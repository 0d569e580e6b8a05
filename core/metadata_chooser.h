// Chooses how the calls that only concern the next source's inode are made (MetadataOps),
// by how long the last ones took: at once, on the ring's thread, while inodes are in
// memory; in chains, where many are waited for at a time, when they have to be fetched.
//
// Why: a statx on the ring always goes to a kernel worker, and so does an open that
// creates. With the stat at once a small file is one chain instead of two (50,000 warm
// files on ext4: 0.48 s before, 0.46 s), and a clone is no chain at all (file_copy.h). On
// a disk that has to seek, or over a network, each call at once would stop the thread.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_CORE_METADATA_CHOOSER_H_
#define RINGCP_CORE_METADATA_CHOOSER_H_

#include <chrono>

#include "core/file_copy.h"

namespace ringcp {

class MetadataChooser {
 public:
  // A stat from memory takes about 1 us, one from a flash device 100 us and more.
  static constexpr std::chrono::microseconds kSlowMin{50};
  // Files whose calls are in chains after a slow one. So where all of them are slow, one
  // in so many is waited for alone.
  static constexpr int kFilesInChain = 64;

  MetadataOps Next() {
    if (is_warm()) return MetadataOps::kAtOnce;
    --files_in_chain_;
    return MetadataOps::kInChain;
  }

  // Whether inodes come from memory, as far as is known.
  bool is_warm() const { return files_in_chain_ == 0; }

  // Notes that the first call at once for a file took `time`.
  void NoteAtOnce(std::chrono::nanoseconds time) {
    if (time >= kSlowMin) files_in_chain_ = kFilesInChain;
  }

 private:
  int files_in_chain_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_METADATA_CHOOSER_H_
