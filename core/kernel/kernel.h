// The one seam between the engine and the world: the engine asks a Kernel for whatever it
// wants from files, from the clock or from its process. A Kernel takes ops one by one, or
// chains of them, and hands back their results. Nothing in core/ outside this room calls
// the system directly (tests/core_symbols_test.sh). Implementations: UringKernel
// (io_uring) and SyscallKernel (plain system calls, the same results); the tests add a
// fake and a simulated one. tests/kernel/kernel_contract_test.cc holds all of them to
// this contract, and kernel_odd_contract_test.cc does so on odd file systems. "Linux"
// below is the system's kernel.
//
// Contract:
//  - A chain is queued whole or not at all.
//  - A chain settles when every one of its ops has a result. Only then is it handed back,
//    and only then may its buffers, paths and statx results be touched or reused.
//  - A result is the op's value (>= 0) or -errno. A short read or write (fewer bytes than
//    asked for) counts as failed if the next op is tied to it softly.
//  - -ECANCELED means that an op did not run: either an op before it failed, or the
//    system lacked the memory or the thread for it. Only in the second case is it the
//    first failure of its chain, and then the op may be queued again.
//  - A ring may fail for good; status() then says so. Its chains in flight are still
//    handed back, with -EIO and -ECANCELED for the missing results, but Linux may still
//    touch what they name: buffers, statx results and the ring's slots must stay as they
//    are for as long as the process lives. What is queued from then on is carried out at
//    once, for cleaning up; slots can't be used any more, and closing one does nothing.
//  - Chains run concurrently and settle in any order.
//  - An error that a file system tells when a file is closed is the result of kClose, and
//    the descriptor is closed all the same. Closing a slot may tell no error.
//  - A queued read at or beyond the size that a stat tells may get nothing although the
//    file system has more; one that is ByCall() gets it.
//  - A poll that is queued (OpKind::kPoll) is alone in its chain, and doesn't keep other
//    chains from being handed back.
//  - A polled op (IsPolled()) is alone in its chain, and works on an ordinary descriptor
//    with O_DIRECT. A ring that can't poll carries it out like any other op. If a device
//    can't be polled, the op's result is an error like any other (EOPNOTSUPP).
//
// Thread-safety: a kernel belongs to the thread that made it (IORING_SETUP_SINGLE_ISSUER
// makes io_uring insist). Any thread may call Do() and what is made of it, Now(),
// Random(), CpuTime(), ThreadCpuTime(), Waits() and Wake().

#ifndef RINGCP_CORE_KERNEL_KERNEL_H_
#define RINGCP_CORE_KERNEL_KERNEL_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/kernel/op.h"

namespace ringcp {

// The caller's name for a chain, handed back with its results.
struct ChainId {
  uint32_t value = 0;
  friend bool operator==(const ChainId&, const ChainId&) = default;
};

struct ChainResults {
  ChainId id;
  int size = 0;
  std::array<int32_t, Chain::kOpsMax> results_array;  // The first `size` are set.

  absl::Span<const int32_t> results() const {
    return absl::MakeConstSpan(results_array.data(), size);
  }
};

// How often a thread has given up its CPU in order to wait, and how many blocks it has
// read from devices. Both only grow.
struct ThreadWaits {
  int64_t waits = 0;
  int64_t blocks_read = 0;
};

// What has become of a chain or a task that was handed to a kernel.
enum class Submitted : uint8_t {
  kCarriedOut,
  kQueued,
  kNoRoom,  // Nothing; there is no room until another chain has settled.
};

class Kernel;

// A piece of work that makes several calls, one after the other, each of which may depend
// on what the one before it has returned: a directory is entered and read, say. It may be
// carried out by a helper thread of its kernel, while the kernel's own thread does other
// things.
class Task {
 public:
  virtual ~Task() = default;
  // Carries it out. Of `kernel` it may call nothing but what any thread may call.
  virtual void Run(Kernel* kernel) = 0;
  // A few calls, which take some microseconds from memory: to look at all of the thread's
  // clocks before and after would make it notably slower. Short tasks and others are told
  // apart when it is decided where they run.
  virtual bool is_short() const { return false; }
};

// How much of what waits a kernel has under way at a time.
struct WaitLimits {
  // io_uring's threads for ops that would make the submitter wait; each of them has one
  // such op under way.
  int kernel_workers_max = 2;
  // Threads for what io_uring has no opcode for, and for tasks.
  int helper_threads_max = 4;
  // It has been seen that calls wait, so more is under way than at the beginning.
  bool calls_wait = false;

  friend bool operator==(const WaitLimits&, const WaitLimits&) = default;
};

struct KernelCounters {
  int64_t chains = 0;   // Queued chains.
  int64_t sqes = 0;     // Their ops, as submission queue entries; 0 without io_uring.
  int64_t linked = 0;   // Of the SQEs, those linked to the next one.
  int64_t at_once = 0;  // Ops carried out by system calls on the kernel's thread.
  int64_t at_once_with_opcode = 0;  // Of these, ops that could have been SQEs.
  int64_t by_helpers = 0;           // Ops carried out by helper threads.
  int64_t tasks_by_helpers = 0;
  int64_t polled = 0;  // Of the SQEs, those given to a ring that polls.
  int64_t enters = 0;  // io_uring_enter calls.
  // How long all ops took, added up, in microseconds: those that concern the source, and
  // the target. As long as many are under way, they grow faster than time passes.
  int64_t source_us = 0;
  int64_t target_us = 0;
};

class Kernel {
 public:
  Kernel() = default;
  virtual ~Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // Carries out one op of any kind on the calling thread, and returns its result. It may
  // wait, and is not counted. May be called by any thread. REQUIRES: the op names no
  // slot.
  virtual int32_t Do(const Op& op) = 0;

  // Shorthands for the most frequent ops. Stat() by name never mounts anything, like
  // stat(2).
  int Open(int directory, const char* name, int flags) {
    return Do(OpenAt(directory, name, flags));
  }
  int32_t Stat(int directory, const char* name, int flags, struct statx* stat) {
    return Do(StatAt(directory, name, flags | AT_NO_AUTOMOUNT, stat));
  }
  int32_t Stat(int fd, struct statx* stat) { return Do(StatDescriptor(fd, stat)); }
  int32_t Close(int fd) { return Do(ringcp::Close(fd)); }
  // Closes *fd if it is a descriptor, and sets it to -1.
  void CloseIfOpen(int* fd) {
    if (*fd >= 0) Close(*fd);
    *fd = -1;
  }

  // The time on a clock that nobody can set. May be called by any thread.
  virtual SteadyTime Now() const = 0;

  // Random bits that nobody can guess. May be called by any thread.
  virtual uint64_t Random() = 0;

  // The CPU time that all threads of the process have used so far, io_uring's among them.
  // May be called by any thread.
  virtual absl::Duration CpuTime() const = 0;
  // The CPU time that the calling thread has used so far.
  virtual absl::Duration ThreadCpuTime() const = 0;

  // How long a system call that does nothing takes on the kernel's thread. Zero if it has
  // no ring, which spares calls.
  virtual absl::Duration CallTime() const { return absl::ZeroDuration(); }

  // What the calling thread has waited for so far, as far as the system tells.
  virtual ThreadWaits Waits() const = 0;

  // Carries out a chain on the calling thread and returns its results.
  // REQUIRES: 1 to Chain::kOpsMax ops that name no slots.
  virtual ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) = 0;

  // Queues `chain`, which starts no later than the next Wait(). Returns false, and queues
  // nothing, if there is no room until another chain has settled. If io_uring has no
  // opcode for one of the ops, one of the kernel's helper threads carries out the whole
  // chain.
  // REQUIRES: 1 to Chain::kOpsMax ops, none of them marked AtOnce(); slots are below
  // slots(), and named only by chains whose ops all have an opcode here.
  virtual bool Queue(ChainId id, absl::Span<const Op> chain) = 0;

  // Has `chain` carried out where that is best:
  //  - A chain marked AtOnce() is carried out on the calling thread, unless it may ask
  //    (Op::may_ask) and would have to wait. An op that is at once unless slow runs in
  //    any case: its result is not -ECANCELED for want of memory or a thread.
  //  - A chain with an op that io_uring has no opcode for is also carried out there, as
  //    long as such chains don't make the thread wait (and unless it AlwaysWaits()).
  //  - All others are queued.
  // If the chain was carried out, its results are in *results.
  // REQUIRES: the same as for Queue(), except that all ops may be marked AtOnce().
  virtual Submitted Submit(ChainId id, absl::Span<const Op> chain,
                           ChainResults* results) = 0;

  // Has `task` be carried out where that is best: on the calling thread, unless most of
  // the last tasks had to wait, else by a helper thread. In the second case Wait() hands
  // back results of no op under the name of `id` when it has ended; until then the task
  // must stay valid. There is always room.
  virtual Submitted SubmitTask(ChainId id, Task* task) = 0;

  // Whether the next task would be carried out by a helper thread, because tasks wait.
  virtual bool helps_with_tasks() const { return false; }

  // Chains and tasks that helper threads have not carried out yet.
  virtual int helpers_in_flight() const { return 0; }

  // Changes how much of what waits may be under way. Less than is under way already comes
  // to be as that ends.
  virtual void SetWaitLimits(const WaitLimits& /*limits*/) {}

  // Starts what is queued, waits until a good part of what is in flight has settled,
  // somebody has called Wake(), or `timeout` has passed, and appends the chains that have
  // settled to `settled`. There may be none. The thread waits for chains and for other
  // threads nowhere else.
  virtual void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) = 0;

  // Ends the Wait() under way, whatever is in flight; if there is none, the next Wait()
  // does not wait. Several calls before that count as one. May be called by any thread.
  virtual void Wake() = 0;

  // Chains queued or running and not handed back yet.
  virtual int chains_in_flight() const = 0;

  // How many slots there are.
  virtual int slots() const = 0;

  // Whether kInstallDescriptor works here (io_uring: from Linux 6.8 on).
  virtual bool can_install_descriptor() const = 0;

  // Whether kFtruncate can be queued (io_uring: from Linux 6.9 on). Carried out at once,
  // it works everywhere.
  virtual bool can_queue_truncate() const = 0;

  virtual KernelCounters counters() const = 0;

  // OK, or a message for a person that says why the ring has failed for good.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_KERNEL_H_
