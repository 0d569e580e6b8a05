// The target's half of a ContentsCopy: what is done to its contents besides writing
// blocks. Old contents are emptied, room is set aside for the new ones, and the file is
// made longer or cut. It makes these ops, notes their results, and owns the FileSink that
// blocks go to. It knows nothing of the source, and does no I/O.
//
// Thread-safety: belongs to its ContentsCopy.

#ifndef RINGCP_CORE_FILE_TARGET_CONTENTS_H_
#define RINGCP_CORE_FILE_TARGET_CONTENTS_H_

#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/file/copy_policy.h"
#include "core/file/file_sink.h"
#include "core/kernel/op.h"

namespace ringcp {

class TargetContents {
 public:
  // REQUIRES: `counters` outlives this.
  explicit TargetContents(EngineCounters* counters) : blocks_(counters) {}

  // Forgets the last target. REQUIRES: `policy` outlives its use.
  void Reset(const FileCopyPolicy* policy);
  // Tells where the target is open. With `has_old` it was there before the copy, and
  // still has its old contents: `old_size` bytes.
  void Start(FileRef file, bool has_old, uint64_t old_size);

  FileSink& blocks() { return blocks_; }
  const FileSink& blocks() const { return blocks_; }

  // Whether the target still has its old contents, and how many bytes they are.
  bool has_old() const { return has_old_; }
  uint64_t old_size() const { return old_size_; }
  // Removes the old contents.
  Op EmptyOld() const;
  void OnOldEmptied(int32_t result);
  // Whether the old contents have been removed.
  bool is_emptied() const { return is_emptied_; }

  // Sets room aside for `size` bytes, while the target is empty. OnRoomSetAside() is true
  // if the copy has to fail: the file system or the disk is in trouble, instead of just
  // being unable to set room aside.
  Op SetRoomAside(uint64_t size) const { return Preallocate(file_, size); }
  bool OnRoomSetAside(int32_t result);
  bool is_preallocated() const { return is_preallocated_; }

  // Makes the target longer until SetSize() gives it its final size.
  Op Lengthen(uint64_t size) const { return policy_->Resize(file_, size); }
  // Gives the target its final size, which set_size() returns.
  Op SetSize(uint64_t size);
  uint64_t set_size() const { return set_size_; }
  // Removes all that has been written.
  Op Discard() const { return policy_->Resize(file_, 0); }
  void OnDiscarded() { is_preallocated_ = is_size_set_ = false; }

  // Whether room that was set aside for `room` bytes still reaches beyond `end`, where
  // the contents end.
  bool is_too_long(uint64_t end, uint64_t room) const {
    return is_preallocated_ && !is_size_set_ && end < room;
  }

 private:
  const FileCopyPolicy* policy_ = nullptr;
  FileRef file_;
  FileSink blocks_;
  bool has_old_ = false;
  uint64_t old_size_ = 0;
  bool is_emptied_ = false;
  bool is_preallocated_ = false;  // Room for all of the contents was set aside.
  bool is_size_set_ = false;
  uint64_t set_size_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_CONTENTS_H_
