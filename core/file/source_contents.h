// The source's half of a ContentsCopy: what is known about the contents, and how more is
// found out (where they end, where the holes are, whether they are in the page cache). It
// makes the ops that ask, takes in their results, and owns the FileSource that blocks are
// taken from. It knows nothing of the target, and does no I/O.
//
// A file that takes less room than its size has holes. The pieces of data between them
// are found one after the other: first GoTo(), then FindData() and FindHole() for as long
// as has_more_pieces().
//
// Thread-safety: belongs to its ContentsCopy.

#ifndef RINGCP_CORE_FILE_SOURCE_CONTENTS_H_
#define RINGCP_CORE_FILE_SOURCE_CONTENTS_H_

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/file/file_source.h"
#include "core/kernel/op.h"

namespace ringcp {

class SourceContents {
 public:
  // Whether the file takes less room than its size.
  static bool HasHoles(const struct statx& stat);

  // REQUIRES: `counters` outlives this.
  explicit SourceContents(EngineCounters* counters) : blocks_(counters) {}

  // Forgets the last source. The next one's `stat` may be filled in later, but before any
  // of the calls below; from then on it must not change.
  // With `fills_holes` it counts as a file without holes.
  void Reset(const struct statx* stat, bool fills_holes);
  // Tells where the source is open. `believes_ring`: see FileSource. REQUIRES: `file` is
  // an ordinary descriptor, if holes or the page cache are asked for.
  void Start(FileRef file, bool believes_ring);

  FileSource& blocks() { return blocks_; }
  const FileSource& blocks() const { return blocks_; }

  const struct statx& stat() const { return *stat_; }
  uint64_t size() const { return stat_->stx_size; }
  bool has_holes() const { return !fills_holes_ && HasHoles(*stat_); }
  // Where reading stops.
  uint64_t end() const { return size() == 0 ? FileSource::kEndUnknown : size(); }

  // Counts how much of a sample is in the page cache. OnCountCached() is false if the
  // kernel can't tell.
  Op CountCached();
  bool OnCountCached(int32_t result);
  // Whether the file is in the page cache, judging by the sample; false without one.
  bool is_cached() const { return is_cached_; }

  // Goes on with the first piece at or behind `offset`.
  void GoTo(uint64_t offset) { piece_end_ = offset; }
  bool has_more_pieces() const { return piece_end_ < size(); }
  // Finds where the next piece begins. OnFindData() returns the bytes of the hole before
  // it.
  Op FindData() { return SeekData(file_, piece_end_, &piece_begin_); }
  uint64_t OnFindData(int32_t result);
  // Finds where that piece ends. REQUIRES: !ends_with_hole().
  Op FindHole() { return SeekHole(file_, piece_begin_, &piece_end_); }
  void OnFindHole(int32_t result);
  // The last piece that was found. It may be empty.
  uint64_t piece_begin() const { return piece_begin_; }
  uint64_t piece_end() const { return piece_end_; }
  // Whether only a hole follows the last piece.
  bool ends_with_hole() const { return ends_with_hole_; }
  // False once the file system has shown that it knows of no hole in a file that takes
  // less room than its size.
  bool knows_holes() const { return knows_holes_; }

  // Looks at the size once more. size_left() is the smaller one of both sizes.
  Op LookAtEnd() { return StatDescriptor(file_, &end_stat_); }
  uint64_t size_left() const { return std::min(stat_->stx_size, end_stat_.stx_size); }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  uint32_t sample_bytes() const;

  const struct statx* stat_ = nullptr;
  bool fills_holes_ = false;
  FileRef file_;
  FileSource blocks_;
  uint64_t cached_bytes_ = 0;  // Of the sample.
  bool is_cached_ = false;
  uint64_t piece_begin_ = 0;
  uint64_t piece_end_ = 0;
  uint64_t empty_piece_ = kNone;  // Where data was found, and then a hole instead.
  bool ends_with_hole_ = false;
  bool knows_holes_ = true;
  struct statx end_stat_ = {};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SOURCE_CONTENTS_H_
