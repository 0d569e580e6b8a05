// What the kernel answers when a regular file is asked for readiness, which it does not
// have: each answer is got by asking.
//
// Thread-safety: one call at a time: it blocks and takes a signal meanwhile.

#ifndef RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_
#define RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_

#include <string>
#include <vector>

namespace ringcp::io_models {

struct Answer {
  std::string question;
  std::string answer;
};

// Asks about `descriptor`, a regular file of a page at least, open for reading and
// writing, with its contents on the device. Leaves it as it was.
std::vector<Answer> AskRegularFile(int descriptor);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REGULAR_FILE_ANSWERS_H_
