#include "core/tree/link_table.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace ringcp {
namespace {

bool ComesBefore(const WaitingEntry& a, const WaitingEntry& b) {
  return a.order < b.order;
}

}  // namespace

LinkTable::Claim LinkTable::ClaimFile(const FileIdentity& id, uint32_t links,
                                      const WaitingEntry& entry, std::string* copied_as) {
  MutexLock lock(&mutex_);
  auto [it, is_first] = files_.try_emplace(id);
  File& file = it->second;
  if (is_first) {
    file.links_to_meet = links - 1;
    file.order = entry.order;
    return Claim::kCopy;
  }
  if (file.links_to_meet > 0) --file.links_to_meet;
  if (!file.copied) {
    file.waiting.push_back(entry);
    if (file.order <= entry.order) return Claim::kWait;
    file.waiting.back().order = WaitingEntry::kOutOfTurn;
    return Claim::kWaitForLater;
  }
  *copied_as = file.copied_as;
  if (file.links_to_meet == 0) files_.erase(it);
  return Claim::kLink;
}

std::vector<WaitingEntry> LinkTable::EndClaim(const FileIdentity& id,
                                              std::string copied_as) {
  MutexLock lock(&mutex_);
  const auto it = files_.find(id);
  RINGCP_CHECK(it != files_.end() && !it->second.copied);
  File& file = it->second;
  std::vector<WaitingEntry> released;
  if (copied_as.empty()) {
    if (file.released == file.waiting.size()) {
      files_.erase(it);
    } else {
      const auto first = file.waiting.begin() + file.released;
      // Without questions all have one order, and the first is the one.
      if (first->order > 0) {
        std::iter_swap(first, std::min_element(first, file.waiting.end(), ComesBefore));
      }
      file.order = first->order;
      released.push_back(std::move(file.waiting[file.released++]));
    }
    return released;
  }
  released.swap(file.waiting);
  released.erase(released.begin(), released.begin() + file.released);
  if (file.links_to_meet == 0) {
    files_.erase(it);
  } else {
    file.copied = true;
    file.copied_as = std::move(copied_as);
  }
  return released;
}

std::vector<WaitingEntry> LinkTable::TakeAllWaiting() {
  MutexLock lock(&mutex_);
  std::vector<WaitingEntry> all;
  for (auto& [id, file] : files_) {
    for (size_t i = file.released; i < file.waiting.size(); ++i) {
      all.push_back(std::move(file.waiting[i]));
    }
    file.waiting.clear();
    file.released = 0;
  }
  return all;
}

}  // namespace ringcp
