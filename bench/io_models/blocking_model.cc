#include "bench/io_models/blocking_model.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "bench/io_models/errors.h"

namespace ringcp::io_models {
namespace {

absl::Status SetNonblocking(const FileWork& work, bool on) {
  for (const int descriptor : work.descriptors()) {
    const int flags = fcntl(descriptor, F_GETFL);
    const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (flags < 0 || fcntl(descriptor, F_SETFL, wanted) != 0) {
      return Failure("fcntl(F_SETFL, O_NONBLOCK)", errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace

ssize_t TransferBlocking(const FileWork& work, const FileOp& op) {
  const int descriptor = work.descriptors()[op.file];
  const ssize_t result = op.is_write ? pwrite(descriptor, op.data, op.bytes, op.position)
                                     : pread(descriptor, op.data, op.bytes, op.position);
  return result < 0 ? -errno : result;
}

absl::Status RunBlocking(FileWork* work, Recording* recording) {
  recording->Begin();
  bool more = work->Start(0);
  while (more) more = work->Settle(0, TransferBlocking(*work, work->op(0)));
  recording->End();
  return work->status();
}

absl::Status RunNonblockRetry(FileWork* work, Recording* recording) {
  absl::Status set = SetNonblocking(*work, true);
  if (!set.ok()) return set;
  int64_t retries = 0;
  recording->Begin();
  bool more = work->Start(0);
  while (more) {
    const ssize_t result = TransferBlocking(*work, work->op(0));
    if (result == -EAGAIN) ++retries;
    more = work->Settle(0, result);
  }
  recording->End();
  recording->AddRetries(retries);
  set = SetNonblocking(*work, false);
  return work->status().ok() ? set : work->status();
}

}  // namespace ringcp::io_models
