// What `ringcpctl --help` prints.
//
// Thread-safety: a pure function.

#ifndef RINGCP_CLI_CONTROL_HELP_H_
#define RINGCP_CLI_CONTROL_HELP_H_

#include <string>

namespace ringcp {

// `program` is argv[0]. Without the last newline.
std::string ControlHelp(const std::string& program);

}  // namespace ringcp

#endif  // RINGCP_CLI_CONTROL_HELP_H_
