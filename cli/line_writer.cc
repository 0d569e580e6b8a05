#include "cli/line_writer.h"

#include <unistd.h>

#include "cli/write_all.h"

namespace ringcp {

void LineWriter::WriteLine(std::string_view line) {
  if (error_number_ != 0) return;
  if (kind_ == Kind::kUnknown) {
    kind_ = isatty(descriptor_) ? Kind::kTerminal : Kind::kOther;
  }
  buffer_ += line;
  buffer_ += '\n';
  if (kind_ == Kind::kTerminal || buffer_.size() >= kBufferBytesMax) Flush();
}

bool LineWriter::Flush() {
  if (error_number_ == 0) error_number_ = WriteAll(descriptor_, buffer_);
  buffer_.clear();
  return error_number_ == 0;
}

}  // namespace ringcp
