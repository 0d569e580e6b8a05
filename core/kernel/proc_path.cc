#include "core/kernel/proc_path.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/kernel/start_thread.h"

namespace ringcp {
namespace {

using Call = absl::FunctionRef<int64_t(const char* path)>;

constexpr char kOwnFiles[] = "/proc/self/fd";

// In a root that somebody else made there can be anything by that name.
bool IsProcMounted() {
  struct statfs stat;
  return statfs(kOwnFiles, &stat) == 0 && stat.f_type == PROC_SUPER_MAGIC;
}

int32_t ResultOf(int64_t value) {
  return value >= 0 ? static_cast<int32_t>(value) : -errno;
}

// Mounts an instance of /proc nowhere, and returns its root's descriptor, or -errno:
// -EPERM if it may not, or the kernel can't.
int MountProc() {
  const int context = fsopen("proc", FSOPEN_CLOEXEC);
  if (context < 0) return errno == ENOSYS ? -EPERM : -errno;
  int root = fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (root == 0) {
    root = fsmount(context, FSMOUNT_CLOEXEC,
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  if (root < 0) root = -errno;
  close(context);
  return root;
}

// The same, but once it is mounted it stays open as long as the process lives.
int OwnProc() {
  static Mutex mutex;
  static int root = -1;
  MutexLock lock(&mutex);
  if (root < 0) root = MountProc();
  return root;
}

// Calls `call` by a thread whose working directory is `directory`: no call for extended
// attributes takes a directory and a path before Linux 6.13, and the other threads'
// working directory must stay what it is. A thread costs some 50 us, which is little
// where it is needed this seldom.
int32_t CallIn(int directory, const std::string& path, Call call) {
  int32_t result = 0;
  std::thread thread;
  const bool started = StartThread(
      [&] {
        const bool is_there = unshare(CLONE_FS) == 0 && fchdir(directory) == 0;
        result = is_there ? ResultOf(call(path.c_str())) : -errno;
      },
      &thread);
  if (!started) return -EAGAIN;
  thread.join();
  return result;
}

}  // namespace

int32_t CallByProcPath(int fd, Call call) {
  if (IsProcMounted()) return ResultOf(call(absl::StrCat(kOwnFiles, "/", fd).c_str()));
  const int proc = OwnProc();
  return proc >= 0 ? CallIn(proc, absl::StrCat("self/fd/", fd), call) : proc;
}

}  // namespace ringcp
