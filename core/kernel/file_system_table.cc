#include "core/kernel/file_system_table.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringcp {

FileSystem* FileSystemTable::Find(Kernel* kernel, int fd, dev_t device) {
  FileSystemStat stat;
  if (kernel->Do(StatFileSystem(fd, &stat)) != 0) return FindByDevice(device);
  return FindOrAdd(device, stat);
}

FileSystem* FileSystemTable::Find(Kernel* kernel, FileRef file, dev_t device) {
  return Find(kernel, file.descriptor(), device);
}

FileSystem* FileSystemTable::FindAt(Kernel* kernel, int directory, const char* name,
                                    dev_t device) {
  FileSystemStat stat;
  if (StatFileSystemAt(kernel, directory, name, /*follow=*/true, &stat) != 0) {
    return FindByDevice(device);
  }
  return FindOrAdd(device, stat);
}

bool FileSystemTable::IsOnPartOf(const FileSystem& file_system, Kernel* kernel,
                                 int directory, const char* name) {
  FileSystemStat stat;
  return StatFileSystemAt(kernel, directory, name, /*follow=*/true, &stat) == 0 &&
         stat.magic == file_system.magic_ && stat.id == file_system.id_;
}

FileSystem* FileSystemTable::FindByDevice(dev_t device) {
  return FindOrAdd(device, FileSystemStat());
}

FileSystem* FileSystemTable::Look(dev_t device, const FileSystemStat& stat) const {
  FileSystem* found = last_.load(std::memory_order_acquire);
  while (found != nullptr && (found->device_ != device || found->magic_ != stat.magic ||
                              found->id_ != stat.id)) {
    found = found->next_;
  }
  return found;
}

FileSystem* FileSystemTable::LookForRest(const FileSystemKind& kind) const {
  FileSystem* found = last_.load(std::memory_order_acquire);
  while (found != nullptr && (found->is_remembered() || &found->kind_ != &kind)) {
    found = found->next_;
  }
  return found;
}

FileSystem* FileSystemTable::FindOrAdd(dev_t device, const FileSystemStat& stat) {
  if (FileSystem* const found = Look(device, stat); found != nullptr) return found;
  const FileSystemKind& kind = KindWithMagic(stat.magic);
  MutexLock lock(&mutex_);
  if (FileSystem* const found = Look(device, stat); found != nullptr) return found;
  if (all_.size() >= kRememberedMax) device = FileSystem::kNoDevice;
  if (device == FileSystem::kNoDevice) {
    if (FileSystem* const found = LookForRest(kind); found != nullptr) return found;
  }
  auto added = std::make_unique<FileSystem>(device, kind);
  added->magic_ = stat.magic;
  added->id_ = stat.id;
  added->next_ = last_.load(std::memory_order_relaxed);
  last_.store(added.get(), std::memory_order_release);
  all_.push_back(std::move(added));
  return all_.back().get();
}

bool FileSystemTable::HasRefused(std::atomic<bool> FileSystem::*what) const {
  const FileSystem* one = last_.load(std::memory_order_acquire);
  while (one != nullptr && !(one->*what).load(std::memory_order_relaxed)) {
    one = one->next_;
  }
  return one != nullptr;
}

uint32_t FileSystemTable::PollableBytes(FileSystem* file_system) const {
  if (!file_system->is_remembered()) return 0;
  int64_t bytes = file_system->pollable_bytes_.load(std::memory_order_relaxed);
  if (bytes == FileSystem::kNotAsked) {
    bytes = pollable_length_(file_system->device_);
    file_system->pollable_bytes_.store(bytes, std::memory_order_relaxed);
  }
  return static_cast<uint32_t>(bytes);
}

void FileSystemTable::NoteCloneRefused(const FileSystem& source,
                                       const FileSystem& target) {
  if (!source.is_remembered() || !target.is_remembered()) return;
  MutexLock lock(&mutex_);
  const int size = pairs_size_.load(std::memory_order_relaxed);
  if (size == kPairsMax || !MayClone(&source, target)) return;
  pairs_[size] = {&source, &target};
  pairs_size_.store(size + 1, std::memory_order_release);
}

bool FileSystemTable::MayClone(const FileSystem* source, const FileSystem& target) const {
  const int size = pairs_size_.load(std::memory_order_acquire);
  return std::none_of(pairs_.begin(), pairs_.begin() + size, [&](const Pair& pair) {
    return pair.target == &target && (source == nullptr || pair.source == source);
  });
}

bool FileSystemTable::RefusesAllClones(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EXDEV || error_number == ENOTTY ||
         error_number == ENOSYS;
}

}  // namespace ringcp
