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
//    existing; that one looks up what the names announced by all desks lead to. Names on
//    another device are not asked for, so that a server that does not answer keeps nobody
//    waiting who has nothing to do with it.
//
// Where inode numbers may be made up (FileSystem::has_true_inodes()), the path below the
// job's target counts as well, in which names are equal that such a file system may take
// for equal; and all files that have several names are one. It is no harm if a copy waits
// without need.
//
// A file may get another identity by being opened (overlayfs). Whoever claims one before
// opening it announces its name, too: so it is found under either identity.
//
// The alternative, claiming new targets by identity too, would cost each of them a stat
// and a lock shared by all workers.
//
// A copy that waits for a claim holds no other claim on a target, and one that holds a
// claim waits for nothing but its own I/O: so there is no circle of waiting.
//
// Thread-safety: TargetClaims' methods may be called by any thread. A Desk belongs to one
// thread, and so do the claims made at it.

#ifndef RINGCP_CORE_FILE_TARGET_CLAIMS_H_
#define RINGCP_CORE_FILE_TARGET_CLAIMS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "core/base/mutex.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

class TargetClaims {
 public:
  class Desk;

 private:
  class Announced;

 public:
  // An existing target, which the caller has open.
  struct Existing {
    dev_t device = 0;
    ino_t inode = 0;
    uint64_t links = 1;
    const FileSystem* file_system = nullptr;  // What it is on.
    // Each look at it gives another inode number: it may be any file on its device.
    bool is_any = false;
  };

  // Where a new target is about to be made, and as what.
  struct Place {
    int directory = -1;
    const char* name = nullptr;
    const FileSystem* file_system = nullptr;  // What the directory is on.
    uint64_t directory_key = 0;               // TargetDirectory::key.
  };

  // What one copy has claimed: nothing, a new target or an existing one.
  class Claim {
   public:
    bool held() const { return is_announced_ || is_existing_; }

   private:
    friend class TargetClaims;
    friend class Desk;
    bool is_announced_ = false;
    Place place_;  // Where it is announced.
    bool is_existing_ = false;
    dev_t device_ = 0;  // Of an existing one.
    ino_t inode_ = 0;
    uint64_t name_key_ = 0;  // Where names count; else 0.
  };

  // Where the copies of one thread make their claims. Made and destroyed by it.
  // REQUIRES: `claims` and `kernel`, that thread's, outlive it; no claim is held when it
  // is destroyed.
  class Desk {
   public:
    Desk(TargetClaims* claims, Kernel* kernel);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // Claims the target that is about to be made at `place`, which stays as it is until
    // the claim is released. REQUIRES: `claim` is not held.
    void AnnounceNew(const Place& place, Claim* claim);

    // Claims an existing target, whose name in its directory is `place`. False if another
    // copy has claimed it: then nothing is claimed. With `announces` the target is yet to
    // be opened, and `place` stays as it is until the claim is released. A copy that
    // failed may have removed the name that the caller opened it by: whoever has got the
    // claim looks at the name again. REQUIRES: `claim` is not held.
    bool TryTake(const Existing& target, const Place& place, bool announces,
                 Claim* claim);

    // Gives a claim back, if it is held.
    void Release(Claim* claim);

    // Has this thread's kernel woken once, when some claim is released by any thread. A
    // release right now may be missed: who waits tries again after a while all the same.
    void WakeOnRelease();
    // Takes that back, if it has not happened yet: the kernel may go.
    void StopWaiting();

   private:
    TargetClaims* const claims_;
    Kernel* const kernel_;
    const std::shared_ptr<Announced> announced_;
  };

 private:
  // The new targets of one desk. Outlives it for those who are just looking at it.
  class Announced {
   public:
    void Add(Claim* claim);
    void Remove(Claim* claim);
    // Whether one of them, other than `own`, is the file `target` by now, or may be made
    // as it: the key of its name is `name_key`, unless that is 0.
    bool Includes(Kernel* kernel, const Existing& target, uint64_t name_key,
                  const Claim* own);
    bool empty();

   private:
    Mutex mutex_;
    std::vector<Claim*> claims_ ABSL_GUARDED_BY(mutex_);
  };

  bool TryTake(Kernel* kernel, const Existing& target, Claim* claim);
  // Claims the identity and the name in `claim`, or neither.
  bool Insert(const Claim& claim) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReleaseExisting(const Claim& claim);
  void NoteRelease();
  void NoteWaiting(Kernel* kernel, bool waits);

  Mutex mutex_;
  // How many wait for a release: waiting_kernels_.
  std::atomic<int> waiting_ = 0;
  WaitingKernels waiting_kernels_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::pair<dev_t, ino_t>> existing_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::pair<dev_t, uint64_t>> names_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Announced>> desks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_CLAIMS_H_
