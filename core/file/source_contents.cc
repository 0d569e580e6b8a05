#include "core/file/source_contents.h"

#include <cerrno>

namespace ringcp {
namespace {

constexpr uint64_t kStatBlockBytes = 512;  // What stx_blocks counts, see statx(2).

// No hole is smaller, and a file that is no larger may be stored inside its inode, where
// it takes no blocks.
constexpr uint64_t kHoleBytesMin = 4096;

// The most that is looked at to find out whether a large file is in the page cache. The
// sample begins in the middle of the file, because somebody may have read its beginning
// alone.
constexpr uint32_t kCacheSampleBytesMax = 1024 * 1024;

}  // namespace

bool SourceContents::HasHoles(const struct statx& stat) {
  return stat.stx_size > kHoleBytesMin &&
         stat.stx_blocks < stat.stx_size / kStatBlockBytes;
}

void SourceContents::Reset(const struct statx* stat, bool fills_holes) {
  blocks_.Start(0, 0);
  blocks_.io().SetFileSystem(nullptr, /*is_uncached=*/false);
  stat_ = stat;
  fills_holes_ = fills_holes;
  is_cached_ = ends_with_hole_ = false;
  knows_holes_ = true;
  empty_piece_ = kNone;
}

void SourceContents::Start(FileRef file, bool believes_ring) {
  file_ = file;
  blocks_.SetFile(file);
  blocks_.SetBelievesRing(believes_ring);
}

uint32_t SourceContents::sample_bytes() const {
  return static_cast<uint32_t>(std::min<uint64_t>(kCacheSampleBytesMax, size() / 2));
}

Op SourceContents::CountCached() {
  return ringcp::CountCached(file_, size() / 2, sample_bytes(), &cached_bytes_);
}

bool SourceContents::OnCountCached(int32_t result) {
  // If the kernel can't tell, the file counts as not cached.
  is_cached_ = result == 0 && cached_bytes_ >= sample_bytes() / 2;
  return result == 0;
}

uint64_t SourceContents::OnFindData(int32_t result) {
  const uint64_t hole_begin = piece_end_;
  if (result == -ENXIO) piece_begin_ = size();
  // If the search fails, all that is left counts as data.
  if (result < 0 && result != -ENXIO) piece_begin_ = hole_begin;
  piece_begin_ = piece_end_ = std::min(piece_begin_, size());
  ends_with_hole_ = piece_begin_ == size();
  return piece_begin_ - hole_begin;
}

void SourceContents::OnFindHole(int32_t result) {
  piece_end_ = result < 0 ? size() : std::min(piece_end_, size());
  if (piece_end_ == piece_begin_) {
    // What was data a moment ago is a hole now. If that happens twice at the same place,
    // the rest of the file counts as data, so that the search ends.
    if (empty_piece_ == piece_begin_) piece_end_ = size();
    empty_piece_ = piece_begin_;
  }
  // The file takes less room than its size, but its file system knows of no hole in it.
  if (piece_begin_ == 0 && piece_end_ == size()) knows_holes_ = false;
}

}  // namespace ringcp
