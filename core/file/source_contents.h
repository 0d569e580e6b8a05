// The source's half of a ContentsCopy: what is known of the contents, and how more is
// found out (where they end, where the holes are, whether they are in the page cache).
// Makes the ops that ask, and takes in what they tell; has the FileSource that blocks are
// taken of. Knows nothing of the target, and does no I/O itself.
//
// A file that takes less room than its size has holes. Its pieces, which is what lies
// between them, are found one after the other: GoTo(), then, while has_more_pieces(),
// FindData() and FindHole().
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
  // What offsets, lengths and buffers of direct reads and writes are multiples of: as
  // much as any usual device asks for. Where it is too little they fail with EINVAL.
  static constexpr uint64_t kDirectAlignment = 4096;

  // Whether the file takes less room than its size.
  static bool HasHoles(const struct statx& stat);

  // REQUIRES: `counters` outlives this.
  explicit SourceContents(EngineCounters* counters) : blocks_(counters) {}

  // Forgets the last source. Of the next one, `stat` stays as it is from the first of the
  // calls below on; it need not be known now.
  void Reset(const struct statx* stat);
  // Where it is open; `believes_ring`: see FileSource. REQUIRES: an ordinary descriptor,
  // if more than its end is asked.
  void Start(FileRef file, bool believes_ring);

  FileSource& blocks() { return blocks_; }
  const FileSource& blocks() const { return blocks_; }

  const struct statx& stat() const { return *stat_; }
  uint64_t size() const { return stat_->stx_size; }
  bool has_holes() const { return HasHoles(*stat_); }
  // Where to stop reading.
  uint64_t end() const { return size() == 0 ? FileSource::kEndUnknown : size(); }
  // The size in whole units of what O_DIRECT can copy.
  uint64_t direct_end() const { return size() / kDirectAlignment * kDirectAlignment; }

  // Counts how much of a sample is in the page cache. Of the result: whether that could
  // be told.
  Op CountCached();
  bool OnCountCached(int32_t result);
  // Whether it is there, as far as is known.
  bool is_cached() const { return is_cached_; }

  // The pieces at or behind `offset` come next.
  void GoTo(uint64_t offset) { piece_end_ = offset; }
  bool has_more_pieces() const { return piece_end_ < size(); }
  // Finds where the next piece begins: the bytes of the hole before it.
  Op FindData() { return SeekData(file_, piece_end_, &piece_begin_); }
  uint64_t OnFindData(int32_t result);
  // Finds where it ends. REQUIRES: !ends_with_hole().
  Op FindHole() { return SeekHole(file_, piece_begin_, &piece_end_); }
  void OnFindHole(int32_t result);
  // The piece that was found last; it may be empty.
  uint64_t piece_begin() const { return piece_begin_; }
  uint64_t piece_end() const { return piece_end_; }
  // No data was found behind the last piece.
  bool ends_with_hole() const { return ends_with_hole_; }
  // Whether its file system knows its holes, as far as is known.
  bool knows_holes() const { return knows_holes_; }

  // Looks at its size once more: what of the size that was known is there still.
  Op LookAtEnd() { return StatDescriptor(file_, &end_stat_); }
  uint64_t size_left() const { return std::min(stat_->stx_size, end_stat_.stx_size); }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  uint32_t sample_bytes() const;

  const struct statx* stat_ = nullptr;
  FileRef file_;
  FileSource blocks_;
  uint64_t cached_bytes_ = 0;  // Of the sample.
  bool is_cached_ = false;
  uint64_t piece_begin_ = 0;
  uint64_t piece_end_ = 0;
  uint64_t empty_piece_ = kNone;  // Where data was found that was a hole then.
  bool ends_with_hole_ = false;
  bool knows_holes_ = true;
  struct statx end_stat_ = {};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SOURCE_CONTENTS_H_
