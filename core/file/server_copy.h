// The range of a file whose copy is left to the server that has both files
// (OpKind::kCopyRange): which piece of it comes next, and how long that is. It makes the
// ops and takes in how much was copied, but does no I/O.
//
// A copy shows progress, and can be cancelled, only between two pieces. But each piece
// also costs the time of several messages to the server. So after the first one, a piece
// is as long as the server is likely to copy in kPieceTime.
//
// Thread-safety: belongs to its ContentsCopy.

#ifndef RINGCP_CORE_FILE_SERVER_COPY_H_
#define RINGCP_CORE_FILE_SERVER_COPY_H_

#include <chrono>
#include <cstdint>

#include "core/base/mutex.h"
#include "core/kernel/op.h"

namespace ringcp {

class ServerCopy {
 public:
  // Who cancels a copy waits for up to that long, and hardly notices it. Three messages
  // to a server that is 20 ms away take an eighth of it.
  static constexpr std::chrono::milliseconds kPieceTime{500};
  // The first piece. A server that copies no more than 20 MB/s, like one with a single
  // disk, takes less than a second for it.
  static constexpr uint32_t kFirstPieceBytes = 16 * 1024 * 1024;
  // As short as a piece gets: what a Linux NFS server copies at most for one message, and
  // then stores. If messages or storing are what takes the time, shorter pieces would
  // only make the whole copy slower.
  static constexpr uint32_t kPieceBytesMin = 4 * 1024 * 1024;
  // As long as a piece gets. An op can copy 2 GiB.
  static constexpr uint32_t kPieceBytesMax = 1024 * 1024 * 1024;
  // No piece is longer than so many times the last one, which may have been copied from
  // memory.
  static constexpr int kGrowthMax = 4;

  // Begins with a new file.
  void Reset() { piece_bytes_ = kFirstPieceBytes; }
  // Begins with the bytes [begin, end). What is known of the server's speed stays.
  void Start(uint64_t begin, uint64_t end) {
    offset_ = begin;
    end_ = end;
  }

  // The first byte that has not been copied, and the end.
  uint64_t offset() const { return offset_; }
  uint64_t end() const { return end_; }

  // The op that copies the next piece. REQUIRES: offset() < end().
  Op CopyPiece(FileRef source, FileRef target, SteadyTime now);
  // Of the piece that was asked for last, `bytes` have been copied.
  void OnCopied(uint32_t bytes, SteadyTime now);

 private:
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  uint64_t piece_bytes_ =
      kFirstPieceBytes;  // The next piece's, unless the end is nearer.
  uint64_t asked_bytes_ = 0;
  SteadyTime asked_at_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SERVER_COPY_H_
