#include "core/file/target_claims.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "core/base/check.h"
#include "core/base/file_identity.h"

namespace ringcp {
namespace {

// With up to so many desks, looking at all of them allocates no memory.
constexpr size_t kUsualDesks = 8;

// The key of the path of `place`, if the file system may make inode numbers up; else 0.
uint64_t NameKey(const FileSystem& file_system, const TargetClaims::Place& place) {
  if (file_system.has_true_inodes()) return 0;
  return absl::HashOf(place.directory_key, FoldedName(place.name)) | 1;
}

}  // namespace

void TargetClaims::Announced::Add(Claim* claim) {
  MutexLock lock(&mutex_);
  claims_.push_back(claim);
}

void TargetClaims::Announced::Remove(Claim* claim) {
  MutexLock lock(&mutex_);
  // There are few claims at a time, and the one made last is the most likely.
  const auto found = std::find(claims_.rbegin(), claims_.rend(), claim);
  RINGCP_CHECK(found != claims_.rend());
  *found = claims_.back();
  claims_.pop_back();
}

bool TargetClaims::Announced::Includes(Kernel* kernel, const Existing& target,
                                       uint64_t name_key, const Claim* own) {
  MutexLock lock(&mutex_);
  return std::any_of(claims_.begin(), claims_.end(), [&](const Claim* claim) {
    if (claim == own) return false;
    const Place& place = claim->place_;
    // Only a file system that copies up may have a file on another device than the file's
    // directory.
    const bool may_be_elsewhere =
        place.file_system->copies_up() || target.file_system->copies_up();
    const dev_t device = place.file_system->device();
    if (device != target.device && device != FileSystem::kNoDevice && !may_be_elsewhere) {
      return false;
    }
    if (target.is_any) return true;
    if (name_key != 0 && name_key == NameKey(*target.file_system, place)) return true;
    struct statx stat;
    return kernel->Stat(place.directory, place.name, AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
           DeviceOf(stat) == target.device && stat.stx_ino == target.inode;
  });
}

bool TargetClaims::Announced::empty() {
  MutexLock lock(&mutex_);
  return claims_.empty();
}

TargetClaims::~TargetClaims() {
  MutexLock lock(&mutex_);
  RINGCP_CHECK(existing_.empty() && names_.empty());
}

TargetClaims::Desk::Desk(TargetClaims* claims, Kernel* kernel)
    : claims_(claims), kernel_(kernel), announced_(std::make_shared<Announced>()) {
  MutexLock lock(&claims_->mutex_);
  claims_->desks_.push_back(announced_);
}

TargetClaims::Desk::~Desk() {
  RINGCP_CHECK(announced_->empty());
  StopWaiting();
  MutexLock lock(&claims_->mutex_);
  auto& desks = claims_->desks_;
  desks.erase(std::find(desks.begin(), desks.end(), announced_));
}

void TargetClaims::Desk::AnnounceNew(const Place& place, Claim* claim) {
  RINGCP_CHECK(!claim->held());
  claim->is_announced_ = true;
  claim->place_ = place;
  announced_->Add(claim);
}

bool TargetClaims::Desk::TryTake(const Existing& target, const Place& place,
                                 bool announces, Claim* claim) {
  RINGCP_CHECK(!claim->held());
  claim->name_key_ = NameKey(*target.file_system, place);
  if (announces) AnnounceNew(place, claim);
  if (claims_->TryTake(kernel_, target, claim)) return true;
  if (announces) {
    announced_->Remove(claim);
    claim->is_announced_ = false;
  }
  return false;
}

void TargetClaims::Desk::Release(Claim* claim) {
  if (!claim->held()) return;
  if (claim->is_announced_) announced_->Remove(claim);
  if (claim->is_existing_) claims_->ReleaseExisting(*claim);
  claim->is_announced_ = claim->is_existing_ = false;
  claims_->NoteRelease();
}

bool TargetClaims::TryTake(Kernel* kernel, const Existing& target, Claim* claim) {
  const bool may_be_made_up = !target.file_system->has_true_inodes();
  claim->device_ = target.device;
  const bool is_any = target.is_any || (may_be_made_up && target.links > 1);
  claim->inode_ = is_any ? 0 : target.inode;
  absl::InlinedVector<std::shared_ptr<Announced>, kUsualDesks> desks;
  {
    MutexLock lock(&mutex_);
    if (!Insert(*claim)) return false;
    desks.assign(desks_.begin(), desks_.end());
  }
  // A copy announces a new target before it makes it. So if another copy has made this
  // target and still writes to it, the name is among those announced by now. Looking at
  // names may take long, so only the lock of one desk at a time is held.
  for (const std::shared_ptr<Announced>& desk : desks) {
    if (!desk->Includes(kernel, target, claim->name_key_, claim)) continue;
    // Copies that this short-lived claim has turned away are not woken. If several waited
    // for one file, each attempt would wake the others for ever. They try again soon.
    ReleaseExisting(*claim);
    return false;
  }
  claim->is_existing_ = true;
  return true;
}

bool TargetClaims::Insert(const Claim& claim) {
  const bool by_name = claim.name_key_ != 0;
  if (by_name && !names_.insert({claim.device_, claim.name_key_}).second) return false;
  if (existing_.insert({claim.device_, claim.inode_}).second) return true;
  if (by_name) names_.erase({claim.device_, claim.name_key_});
  return false;
}

void TargetClaims::ReleaseExisting(const Claim& claim) {
  MutexLock lock(&mutex_);
  existing_.erase({claim.device_, claim.inode_});
  if (claim.name_key_ != 0) names_.erase({claim.device_, claim.name_key_});
}

void TargetClaims::NoteRelease() {
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  MutexLock lock(&mutex_);
  waiting_kernels_.WakeAll();
  waiting_kernels_.clear();
  waiting_.store(0, std::memory_order_relaxed);
}

void TargetClaims::Desk::WakeOnRelease() { claims_->NoteWaiting(kernel_, true); }

void TargetClaims::Desk::StopWaiting() { claims_->NoteWaiting(kernel_, false); }

void TargetClaims::NoteWaiting(Kernel* kernel, bool waits) {
  MutexLock lock(&mutex_);
  waiting_kernels_.Remove(kernel);
  if (waits) waiting_kernels_.Add(kernel);
  waiting_.store(waiting_kernels_.size(), std::memory_order_relaxed);
}

}  // namespace ringcp
