// The one seam between the engine and the world: whatever the engine wants of files, of
// the time, or of the process it asks of a Kernel, which takes ops one by one, or chains
// of them, and hands back their results. Nothing in core/ outside this room calls the
// system around it (tests/core_symbols_test.sh). Implementations: UringKernel (io_uring),
// SyscallKernel (plain system calls, the same results); the tests add a fake one.
// tests/kernel_contract_test.cc holds all of them to what is written here.
//
// Contract:
//  - A chain is queued whole or not at all.
//  - A chain settles when every one of its ops has a result; only then is it handed back,
//    and only then may its buffers, paths and statx results be touched or reused.
//  - Results are the op's value (>= 0) or -errno. A read or write that transfers less
//    than asked fails its soft link.
//  - -ECANCELED says that an op did not run: because an op before it failed, or because
//    the system lacked the memory or the thread for it. Only in the second case is it the
//    first failure of its chain, and the op may be queued again.
//  - A ring may fail for good; status() says so then. Chains in flight are handed back
//    all the same, their missing results being -EIO and -ECANCELED, but the kernel may
//    still touch what they name: buffers, statx results and the ring's slots must stay as
//    they are for as long as the process lives. What is queued from then on is carried
//    out at once, for cleaning up; slots can't be used any more, and closing one does
//    nothing.
//  - Chains run concurrently and settle in any order.
//  - A poll that is queued (OpKind::kPoll) is alone in its chain, and keeps no other
//    chain from being handed back.
//  - A polled op is alone in its chain, and of an ordinary descriptor with O_DIRECT.
//    Rings that can't poll carry it out like any other; what a device that can't be
//    polled answers is a result like any other (EOPNOTSUPP).
//
// Thread-safety: a kernel belongs to the thread that made it; no other may call it, but
// for Wake() and Now() (IORING_SETUP_SINGLE_ISSUER makes the kernel insist).

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

// How often a thread has given up its CPU in order to wait, and how much of that was for
// what it read from devices: both only grow.
struct ThreadWaits {
  int64_t waits = 0;
  int64_t blocks_read = 0;
};

// What has become of a chain that was handed to a kernel.
enum class Submitted : uint8_t {
  kCarriedOut,
  kQueued,
  kNoRoom,  // Nothing, until some other chain has settled.
};

struct KernelCounters {
  int64_t chains = 0;   // Queued ones.
  int64_t sqes = 0;     // Their ops, as submission queue entries; 0 without io_uring.
  int64_t linked = 0;   // Of the SQEs, those that are tied to the next one.
  int64_t at_once = 0;  // Ops carried out by system calls on the ring's thread.
  int64_t at_once_with_opcode = 0;  // Of these, those that it could have made SQEs of.
  int64_t by_helpers = 0;           // Ops carried out by helper threads.
  int64_t polled = 0;  // Of the SQEs, those that were given to a ring that polls.
  int64_t enters = 0;  // io_uring_enter calls.
};

class Kernel {
 public:
  Kernel() = default;
  virtual ~Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // Carries out one op on the calling thread, of any kind, and returns its result. It may
  // wait. Not counted. REQUIRES: the op names no slot.
  virtual int32_t Do(const Op& op) = 0;

  // Do() of what is asked most. Stat() by name never mounts anything, as stat(2).
  int Open(int directory, const char* name, int flags) {
    return Do(OpenAt(directory, name, flags));
  }
  int32_t Stat(int directory, const char* name, int flags, struct statx* stat) {
    return Do(StatAt(directory, name, flags | AT_NO_AUTOMOUNT, stat));
  }
  int32_t Stat(int fd, struct statx* stat) { return Do(StatDescriptor(fd, stat)); }
  int32_t Close(int fd) { return Do(ringcp::Close(fd)); }
  // Closes *fd if that is a descriptor, which it is no more then.
  void CloseIfOpen(int* fd) {
    if (*fd >= 0) Close(*fd);
    *fd = -1;
  }

  // The time on a clock that nobody sets. May be called by any thread.
  virtual SteadyTime Now() const = 0;

  // Bits that nobody can guess.
  virtual uint64_t Random() = 0;

  // What this thread has waited for by now, as far as the system tells.
  virtual ThreadWaits Waits() const = 0;

  // Carries out a chain on the calling thread and returns its results.
  // REQUIRES: 1 to Chain::kOpsMax ops that name no slots.
  virtual ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) = 0;

  // Queues `chain`; it starts at the latest with the next Wait(). False, and nothing
  // is queued, when there is no room until some chain has settled. With an op that
  // io_uring has no opcode for, one of the kernel's helper threads carries it out, whole.
  // REQUIRES: 1 to Chain::kOpsMax ops, none of them marked AtOnce(); slots are below
  // slots(), and named only by chains whose ops all have an opcode here.
  virtual bool Queue(ChainId id, absl::Span<const Op> chain) = 0;

  // Has `chain` be carried out where that is best. One marked AtOnce() is carried out on
  // the calling thread, unless it may ask (Op::may_ask), and would have to wait; one of
  // ops that io_uring has no opcode for is as well, as long as such chains do not make
  // the thread wait; all others are queued. The results of a chain that was carried out
  // are in *results. REQUIRES: as Queue(), but that all ops may be marked.
  virtual Submitted Submit(ChainId id, absl::Span<const Op> chain,
                           ChainResults* results) = 0;

  // Starts what is queued, waits until a good part of what is in flight has settled,
  // somebody has called Wake(), or `timeout` has passed, and appends chains that have
  // settled to `settled`. May return without any. A thread waits nowhere else.
  virtual void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) = 0;

  // Ends the Wait() under way, whatever is in flight, or has the next one not wait.
  // Several calls before that are as one. May be called by any thread.
  virtual void Wake() = 0;

  // Chains queued or running and not handed back yet.
  virtual int chains_in_flight() const = 0;

  // How many slots there are.
  virtual int slots() const = 0;

  // Whether kInstallDescriptor works here (io_uring: from kernel 6.8 on).
  virtual bool can_install_descriptor() const = 0;

  // Whether kFtruncate can be queued (io_uring: from kernel 6.9 on). Carried out at once
  // it works everywhere.
  virtual bool can_queue_truncate() const = 0;

  virtual KernelCounters counters() const = 0;

  // OK, or why the ring has failed for good, for a person.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_KERNEL_H_
