// What `ringcp --help` and `ringcp --version` print.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_COPY_HELP_H_
#define RINGCP_CLI_COPY_HELP_H_

#include <string>

#include "cli/manual.h"

namespace ringcp {

// `program` is argv[0]. Without the last newline.
std::string CopyHelp(const std::string& program);

// All that `ringcp` tells about itself.
Manual CopyManual();

// `name` is the program's own name, whatever argv[0] says. Without the last newline.
std::string VersionText(const std::string& name);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_HELP_H_
