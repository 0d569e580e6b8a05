#include "bench/io_models/pattern.h"

#include <algorithm>
#include <cstring>

namespace ringcp::io_models {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kSectorBytes = 512;

bool WordMatches(uint64_t seed, int64_t offset, const char* data, size_t bytes) {
  const uint64_t word = PatternWord(seed, offset);
  return std::memcmp(data, &word, std::min(bytes, kWordBytes)) == 0;
}

}  // namespace

void FillPattern(uint64_t seed, int64_t offset, char* data, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kWordBytes) {
    const uint64_t word = PatternWord(seed, offset + static_cast<int64_t>(at));
    std::memcpy(data + at, &word, std::min(bytes - at, kWordBytes));
  }
}

bool MatchesPattern(uint64_t seed, int64_t offset, const char* data, size_t bytes) {
  uint64_t difference = 0;
  size_t at = 0;
  for (; at + kWordBytes <= bytes; at += kWordBytes) {
    uint64_t word = 0;
    std::memcpy(&word, data + at, kWordBytes);
    difference |= word ^ PatternWord(seed, offset + static_cast<int64_t>(at));
  }
  if (difference != 0) return false;
  const int64_t place = offset + static_cast<int64_t>(at);
  return at == bytes || WordMatches(seed, place, data + at, bytes - at);
}

bool SamplesMatchPattern(uint64_t seed, int64_t offset, const char* data, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kSectorBytes) {
    const int64_t place = offset + static_cast<int64_t>(at);
    if (!WordMatches(seed, place, data + at, kWordBytes)) return false;
  }
  const size_t last = bytes - kWordBytes;
  return WordMatches(seed, offset + static_cast<int64_t>(last), data + last, kWordBytes);
}

}  // namespace ringcp::io_models
