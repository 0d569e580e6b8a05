// A directory for one test, removed with its contents when the test ends.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_TESTS_SCRATCH_DIRECTORY_H_
#define RINGCP_TESTS_SCRATCH_DIRECTORY_H_

#include <string>
#include <string_view>

namespace ringcp {

class ScratchDirectory {
 public:
  // Makes the directory in `parent`, which is TEST_TMPDIR by default. Its path is
  // absolute, and short enough for a socket in it.
  explicit ScratchDirectory(const std::string& parent = DefaultParent());
  // Where a scratch directory is in memory, so that no call waits for a disk; the default
  // parent where there is no such place.
  static std::string ParentInMemory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

  // The path that `name` has in the directory.
  std::string Path(std::string_view name) const;

  // Each makes `name` and returns its path. A failure fails the test.
  std::string WriteFile(std::string_view name, std::string_view contents) const;
  std::string MakeDirectory(std::string_view name) const;
  std::string MakeFifo(std::string_view name) const;

 private:
  static std::string DefaultParent();

  std::string path_;
};

// The contents of the file at `path`, or "(none)" if there is no such file.
std::string ReadFileOrNone(const std::string& path);

bool Exists(const std::string& path);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SCRATCH_DIRECTORY_H_
