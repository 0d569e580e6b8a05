// What the kernel answers when it is asked for the readiness of a regular file, which has
// none. Every answer comes from a real call.
//
// Thread-safety: one call at a time, because it blocks and takes a signal.

#ifndef RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_
#define RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_

#include <string>
#include <vector>

namespace ringcp::io_models {

struct Answer {
  std::string question;
  std::string answer;
};

// Asks about `descriptor`: a regular file of at least one page, open for reading and
// writing, with its contents on the device. Leaves the file as it was.
std::vector<Answer> AskRegularFile(int descriptor);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_
