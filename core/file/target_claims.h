// Knows which targets copies are writing to, so that no two copies write to one file at
// the same time. Several names may lead to one target: hard links, symbolic links, names
// that a file system takes for equal, and directories that merge.
//
// A copy claims its target before it changes anything, and until it ends.
//  - It claims an existing target by its identity, usually once the target is open. If
//    another copy has claimed the target, it waits until that copy has ended.
//  - It announces a new target by directory and name, because the target has no identity
//    before it is made. That takes only the lock of the worker's own Desk, for which no
//    other worker competes as long as no copy meets an existing target. A new target can
//    collide only with a copy that finds it existing; that copy looks up all the names
//    that desks have announced. It skips names on other devices, so that a server that
//    does not answer delays no copy that has nothing to do with it.
//
// If a file system may make inode numbers up (!FileSystem::has_true_inodes()), the path
// below the job's target counts as well. Two paths are equal if the file system may take
// them for equal, and all files with several hard links count as one. A copy may then
// wait without need, which does no harm.
//
// Opening a file may change its identity (overlayfs). A copy that claims a target before
// opening it therefore announces the target's name, too, so that others find the target
// under either identity.
//
// The alternative was to claim new targets by identity as well. It would cost a stat of
// each new target, and a lock shared by all workers.
//
// A copy that waits for a claim holds no other claim. A copy that holds a claim waits
// only for its own I/O, or until fewer targets of its directory are being made
// (worker_making.cc), which takes no claim. So there can be no deadlock.
//
// Thread-safety: any thread may call TargetClaims' methods. A Desk belongs to one thread,
// and so do the claims made at it.

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
  TargetClaims() = default;
  // REQUIRES: no existing target is claimed any more. That holds even for a job whose
  // ring has failed: its worker is kept, and its desk with it, but its copies have ended.
  ~TargetClaims();
  TargetClaims(const TargetClaims&) = delete;
  TargetClaims& operator=(const TargetClaims&) = delete;

  // An existing target, which the caller has opened, or is about to open.
  struct Existing {
    dev_t device = 0;
    ino_t inode = 0;
    uint64_t links = 1;
    const FileSystem* file_system = nullptr;  // The target's.
    // Each stat gives another inode number, so it may be any file on its device.
    bool is_any = false;
  };

  // The directory and name of a target.
  struct Place {
    int directory = -1;
    const char* name = nullptr;
    const FileSystem* file_system = nullptr;  // The directory's.
    uint64_t directory_key = 0;               // TargetDirectory::key.
  };

  // The claim of one copy: on nothing, on a new target or on an existing one.
  class Claim {
   public:
    bool held() const { return is_announced_ || is_existing_; }

   private:
    friend class TargetClaims;
    friend class Desk;
    bool is_announced_ = false;
    Place place_;  // Of an announced target.
    bool is_existing_ = false;
    dev_t device_ = 0;  // Of an existing target.
    ino_t inode_ = 0;
    uint64_t name_key_ = 0;  // 0 if names don't count.
  };

  // Where the copies of one thread make their claims. The thread makes and destroys it.
  // REQUIRES: `claims` and the thread's `kernel` outlive the desk; no claim is held when
  // the desk is destroyed.
  class Desk {
   public:
    Desk(TargetClaims* claims, Kernel* kernel);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // Claims the target that is about to be made at `place`. REQUIRES: `claim` is not
    // held; what `place` points to stays valid until the claim is released.
    void AnnounceNew(const Place& place, Claim* claim);

    // Claims the existing `target`, which is at `place`. Returns false, and claims
    // nothing, if another copy has claimed the target. `announces`: the target has not
    // been opened yet, so its name is announced as well. After getting the claim, the
    // caller looks at the name again, because a copy that held the claim before may have
    // failed and removed the name. REQUIRES: `claim` is not held; with `announces` what
    // `place` points to stays valid until the claim is released.
    bool TryTake(const Existing& target, const Place& place, bool announces,
                 Claim* claim);

    // Gives `claim` back if it is held.
    void Release(Claim* claim);

    // Has this thread's kernel woken once, as soon as any thread releases a claim. The
    // wake-up is lost if the release happens at the same moment, so the caller also tries
    // again after a while.
    void WakeOnRelease();
    // Cancels WakeOnRelease(). From then on the kernel may be destroyed.
    void StopWaiting();

   private:
    TargetClaims* const claims_;
    Kernel* const kernel_;
    const std::shared_ptr<Announced> announced_;
  };

 private:
  // The targets that were announced at one desk. It may outlive the desk while another
  // thread looks at it.
  class Announced {
   public:
    void Add(Claim* claim);
    void Remove(Claim* claim);
    // Whether one of the announced targets, other than `own`, is the file `target` by
    // now. If `name_key` is not 0, a target whose name has that key counts, too, because
    // it may become that file.
    bool Includes(Kernel* kernel, const Existing& target, uint64_t name_key,
                  const Claim* own);
    bool empty();

   private:
    Mutex mutex_;
    std::vector<Claim*> claims_ ABSL_GUARDED_BY(mutex_);
  };

  bool TryTake(Kernel* kernel, const Existing& target, Claim* claim);
  // Claims both the identity and the name in `claim`, or neither. False if one is taken.
  bool Insert(const Claim& claim) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReleaseExisting(const Claim& claim);
  void NoteRelease();
  void NoteWaiting(Kernel* kernel, bool waits);

  Mutex mutex_;
  // The number of waiting_kernels_, to be read without the lock.
  std::atomic<int> waiting_ = 0;
  WaitingKernels waiting_kernels_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::pair<dev_t, ino_t>> existing_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::pair<dev_t, uint64_t>> names_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Announced>> desks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_CLAIMS_H_
