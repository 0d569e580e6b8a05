// Writes what is made of ringcp's manual when it is built: `write_manual page` the manual
// page, `write_manual completion` the script for bash, to standard output.

#include <cstdio>
#include <string>

#include "cli/copy_help.h"
#include "cli/manual.h"

int main(int argc, char** argv) {
  const std::string form = argc == 2 ? argv[1] : "";
  std::string text;
  if (form == "page") text = ringcp::ManualPage(ringcp::CopyManual());
  if (form == "completion") text = ringcp::BashCompletion(ringcp::CopyManual());
  if (text.empty()) {
    fprintf(stderr, "usage: write_manual page|completion\n");
    return 1;
  }
  return fputs(text.c_str(), stdout) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}
