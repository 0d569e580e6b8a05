#include "tests/odd_mount.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "tests/programs.h"

namespace ringcp {
namespace {

// Mounts are gone when the last process that sees them has ended, however it ended. A
// failure is ignored: an ordinary user's mounts are seen by all processes anyway.
void HaveOwnMounts() {
  static const bool kHasOwnMounts =
      geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  static_cast<void>(kHasOwnMounts);
}

}  // namespace

OddMount::OddMount(const std::string& backing, const std::string& mount_point,
                   const std::vector<std::string>& oddities)
    : mount_point_(mount_point) {
  if (access("/dev/fuse", R_OK | W_OK) != 0) {
    why_not_ = std::string("/dev/fuse: ") + std::strerror(errno);
    return;
  }
  HaveOwnMounts();
  Subprocess::Options options;
  options.program = ProgramPath("tests/odd_file_system");
  options.arguments = {"odd_file_system", backing, mount_point};
  options.arguments.insert(options.arguments.end(), oddities.begin(), oddities.end());
  options.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  auto server = std::make_unique<Subprocess>(std::move(options));
  if (server->WaitForOutput("mounted")) {
    server_ = std::move(server);
  } else {
    why_not_ = "odd_file_system: " + server->Wait().error;
  }
}

OddMount::~OddMount() {
  if (server_ == nullptr) return;
  if (geteuid() == 0) {
    EXPECT_EQ(umount2(mount_point_.c_str(), MNT_DETACH), 0) << std::strerror(errno);
  } else {
    server_->Signal(SIGTERM);  // libfuse unmounts with the help of fusermount3.
  }
  EXPECT_FALSE(server_->Wait().timed_out);
}

}  // namespace ringcp
