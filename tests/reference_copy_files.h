// The files that a case of reference_copy_cases.h starts from, and what has become of
// them.
//
// Thread-safety: pure but for the file system and the working directory.

#ifndef RINGCP_TESTS_REFERENCE_COPY_FILES_H_
#define RINGCP_TESTS_REFERENCE_COPY_FILES_H_

#include <array>
#include <string>
#include <vector>

#include "tests/reference_copy_cases.h"

namespace ringcp {

// The files of a case, in the working directory: "s" is copied to "t", "o" has what links
// of both lead to. All have times in the past. Removes them when it is destroyed.
class FilesOfCase {
 public:
  explicit FilesOfCase(const CopyCase& copy_case);
  ~FilesOfCase();
  FilesOfCase(const FilesOfCase&) = delete;
  FilesOfCase& operator=(const FilesOfCase&) = delete;

  // All that there is now, also what was written into pipes; to be called once.
  std::vector<std::string> List() const;

 private:
  void MakeSource(int index);
  void MakeTarget(int index);

  const CopyCase case_;
  std::array<int, 2> pipes_ = {-1, -1};  // The target's, so that writing does not wait.
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_FILES_H_
