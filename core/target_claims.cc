#include "core/target_claims.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "core/check.h"

namespace ringcp {

TargetClaims::Desk::Desk(TargetClaims* claims) : claims_(claims) {
  MutexLock lock(&claims_->mutex_);
  claims_->desks_.push_back(this);
}

TargetClaims::Desk::~Desk() {
  MutexLock lock(&claims_->mutex_);
  std::vector<Desk*>& desks = claims_->desks_;
  desks.erase(std::find(desks.begin(), desks.end(), this));
  MutexLock own_lock(&mutex_);
  RINGCP_CHECK(new_.empty());
}

void TargetClaims::Desk::AnnounceNew(int directory, const char* name, Claim* claim) {
  RINGCP_CHECK(!claim->held());
  claim->kind_ = Claim::Kind::kNew;
  claim->directory_ = directory;
  claim->name_ = name;
  MutexLock lock(&mutex_);
  new_.push_back(claim);
}

bool TargetClaims::Desk::TryTake(dev_t device, ino_t inode, Claim* claim) {
  RINGCP_CHECK(!claim->held());
  MutexLock lock(&claims_->mutex_);
  if (claims_->existing_.contains({device, inode})) return false;
  // Whoever made this file has announced it before, and this copy has it open: so its
  // name, if it is still being written, is among those announced by now.
  for (Desk* desk : claims_->desks_) {
    if (desk->HasMade(device, inode)) return false;
  }
  claims_->existing_.insert({device, inode});
  claim->kind_ = Claim::Kind::kExisting;
  claim->device_ = device;
  claim->inode_ = inode;
  return true;
}

bool TargetClaims::Desk::HasMade(dev_t device, ino_t inode) {
  MutexLock lock(&mutex_);
  return std::any_of(new_.begin(), new_.end(), [&](const Claim* claim) {
    // Not even the device of its directory says on which one it is (overlayfs).
    struct stat stat;
    return fstatat(claim->directory_, claim->name_, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
           stat.st_dev == device && stat.st_ino == inode;
  });
}

void TargetClaims::Desk::Release(Claim* claim) {
  switch (claim->kind_) {
    case Claim::Kind::kNone:
      return;
    case Claim::Kind::kNew: {
      MutexLock lock(&mutex_);
      // There are few at a time; the last one is the most likely.
      const auto found = std::find(new_.rbegin(), new_.rend(), claim);
      RINGCP_CHECK(found != new_.rend());
      *found = new_.back();
      new_.pop_back();
      break;
    }
    case Claim::Kind::kExisting: {
      MutexLock lock(&claims_->mutex_);
      claims_->existing_.erase({claim->device_, claim->inode_});
      break;
    }
  }
  claim->kind_ = Claim::Kind::kNone;
  claims_->NoteRelease();
}

void TargetClaims::NoteRelease() {
  // Who begins to wait right now finds its claim free when it tries again, which it does
  // after a while even if nobody tells it.
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  MutexLock lock(&mutex_);
  ++releases_;
  released_.NotifyAll();
}

void TargetClaims::AwaitRelease(absl::Duration timeout) {
  const SteadyTime until =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  MutexLock lock(&mutex_);
  const uint64_t releases = releases_;
  waiting_.fetch_add(1, std::memory_order_relaxed);
  while (releases_ == releases && released_.WaitUntil(&mutex_, until)) {
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace ringcp
