#include "tests/simulation/sparse_bytes.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace ringcp {

uint32_t SparseBytes::Read(uint64_t offset, uint32_t length, char* buffer) const {
  if (offset >= size_) return 0;
  length = static_cast<uint32_t>(std::min<uint64_t>(length, size_ - offset));
  for (uint32_t done = 0; done < length;) {
    const uint64_t at = offset + done;
    const uint64_t in_page = at % kPageBytes;
    const uint32_t part =
        static_cast<uint32_t>(std::min<uint64_t>(length - done, kPageBytes - in_page));
    const auto page = pages_.find(at / kPageBytes);
    if (page == pages_.end()) {
      std::memset(buffer + done, 0, part);
    } else {
      std::memcpy(buffer + done, page->second.data() + in_page, part);
    }
    done += part;
  }
  return length;
}

uint32_t SparseBytes::Write(uint64_t offset, std::string_view bytes, uint64_t pages_max) {
  uint32_t done = 0;
  while (done < bytes.size()) {
    const uint64_t at = offset + done;
    const uint64_t number = at / kPageBytes;
    const uint64_t in_page = at % kPageBytes;
    const uint64_t part = std::min<uint64_t>(bytes.size() - done, kPageBytes - in_page);
    auto page = pages_.find(number);
    if (page == pages_.end()) {
      if (set_aside_.erase(number) == 0) {
        if (pages_max == 0) break;
        --pages_max;
      }
      page = pages_.emplace(number, std::string(kPageBytes, '\0')).first;
    }
    std::memcpy(page->second.data() + in_page, bytes.data() + done, part);
    done += static_cast<uint32_t>(part);
  }
  if (done > 0) size_ = std::max(size_, offset + done);
  return done;
}

void SparseBytes::SetSize(uint64_t size) {
  if (size <= size_) {
    // Pages preallocated beyond the end are freed, too.
    const uint64_t kept = (size + kPageBytes - 1) / kPageBytes;
    pages_.erase(pages_.lower_bound(kept), pages_.end());
    set_aside_.erase(set_aside_.lower_bound(kept), set_aside_.end());
    const uint64_t in_page = size % kPageBytes;
    const auto page = pages_.find(size / kPageBytes);
    if (page != pages_.end()) {
      std::memset(page->second.data() + in_page, 0, kPageBytes - in_page);
    }
  }
  size_ = size;
}

bool SparseBytes::Preallocate(uint64_t size, uint64_t pages_max) {
  const uint64_t end = (size + kPageBytes - 1) / kPageBytes;
  std::set<uint64_t> more;
  std::vector<uint64_t> again;
  for (uint64_t number = 0; number < end; ++number) {
    if (pages_.contains(number)) continue;
    if (set_aside_.contains(number)) {
      again.push_back(number);
    } else {
      more.insert(number);
    }
    if (more.size() > pages_max) return false;
  }
  // If pages are preallocated a second time, tmpfs fills them with zeros.
  for (const uint64_t number : again) {
    set_aside_.erase(number);
    pages_.emplace(number, std::string(kPageBytes, '\0'));
  }
  set_aside_.merge(more);
  return true;
}

std::optional<uint64_t> SparseBytes::NextData(uint64_t offset) const {
  const auto page = pages_.lower_bound(offset / kPageBytes);
  if (page == pages_.end() || page->first * kPageBytes >= size_) return std::nullopt;
  return std::max(offset, page->first * kPageBytes);
}

uint64_t SparseBytes::NextHole(uint64_t offset) const {
  uint64_t number = offset / kPageBytes;
  for (auto page = pages_.find(number); page != pages_.end() && page->first == number;
       ++page) {
    ++number;
  }
  return std::min(size_, std::max(offset, number * kPageBytes));
}

uint64_t SparseBytes::pages_of_zeros() const {
  return std::count_if(pages_.begin(), pages_.end(), [](const auto& page) {
    return page.second.find_first_not_of('\0') == std::string::npos;
  });
}

std::string SparseBytes::ToString() const {
  std::string all(size_, '\0');
  for (const auto& [number, page] : pages_) {
    const uint64_t start = number * kPageBytes;
    if (start < size_) page.copy(all.data() + start, std::min(kPageBytes, size_ - start));
  }
  return all;
}

bool SameBytes(const SparseBytes& a, const SparseBytes& b) {
  if (a.size_ != b.size_) return false;
  static const std::string kHole(SparseBytes::kPageBytes, '\0');
  const auto differ = [](const SparseBytes& x, const SparseBytes& y) {
    return std::any_of(x.pages_.begin(), x.pages_.end(), [&y](const auto& page) {
      const auto other = y.pages_.find(page.first);
      return page.second != (other == y.pages_.end() ? kHole : other->second);
    });
  };
  return !differ(a, b) && !differ(b, a);
}

}  // namespace ringcp
