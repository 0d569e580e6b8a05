#include "core/clone_table.h"

#include <algorithm>
#include <cerrno>

namespace ringcp {

void CloneTable::NoteRefused(dev_t source, dev_t target) {
  if (Refused(source, target)) return;
  MutexLock lock(&mutex_);
  refused_.emplace_back(source, target);
}

bool CloneTable::Refused(dev_t source, dev_t target) const {
  MutexLock lock(&mutex_);
  return std::any_of(refused_.begin(), refused_.end(), [&](const auto& pair) {
    return pair.second == target && (source == kAnyDevice || pair.first == source);
  });
}

bool CloneTable::RefusesAll(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EXDEV || error_number == ENOTTY ||
         error_number == ENOSYS;
}

}  // namespace ringcp
