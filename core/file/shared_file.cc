#include "core/file/shared_file.h"

#include <algorithm>

#include "core/base/check.h"

namespace ringcp {

void SharedFile::Start(FileRef source, FileRef target, uint64_t begin, uint64_t end) {
  source_ = source;
  target_ = target;
  MutexLock lock(&mutex_);
  next_offset_ = begin;
  end_ = end;
  end_found_ = false;
  block_missing_ = false;
  has_helper_ = false;
  error_number_ = 0;
}

uint32_t SharedFile::Take(uint32_t length_max, uint64_t* offset) {
  MutexLock lock(&mutex_);
  if (next_offset_ >= end_) return 0;
  const auto length =
      static_cast<uint32_t>(std::min<uint64_t>(length_max, end_ - next_offset_));
  *offset = next_offset_;
  next_offset_ += length;
  return length;
}

void SharedFile::FindEnd(uint64_t offset) {
  MutexLock lock(&mutex_);
  end_offset_ = end_found_ ? std::min(end_offset_, offset) : offset;
  end_found_ = true;
  next_offset_ = end_;
}

void SharedFile::Fail(Operation operation, int error_number) {
  MutexLock lock(&mutex_);
  next_offset_ = end_;
  if (error_number_ != 0) return;
  failed_operation_ = operation;
  error_number_ = error_number;
}

void SharedFile::Stop() {
  MutexLock lock(&mutex_);
  if (next_offset_ < end_) block_missing_ = true;
  next_offset_ = end_;
}

void SharedFile::DropBlock() {
  MutexLock lock(&mutex_);
  block_missing_ = true;
}

bool SharedFile::exhausted() const {
  MutexLock lock(&mutex_);
  return next_offset_ >= end_;
}

bool SharedFile::complete() const {
  MutexLock lock(&mutex_);
  return next_offset_ >= end_ && !block_missing_ && error_number_ == 0;
}

bool SharedFile::end_found() const {
  MutexLock lock(&mutex_);
  return end_found_;
}

uint64_t SharedFile::end_offset() const {
  MutexLock lock(&mutex_);
  return end_offset_;
}

Operation SharedFile::failed_operation() const {
  MutexLock lock(&mutex_);
  return failed_operation_;
}

int SharedFile::error_number() const {
  MutexLock lock(&mutex_);
  return error_number_;
}

int SharedFile::lanes_max() const {
  MutexLock lock(&mutex_);
  return has_helper_ ? kLanesTogether : kLanesAlone;
}

void SharedFile::NoteHelp() {
  MutexLock lock(&mutex_);
  has_helper_ = true;
}

void SharedFiles::Offer(SharedFile* file) {
  MutexLock lock(&mutex_);
  RINGCP_CHECK(Find(file) == nullptr);
  offered_.push_back({.file = file});
  waiting_.WakeAll();
}

bool SharedFiles::Withdraw(Kernel* kernel, SharedFile* file) {
  MutexLock lock(&mutex_);
  Offered* const offered = Find(file);
  RINGCP_CHECK(offered != nullptr);
  offered->open = false;
  if (offered->has_helper) {
    offered->owner = kernel;
    return false;
  }
  *offered = offered_.back();
  offered_.pop_back();
  return true;
}

SharedFiles::Joined SharedFiles::Join(Kernel* kernel, SharedFile** file) {
  MutexLock lock(&mutex_);
  if (!waiting_.Remove(kernel)) OneBusyLess();
  Offered* const open = FindOpen();
  if (open == nullptr) {
    if (workers_busy_ == 0) return Joined::kOver;
    waiting_.Add(kernel);
    return Joined::kNothingYet;
  }
  ++workers_busy_;
  open->has_helper = true;
  open->file->NoteHelp();
  *file = open->file;
  return Joined::kFile;
}

void SharedFiles::Leave(const SharedFile* file) {
  MutexLock lock(&mutex_);
  Offered* const offered = Find(file);
  RINGCP_CHECK(offered != nullptr && offered->has_helper);
  offered->has_helper = false;
  // The helper has left because there were no more blocks to take.
  offered->open = false;
  if (offered->owner != nullptr) offered->owner->Wake();
}

void SharedFiles::OneWorkerLess() {
  MutexLock lock(&mutex_);
  OneBusyLess();
}

void SharedFiles::GiveUp(const Kernel* kernel) {
  MutexLock lock(&mutex_);
  // A worker that waits is no longer counted as busy.
  if (!waiting_.Remove(kernel)) OneBusyLess();
}

void SharedFiles::OneBusyLess() {
  if (--workers_busy_ == 0) waiting_.WakeAll();
}

SharedFiles::Offered* SharedFiles::Find(const SharedFile* file) {
  const auto found = std::find_if(offered_.begin(), offered_.end(),
                                  [&](const auto& item) { return item.file == file; });
  return found != offered_.end() ? &*found : nullptr;
}

SharedFiles::Offered* SharedFiles::FindOpen() {
  const auto found = std::find_if(offered_.begin(), offered_.end(), [](const auto& item) {
    return item.open && !item.has_helper && !item.file->exhausted();
  });
  return found != offered_.end() ? &*found : nullptr;
}

}  // namespace ringcp
