#include "core/file/server_copy.h"

#include <algorithm>

namespace ringcp {

Op ServerCopy::CopyPiece(FileRef source, FileRef target, SteadyTime now) {
  asked_bytes_ = std::min(piece_bytes_, end_ - offset_);
  asked_at_ = now;
  return CopyRange(source, target, offset_, static_cast<uint32_t>(asked_bytes_));
}

void ServerCopy::OnCopied(uint32_t bytes, SteadyTime now) {
  offset_ += bytes;
  // A piece that was shortened by the end says more about the way to the server than
  // about its speed.
  if (asked_bytes_ < piece_bytes_) return;
  const std::chrono::duration<double> time =
      std::max(now - asked_at_, SteadyTime::duration(1));
  const double likely = static_cast<double>(bytes) * (kPieceTime / time);
  const uint64_t longest =
      std::min<uint64_t>(kPieceBytesMax, uint64_t{bytes} * kGrowthMax);
  piece_bytes_ = std::max<uint64_t>(
      kPieceBytesMin, static_cast<uint64_t>(std::min<double>(likely, longest)));
}

}  // namespace ringcp
