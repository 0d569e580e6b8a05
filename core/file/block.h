// A block of contents on its way from a source to a sink: which bytes they are, how many
// of them have been read and written, and how the last read and write of it were tried.
// It is all that the two sides of a BlockPump have in common.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_BLOCK_H_
#define RINGCP_CORE_FILE_BLOCK_H_

#include <cstdint>

namespace ringcp {

// How a read or write was tried the last time.
struct BlockTry {
  uint32_t asked_bytes = 0;
  bool uncached = false;  // It was to leave nothing in the page cache.
  bool polled = false;
};

// [offset, offset + length) of the file, of which the first `filled` bytes are in the
// buffer, and the first `written` of those in the target.
struct Block {
  char* buffer = nullptr;
  uint64_t offset = 0;
  uint32_t length = 0;
  uint32_t filled = 0;
  uint32_t written = 0;

  // The source's and the sink's last try. They are two, because a linked read and write
  // are on their way together.
  BlockTry read;
  BlockTry write;
  int retries = 0;     // Since the last write that got on, of reads and writes.
  int poll_error = 0;  // What the last polled try failed with, until one succeeds.

  // The source's: what its last read says of the end is to be believed, because a call
  // carries it out; it got nothing and is repeated by a call.
  bool end_is_believed = false;
  bool confirms_end = false;

  // Begins to carry other bytes. The buffer stays.
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
    kDone,   // It got on.
    kAgain,  // It is to be tried once more.
    kEnd,    // Of a read: the source ends where the block begins.
    kFailed,
  };
  Kind kind = Kind::kDone;
  int error_number = 0;  // Of kFailed.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_H_
