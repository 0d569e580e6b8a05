#include "core/kernel/asked_calls.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

int32_t AskedCalls::Run(const Op& op) {
  RINGCP_CHECK(op.may_ask);
  return op.kind == OpKind::kOpenAt ? Open(op) : Read(op);
}

int32_t AskedCalls::Open(const Op& op) {
  if (!can_ask_to_open_) return RunWithSystemCall(op);
  open_how how = {};
  how.flags = static_cast<uint64_t>(op.open.flags) | O_CLOEXEC;
  how.resolve = RESOLVE_CACHED;
  const int64_t fd =
      syscall(SYS_openat2, op.open.directory, op.open.name, &how, sizeof(how));
  if (fd >= 0) return static_cast<int32_t>(fd);
  switch (errno) {
    case EAGAIN:
      return kWouldWait;
    case ENOSYS:  // A seccomp filter that doesn't know openat2(2) may say this,
    case EPERM:   // or this.
    case EINVAL:  // Linux before 5.12 has no RESOLVE_CACHED.
      can_ask_to_open_ = false;
      return RunWithSystemCall(op);
    default:
      return -errno;
  }
}

int32_t AskedCalls::Read(const Op& op) {
  if (reads_not_asked_ > 0) {
    --reads_not_asked_;
    return RunWithSystemCall(op);
  }
  const iovec buffer = {.iov_base = op.io.buffer, .iov_len = op.io.length};
  const int64_t bytes =
      preadv2(op.file.descriptor(), &buffer, 1, static_cast<off_t>(op.io.offset),
              op.io.flags | RWF_NOWAIT);
  if (bytes >= 0) return static_cast<int32_t>(bytes);
  if (errno == EAGAIN) return kWouldWait;
  if (errno == EOPNOTSUPP) reads_not_asked_ = kReadsNotAsked;
  // Any other error may come from asking, so the call that does not ask decides.
  return RunWithSystemCall(op);
}

}  // namespace ringcp
