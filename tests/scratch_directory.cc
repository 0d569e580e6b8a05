#include "tests/scratch_directory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gtest/gtest.h"

namespace ringcp {

std::string ScratchDirectory::DefaultParent() {
  const char* parent = getenv("TEST_TMPDIR");
  return parent == nullptr ? "/tmp" : parent;
}

std::string ScratchDirectory::ParentInMemory() {
  return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : DefaultParent();
}

ScratchDirectory::ScratchDirectory(const std::string& parent) {
  std::string pattern = parent + "/XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr) << pattern;
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  EXPECT_FALSE(error) << path_ << ": " << error.message();
}

std::string ScratchDirectory::Path(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string ScratchDirectory::WriteFile(std::string_view name,
                                        std::string_view contents) const {
  std::ofstream file(Path(name), std::ios::binary);
  file << contents;
  file.close();
  EXPECT_TRUE(file.good()) << Path(name);
  return Path(name);
}

std::string ScratchDirectory::MakeDirectory(std::string_view name) const {
  EXPECT_EQ(mkdir(Path(name).c_str(), 0755), 0) << Path(name);
  return Path(name);
}

std::string ScratchDirectory::MakeFifo(std::string_view name) const {
  EXPECT_EQ(mkfifo(Path(name).c_str(), 0644), 0) << Path(name);
  return Path(name);
}

std::string ReadFileOrNone(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return "(none)";
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace ringcp
