#include "bench/work_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/check.h"

namespace ringcp {

WorkDirectory::WorkDirectory() {
  const char* parent = getenv("TMPDIR");
  path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/engine_benchmark.XXXXXX";
  RINGCP_CHECK(mkdtemp(path_.data()) != nullptr);
}

WorkDirectory::~WorkDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string WorkDirectory::MakeDirectory(const std::string& name) const {
  RINGCP_CHECK(mkdir(Path(name).c_str(), 0755) == 0);
  return Path(name);
}

std::string WorkDirectory::MakeFile(const std::string& name, uint64_t size_bytes) const {
  const std::string contents(size_bytes, 'x');
  const int fd = open(Path(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  RINGCP_CHECK(write(fd, contents.data(), contents.size()) ==
               static_cast<ssize_t>(contents.size()));
  close(fd);
  return Path(name);
}

}  // namespace ringcp
