// Mounts odd_file_system (which lists the oddities) for a test: a directory, seen through
// a file system that lies about it or refuses what others do.
//
//   const OddMount odd(scratch.Path("backing"), scratch.MakeDirectory("odd"),
//                      {"sizes-are-zero", "direct-io"});
//   if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
//
// The test has "//tests:odd_file_system" in its `data`. As root the mount is seen only by
// this process and those it starts.
//
// Thread-safety: belongs to the thread that made it, which is to be the test's first:
// threads made before it do not see the mount.

#ifndef RINGCP_TESTS_ODD_MOUNT_H_
#define RINGCP_TESTS_ODD_MOUNT_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/subprocess.h"

namespace ringcp {

class OddMount {
 public:
  OddMount(const std::string& backing, const std::string& mount_point,
           const std::vector<std::string>& oddities);
  // Unmounts, whoever still has files open there.
  ~OddMount();
  OddMount(const OddMount&) = delete;
  OddMount& operator=(const OddMount&) = delete;

  // Why it could not be mounted here; "" if it was.
  const std::string& why_not() const { return why_not_; }

 private:
  const std::string mount_point_;
  std::string why_not_;
  std::unique_ptr<Subprocess> server_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_ODD_MOUNT_H_
