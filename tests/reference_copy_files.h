// Makes the files of a case of reference_copy_cases.h, and lists what they become.
//
// Thread-safety: pure but for the file system and the working directory.

#ifndef RINGCP_TESTS_REFERENCE_COPY_FILES_H_
#define RINGCP_TESTS_REFERENCE_COPY_FILES_H_

#include <array>
#include <string>
#include <vector>

#include "tests/reference_copy_cases.h"

namespace ringcp {

// The files of a case, in the working directory: "s" is copied to "t", and "o" holds what
// symbolic links in both lead to. All times lie in the past. The destructor removes them.
class FilesOfCase {
 public:
  explicit FilesOfCase(const CopyCase& copy_case);
  ~FilesOfCase();
  FilesOfCase(const FilesOfCase&) = delete;
  FilesOfCase& operator=(const FilesOfCase&) = delete;

  // Lists all files, and what was written into pipes. To be called only once.
  std::vector<std::string> List() const;

 private:
  void MakeSource(int index);
  void MakeTarget(int index);

  const CopyCase case_;
  std::array<int, 2> pipes_ = {-1, -1};  // The target's, open so that no writer waits.
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_FILES_H_
