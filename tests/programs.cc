#include "tests/programs.h"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "tests/subprocess.h"

namespace ringcp {

std::string ProgramPath(const std::string& name) {
  const char* runfiles = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  if (runfiles == nullptr || workspace == nullptr) return "bazel-bin/" + name;
  return std::filesystem::canonical(std::string(runfiles) + "/" + workspace + "/" + name);
}

void PrepareWithShell(const std::string& directory, const std::string& script) {
  Subprocess::Options options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-ec", "umask 022; " + script};
  options.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  options.directory = directory;
  const Subprocess::Result result = RunProgram(options);
  if (result.exit_code == 0) return;
  fprintf(stderr, "%s: %s\n%s", directory.c_str(), script.c_str(), result.error.c_str());
  abort();
}

}  // namespace ringcp
