// Writes lines to standard output. They are buffered, but a terminal gets each line
// immediately. The first error is remembered.
//
// Thread-safety: belongs to one thread at a time.
// Ownership: the descriptor stays the caller's.

#ifndef RINGCP_CLI_LINE_WRITER_H_
#define RINGCP_CLI_LINE_WRITER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace ringcp {

class LineWriter {
 public:
  // The most bytes that are buffered.
  static constexpr size_t kBufferBytesMax = 32 * 1024;

  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}
  // Flushes, but loses the error of that; call Flush() before to learn it.
  ~LineWriter() { Flush(); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Takes `line`, which has no newline at its end, and adds one.
  void WriteLine(std::string_view line);

  // Writes what is buffered. Returns false if this or an earlier write failed.
  bool Flush();

  // The errno of the first write that failed; 0 if none did. Lines after a failure are
  // dropped.
  int error_number() const { return error_number_; }

 private:
  const int descriptor_;
  std::string buffer_;
  // Whether descriptor_ is a terminal; found out with the first line.
  enum class Kind { kUnknown, kTerminal, kOther } kind_ = Kind::kUnknown;
  int error_number_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CLI_LINE_WRITER_H_
