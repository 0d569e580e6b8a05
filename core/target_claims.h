// Which targets are open for writing, so that no two copies write one file at a time: two
// names may lead to one target (hard links, symbolic links, names that a file system
// takes for equal, directories that merge).
//
// Every target is claimed from before it is opened until its copy has ended.
//  - One that exists is claimed by its identity, once it is open and before anything is
//    done to it. Whoever finds it taken waits until that copy has ended.
//  - A new one is announced by its directory and name, because it has no identity before
//    it is made. That takes only the lock of its worker's Desk, which nobody else wants
//    as long as no target exists. A new target can collide only with a copy that finds it
//    existing; that one looks up what the names announced by all desks lead to.
//
// The alternative, claiming new targets by identity too, would cost each of them a stat
// and a lock shared by all workers.
//
// A copy that waits for a claim holds no other claim on a target, and one that holds a
// claim waits for nothing but its own I/O: so there is no circle of waiting.
//
// Thread-safety: TargetClaims' methods may be called by any thread. A Desk belongs to one
// thread, and so do the claims made at it.

#ifndef RINGCP_CORE_TARGET_CLAIMS_H_
#define RINGCP_CORE_TARGET_CLAIMS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "core/mutex.h"

namespace ringcp {

class TargetClaims {
 public:
  class Desk;

  // What one copy has claimed: nothing, a new target or an existing one.
  class Claim {
   public:
    bool held() const { return kind_ != Kind::kNone; }

   private:
    friend class TargetClaims;
    friend class Desk;
    enum class Kind : uint8_t { kNone, kNew, kExisting };

    Kind kind_ = Kind::kNone;
    int directory_ = -1;  // kNew: where it is made, and as what.
    const char* name_ = nullptr;
    dev_t device_ = 0;  // kExisting.
    ino_t inode_ = 0;
  };

  // Where the copies of one thread make their claims. Made and destroyed by it.
  // REQUIRES: `claims` outlives it; no claim is held when it is destroyed.
  class Desk {
   public:
    explicit Desk(TargetClaims* claims);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // Claims the target that is about to be made as `name` in the open directory
    // `directory`; both stay as they are until the claim is released.
    // REQUIRES: `claim` is not held.
    void AnnounceNew(int directory, const char* name, Claim* claim);

    // Claims an existing target that the caller has open. False if another copy has
    // claimed it: then nothing is claimed. A copy that failed may have removed the name
    // that the caller opened it by: whoever has got the claim looks at the name again.
    // REQUIRES: `claim` is not held.
    bool TryTake(dev_t device, ino_t inode, Claim* claim);

    // Gives a claim back, if it is held.
    void Release(Claim* claim);

    // Waits until some claim is released by any thread, or `timeout` has passed.
    void AwaitRelease(absl::Duration timeout) { claims_->AwaitRelease(timeout); }

   private:
    friend class TargetClaims;

    // Whether one of the targets announced here has this identity by now.
    bool HasMade(dev_t device, ino_t inode);

    TargetClaims* const claims_;
    Mutex mutex_;
    std::vector<Claim*> new_ ABSL_GUARDED_BY(mutex_);
  };

 private:
  void AwaitRelease(absl::Duration timeout);
  void NoteRelease();

  // Locked before a desk's own lock, never behind it.
  Mutex mutex_;
  CondVar released_;
  std::atomic<int> waiting_ = 0;
  uint64_t releases_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_set<std::pair<dev_t, ino_t>> existing_ ABSL_GUARDED_BY(mutex_);
  std::vector<Desk*> desks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TARGET_CLAIMS_H_
