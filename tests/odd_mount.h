// Mounts odd_file_system, which lists its oddities, for a test. The mount shows a
// directory through a file system that lies about it, or refuses what other file systems
// do.
//
//   const OddMount odd(scratch.Path("backing"), scratch.MakeDirectory("odd"),
//                      {"sizes-are-zero", "direct-io"});
//   if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
//
// The test has "//tests:odd_file_system" in its `data`. If root runs the test, only its
// process and the processes it starts see the mount.
//
// Thread-safety: belongs to the thread that made it, which has to be the test's first:
// threads that are older than the mount don't see it.

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
  // Unmounts, even if files are still open there.
  ~OddMount();
  OddMount(const OddMount&) = delete;
  OddMount& operator=(const OddMount&) = delete;

  // Why the file system could not be mounted; "" if it was.
  const std::string& why_not() const { return why_not_; }

 private:
  const std::string mount_point_;
  std::string why_not_;
  std::unique_ptr<Subprocess> server_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_ODD_MOUNT_H_
