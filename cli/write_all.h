// Writes whole texts to descriptors.
//
// Thread-safety: pure system calls.

#ifndef RINGCP_CLI_WRITE_ALL_H_
#define RINGCP_CLI_WRITE_ALL_H_

#include <string_view>

namespace ringcp {

// Writes all of `text` to `descriptor`, with one write(2) unless that is short. Waits if
// the descriptor would block. Returns 0, or the errno of the call that failed.
int WriteAll(int descriptor, std::string_view text);

}  // namespace ringcp

#endif  // RINGCP_CLI_WRITE_ALL_H_
