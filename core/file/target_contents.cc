#include "core/file/target_contents.h"

#include <cerrno>

namespace ringcp {

void TargetContents::Reset(const FileCopyPolicy* policy) {
  policy_ = policy;
  blocks_.io().SetFileSystem(nullptr, /*is_uncached=*/false);
  blocks_.SetSkipsZeros(false);
  is_emptied_ = is_preallocated_ = is_size_set_ = false;
}

void TargetContents::Start(FileRef file, bool has_old, uint64_t old_size) {
  file_ = file;
  blocks_.SetFile(file);
  has_old_ = has_old;
  old_size_ = old_size;
}

Op TargetContents::EmptyOld() const { return policy_->Resize(file_, 0); }

void TargetContents::OnOldEmptied(int32_t result) {
  if (result < 0) return;
  is_emptied_ = true;
  has_old_ = false;
}

bool TargetContents::OnRoomSetAside(int32_t result) {
  is_preallocated_ = result == 0;
  const bool is_unsupported =
      result == -EOPNOTSUPP || result == -ENOSYS || result == -EPERM || result == -EINVAL;
  return result < 0 && !is_unsupported;
}

Op TargetContents::SetSize(uint64_t size) {
  is_size_set_ = true;
  set_size_ = size;
  return policy_->Resize(file_, size);
}

}  // namespace ringcp
