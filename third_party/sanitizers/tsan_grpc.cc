// Shows ThreadSanitizer the locks inside a gRPC that was built without it.
//
// Debian's gRPC and abseil are not instrumented. ThreadSanitizer sees the memory that
// they share between threads (their headers are compiled into our code, and their calls
// of memcpy and free are intercepted) but not their locks, and so reports hundreds of
// false races. The linker redirects their calls of abseil's locks to the functions below
// (see --wrap in BUILD.bazel). Each function tells ThreadSanitizer that the calling
// thread is ordered after every thread that made such a call before.
//
// There is one order for all locks, not one for each lock, because gRPC also hands data
// over through lock-free queues and takes some lock soon afterwards. The price: a race in
// our own code goes unnoticed if both threads happen to call gRPC in between. Programs
// without gRPC don't link this file.

#include <grpc/grpc.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);

}  // extern "C"

namespace {

char all_locks;

void OrderAfterOthers() {
  __tsan_acquire(&all_locks);
  __tsan_release(&all_locks);
}

}  // namespace

// Defines the function that the linker calls instead of the one with the mangled name
// `name`.
#define ORDERED(result_type, name, parameters, arguments) \
  extern "C" result_type __real_##name parameters;        \
  extern "C" result_type __wrap_##name parameters {       \
    OrderAfterOthers();                                   \
    struct AtEnd {                                        \
      ~AtEnd() { OrderAfterOthers(); }                    \
    } at_end;                                             \
    return __real_##name arguments;                       \
  }

ORDERED(void, _ZN4absl7debian35Mutex4LockEv, (absl::Mutex * mutex), (mutex))
ORDERED(void, _ZN4absl7debian35Mutex6UnlockEv, (absl::Mutex * mutex), (mutex))
ORDERED(bool, _ZN4absl7debian35Mutex7TryLockEv, (absl::Mutex * mutex), (mutex))
ORDERED(void, _ZN4absl7debian319ReleasableMutexLock7ReleaseEv,
        (absl::ReleasableMutexLock * lock), (lock))
ORDERED(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE,
        (absl::CondVar * condition, absl::Mutex* mutex), (condition, mutex))
ORDERED(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
        (absl::CondVar * condition, absl::Mutex* mutex, absl::Duration timeout),
        (condition, mutex, timeout))
ORDERED(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
        (absl::CondVar * condition, absl::Mutex* mutex, absl::Time deadline),
        (condition, mutex, deadline))
// gRPC's lock-free queues, and where what is in them is carried out. An absl::Status is
// passed by its address.
ORDERED(bool, _ZN9grpc_core32MultiProducerSingleConsumerQueue4PushEPNS0_4NodeE,
        (void* queue, void* node), (queue, node))
ORDERED(void*, _ZN9grpc_core32MultiProducerSingleConsumerQueue14PopAndCheckEndEPb,
        (void* queue, bool* is_empty), (queue, is_empty))
ORDERED(void,
        _ZN9grpc_core12CallCombiner5StartEP12grpc_closureN4absl7debian36StatusEPKciS7_,
        (void* combiner, void* closure, void* status, const char* file, int line,
         const char* reason),
        (combiner, closure, status, file, line, reason))
ORDERED(void, _ZN9grpc_core12CallCombiner4StopEPKciS2_,
        (void* combiner, const char* file, int line, const char* reason),
        (combiner, file, line, reason))
ORDERED(bool, _ZN9grpc_core7ExecCtx5FlushEv, (void* context), (context))
ORDERED(grpc_call_error, grpc_call_start_batch,
        (grpc_call * call, const grpc_op* ops, size_t nops, void* tag, void* reserved),
        (call, ops, nops, tag, reserved))
ORDERED(void, _ZN4absl7debian312Notification6NotifyEv,
        (absl::Notification * notification), (notification))
ORDERED(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
        (const absl::Notification* notification), (notification))
