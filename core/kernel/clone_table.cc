#include "core/kernel/clone_table.h"

#include <algorithm>
#include <cerrno>

namespace ringcp {

void CloneTable::NoteRefused(dev_t source, dev_t target) {
  MutexLock lock(&mutex_);
  const int size = size_.load(std::memory_order_relaxed);
  if (size == kPairsMax || Refused(source, target)) return;
  refused_[size] = {source, target};
  size_.store(size + 1, std::memory_order_release);
}

bool CloneTable::Refused(dev_t source, dev_t target) const {
  const int size = size_.load(std::memory_order_acquire);
  return std::any_of(refused_.begin(), refused_.begin() + size, [&](const Pair& pair) {
    return pair.target == target && (source == kAnyDevice || pair.source == source);
  });
}

bool CloneTable::RefusesAll(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EXDEV || error_number == ENOTTY ||
         error_number == ENOSYS;
}

}  // namespace ringcp
