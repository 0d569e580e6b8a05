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
ORDERED(void, _ZN4absl7debian312Notification6NotifyEv,
        (absl::Notification * notification), (notification))
ORDERED(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
        (const absl::Notification* notification), (notification))
