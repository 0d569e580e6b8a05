// A block of contents on its way from a source to a sink: which bytes of the file it
// carries, how many of them have been read and written, and in which way the last read
// and write were tried. The two sides of a BlockPump share nothing but blocks.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_BLOCK_H_
#define RINGCP_CORE_FILE_BLOCK_H_

#include <cstdint>

namespace ringcp {

// In which way a read or write was tried last.
struct BlockTry {
  uint32_t asked_bytes = 0;
  bool uncached = false;  // It was asked to leave nothing in the page cache.
  bool polled = false;
};

// The bytes [offset, offset + length) of the file. The first `filled` of them are in the
// buffer, and the first `written` of these are in the target.
struct Block {
  char* buffer = nullptr;
  uint64_t offset = 0;
  uint32_t length = 0;
  uint32_t filled = 0;
  uint32_t written = 0;

  // The last tries of the source and of the sink. There are two, because a chain has a
  // read and a write in flight together.
  BlockTry read;
  BlockTry write;
  int retries = 0;     // Of reads and writes, since the last write that made progress.
  int poll_error = 0;  // Why the last polled try failed; 0 after one has succeeded.

  // For the source. If the last read got nothing, the file ends there: a system call
  // carries out the read, and a call's word about the end is believed.
  bool end_is_believed = false;
  // For the source. The last read got nothing, and a system call is to confirm the end.
  bool confirms_end = false;

  // Begins to carry other bytes, in the same buffer.
  void Begin(uint64_t first_offset, uint32_t bytes) {
    offset = first_offset;
    length = bytes;
    filled = written = 0;
    retries = poll_error = 0;
    confirms_end = false;
  }
  bool is_written() const { return written == filled; }
};

// What the result of a read or write means for its block.
struct BlockResult {
  enum class Kind : uint8_t {
    kDone,   // It made progress.
    kAgain,  // It is to be tried again.
    kEnd,    // Only of a read: the source ends where the block begins.
    kFailed,
  };
  Kind kind = Kind::kDone;
  int error_number = 0;  // The reason for kFailed.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_H_
