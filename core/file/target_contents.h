// The target's half of a ContentsCopy: what is done to its contents besides writing
// blocks (they are emptied, room is set aside for them, the file is made longer or cut).
// Makes the ops, and notes what they have come to; has the FileSink that blocks go to.
// Knows nothing of the source, and does no I/O itself.
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
  // Where it is open; whether it was there and has its contents still: `old_size` bytes.
  void Start(FileRef file, bool has_old, uint64_t old_size);

  FileSink& blocks() { return blocks_; }
  const FileSink& blocks() const { return blocks_; }

  // Whether it has contents that it had before the copy, and how many bytes.
  bool has_old() const { return has_old_; }
  uint64_t old_size() const { return old_size_; }
  // Takes them away.
  Op EmptyOld() const;
  void OnOldEmptied(int32_t result);
  // Whether that has been done.
  bool is_emptied() const { return is_emptied_; }

  // Sets room aside for `size` bytes, before there is anything in it. Of the result:
  // whether the file system or the disk is in trouble, and not only unable to do it.
  Op SetRoomAside(uint64_t size) const { return Preallocate(file_, size); }
  bool OnRoomSetAside(int32_t result);
  bool is_preallocated() const { return is_preallocated_; }

  // Makes it longer for the time being.
  Op Lengthen(uint64_t size) const { return policy_->Resize(file_, size); }
  // Gives it the size that it is to have; set_size() tells which.
  Op SetSize(uint64_t size);
  uint64_t set_size() const { return set_size_; }
  // Gives up all that is in it.
  Op Discard() const { return policy_->Resize(file_, 0); }
  void OnDiscarded() { is_preallocated_ = is_size_set_ = false; }

  // Whether what was set aside for `room` bytes goes beyond `end`, where the contents
  // end, and has not been cut.
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
  bool is_preallocated_ = false;  // Room for all of it was set aside.
  bool is_size_set_ = false;
  uint64_t set_size_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_CONTENTS_H_
