#include "core/kernel/uring.h"

#include <poll.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/kernel/chain_table.h"

namespace ringcp {
namespace {

// Completion queue entries for each submission queue entry. Chains stay in flight long
// after their submission entries are free again, so there is room for several rounds.
constexpr int kCompletionsPerEntry = 4;

// What io_uring has in sqe->fd: a descriptor's number or, with IOSQE_FIXED_FILE, a
// slot's.
int NumberOf(FileRef file) { return file.is_slot() ? file.slot() : file.descriptor(); }

void PrepareIo(const Op& op, io_uring_sqe* sqe) {
  const int fd = NumberOf(op.file);
  if (op.kind == OpKind::kRead) {
    io_uring_prep_read(sqe, fd, op.io.buffer, op.io.length, op.io.offset);
  } else {
    io_uring_prep_write(sqe, fd, op.io.buffer, op.io.length, op.io.offset);
  }
  sqe->rw_flags = op.io.flags;
}

// Sets up a ring with the best flags and the most entries that this kernel and this
// process's limits allow; 0 or -errno.
int QueueInit(int entries, unsigned flags_to_add, io_uring* ring) {
  const bool sqpoll = (flags_to_add & IORING_SETUP_SQPOLL) != 0;
  int result = -EINVAL;
  for (; entries >= Uring::kEntriesMin; entries /= 2) {
    // Linux has DEFER_TASKRUN from 6.1 on and COOP_TASKRUN from 5.19 on. SUBMIT_ALL
    // (5.18) keeps a refused entry from cutting off the chains behind it.
    for (const unsigned flags :
         {IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
              IORING_SETUP_DEFER_TASKRUN,
          IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN, 0u}) {
      // With SQPOLL the submitter runs no task work, so these flags don't apply.
      if (sqpoll && flags != 0) continue;
      io_uring_params params = {};
      params.flags = flags | flags_to_add | IORING_SETUP_CQSIZE;
      params.sq_thread_idle = Uring::kSqpollIdleMilliseconds;
      params.cq_entries = entries * kCompletionsPerEntry;
      result = io_uring_queue_init_params(entries, ring, &params);
      if (result != -EINVAL) break;
    }
    if (result != -ENOMEM) break;
  }
  return result;
}

}  // namespace

void PrepareSqe(const Op& op, io_uring_sqe* sqe) {
  RINGCP_CHECK(CanBeQueued(op.kind));
  const int fd = NumberOf(op.file);
  switch (op.kind) {
    case OpKind::kOpenAt:
      if (op.file.is_slot()) {
        // O_CLOEXEC with a slot fails with EINVAL, because a slot is never inherited.
        io_uring_prep_openat_direct(sqe, op.open.directory, op.open.name, op.open.flags,
                                    op.open.mode, fd);
      } else {
        io_uring_prep_openat(sqe, op.open.directory, op.open.name,
                             op.open.flags | O_CLOEXEC, op.open.mode);
      }
      return;  // IOSQE_FIXED_FILE is for using a slot, not for filling it.
    case OpKind::kStatx:
      io_uring_prep_statx(sqe, op.stat.directory, op.stat.name, op.stat.flags, kStatMask,
                          op.stat.result);
      return;
    case OpKind::kUnlinkAt:
      io_uring_prep_unlinkat(sqe, op.name.directory, op.name.name, op.name.flags);
      return;
    case OpKind::kClose:
      if (op.file.is_slot()) {
        io_uring_prep_close_direct(sqe, fd);
      } else {
        io_uring_prep_close(sqe, fd);
      }
      return;
    case OpKind::kRead:
    case OpKind::kWrite:
      PrepareIo(op, sqe);
      break;
    case OpKind::kPreallocate:
      io_uring_prep_fallocate(sqe, fd, FALLOC_FL_KEEP_SIZE, 0,
                              static_cast<off_t>(op.size.bytes));
      break;
    case OpKind::kWriteBack:
      io_uring_prep_sync_file_range(sqe, fd, 0, 0, kWriteBackFlags);
      break;
    case OpKind::kDropCached:
      io_uring_prep_fadvise(sqe, fd, 0, 0, POSIX_FADV_DONTNEED);
      break;
    case OpKind::kRefusePipe:
      // Runs during submission (io_uring/advise.c), and only checks for a pipe.
      io_uring_prep_fadvise(sqe, fd, 0, 0, POSIX_FADV_NORMAL);
      break;
    case OpKind::kInstallDescriptor:
      // The descriptor is close-on-exec by default.
      io_uring_prep_rw(kOpFixedFdInstall, sqe, fd, nullptr, 0, 0);
      break;
    case OpKind::kGetXattr:
      io_uring_prep_fgetxattr(sqe, fd, op.xattr.name, static_cast<char*>(op.xattr.value),
                              op.xattr.size);
      return;
    case OpKind::kSetXattr:
      io_uring_prep_fsetxattr(sqe, fd, op.xattr.name,
                              static_cast<const char*>(op.xattr.value), /*flags=*/0,
                              op.xattr.size);
      return;
    case OpKind::kPoll:
      io_uring_prep_poll_add(sqe, fd, static_cast<unsigned>(op.poll.events));
      break;
    case OpKind::kFtruncate:
      io_uring_prep_rw(kOpFtruncate, sqe, fd, nullptr, 0, op.size.bytes);
      break;
    default:
      break;
  }
  if (op.file.is_slot()) sqe->flags |= IOSQE_FIXED_FILE;
}

bool StartsWorkers(io_uring* ring) {
  io_uring_sqe* const sqe = io_uring_get_sqe(ring);
  io_uring_prep_nop(sqe);
  sqe->flags |= IOSQE_ASYNC;
  if (io_uring_submit(ring) != 1) return false;
  io_uring_cqe* cqe = nullptr;
  int result = 0;
  do {
    result = io_uring_wait_cqe(ring, &cqe);
  } while (result == -EINTR);
  if (result < 0) return false;
  const bool starts = cqe->res == 0;
  io_uring_cqe_seen(ring, cqe);
  return starts;
}

Uring::~Uring() {
  // The number of the ring's descriptor may be another file's by now.
  if (is_lost) return;
  // Linux 6.1 releases the files of closed slots up to a second later. Until then a
  // copied program can't be executed, and its file system can't be unmounted.
  // Unregistering the table makes Linux release them now, but may wait for what is in
  // flight, so it is done only if nothing is.
  if (has_slots && ops_outstanding == 0) io_uring_unregister_files(&ring);
  if (ops_max > 0) io_uring_queue_exit(&ring);
}

int Uring::Init(int entries, unsigned flags) {
  const int result = QueueInit(entries, flags, &ring);
  if (result == 0) ops_max = static_cast<int>(*ring.cq.kring_entries) - kWatchOps;
  return result;
}

int Uring::LimitWorkers(int workers_max) {
  // For regular files and names, and for all else. Kernels before 5.15 have no limit;
  // those are refused.
  unsigned workers[2] = {static_cast<unsigned>(workers_max),
                         static_cast<unsigned>(workers_max)};
  return io_uring_register_iowq_max_workers(&ring, workers);
}

bool Uring::Watch(int event) {
  if (watches()) return watch_ops_outstanding == kWatchOps;
  if (!can_watch || event < 0 || !HasRoomFor(kWatchOps)) return false;
  static __kernel_timespec no_time = {};
  static __kernel_timespec later = {.tv_sec = 0, .tv_nsec = kWatchAgainNanoseconds};
  OpTag tag = {.entry = kWatchEntry};
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  io_uring_prep_poll_add(sqe, event, POLLIN);
  sqe->flags |= IOSQE_IO_LINK;
  io_uring_sqe_set_data64(sqe, tag.Encode());
  ++tag.position;
  sqe = io_uring_get_sqe(&ring);
  io_uring_prep_timeout(sqe, &no_time, /*count=*/0, IORING_TIMEOUT_ETIME_SUCCESS);
  sqe->flags |= IOSQE_IO_LINK;
  io_uring_sqe_set_data64(sqe, tag.Encode());
  ++tag.position;
  sqe = io_uring_get_sqe(&ring);
  io_uring_prep_timeout(sqe, &later, /*count=*/0, /*flags=*/0);
  io_uring_sqe_set_data64(sqe, tag.Encode());
  watch_ops_outstanding = kWatchOps;
  return true;
}

bool Uring::NoteWatch(OpTag tag, int32_t result) {
  --watch_ops_outstanding;
  if (tag.position != 0) return false;
  // If memory was short or the watch was cut off, the next one may succeed.
  if (result < 0 && result != -ENOMEM && result != -ECANCELED) can_watch = false;
  return result >= 0;
}

// If Linux has no memory for one more op (io_alloc_req, which a control group's limit can
// make fail), it takes in fewer ops than it is given, even in the middle of a chain. It
// ends the chain there, and would take the next op that it is given for the beginning of
// another chain: a write that waits neither for its open nor for the read that fills its
// buffer.
void Uring::TakeBackTail() {
  if (is_sqpoll()) return;  // Its thread submits on its own, so nothing is linked.
  const unsigned end = ring.sq.sqe_tail;
  unsigned next = end - io_uring_sq_ready(&ring);
  if (next == end) return;
  const auto sqe_at = [this](unsigned i) { return &ring.sq.sqes[i & ring.sq.ring_mask]; };
  OpTag tag = OpTag::Decode(sqe_at(next)->user_data);
  for (; tag.position != 0; tag = OpTag::Decode(sqe_at(next)->user_data)) {
    tag.is_taken_back = true;
    io_uring_prep_nop(sqe_at(next));
    io_uring_sqe_set_data64(sqe_at(next), tag.Encode());
    if (++next == end) return;
  }
}

}  // namespace ringcp
