#include "core/file/file_sink.h"

#include <algorithm>
#include <cstring>

namespace ringcp {
namespace {

bool IsZero(const char* bytes, uint32_t length) {
  // The first byte is 0, and each other byte equals the one before it.
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, length - 1) == 0;
}

}  // namespace

uint32_t FileSink::WriteEnd(const Block& block) const {
  if (!skips_zeros_) return block.filled;
  uint32_t end = block.written;
  while (end < block.filled) {
    const uint32_t length = std::min(kZerosBytes, block.filled - end);
    if (IsZero(block.buffer + end, length)) break;
    end += length;
  }
  return end;
}

void FileSink::SkipZeros(Block* block) {
  const uint32_t begin = block->written;
  while (!block->is_written()) {
    const char* const bytes = block->buffer + block->written;
    const uint32_t length = std::min(kZerosBytes, block->filled - block->written);
    if (!IsZero(bytes, length)) break;
    block->written += length;
  }
  Count(block->written - begin);
}

}  // namespace ringcp
