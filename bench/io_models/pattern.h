// The contents of the files, messages and streams of io_models: a function of a seed and
// of the offset, so that anything read can be checked without another copy of the data.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_PATTERN_H_
#define RINGCP_BENCH_IO_MODELS_PATTERN_H_

#include <cstddef>
#include <cstdint>

namespace ringcp::io_models {

// The eight bytes at `offset`, a multiple of eight.
inline uint64_t PatternWord(uint64_t seed, int64_t offset) {
  // The multiplication spreads neighbouring offsets over the upper half, which is then
  // folded into the lower one. So no two words of a file are alike, and a word costs
  // about a nanosecond.
  const uint64_t mixed =
      (static_cast<uint64_t>(offset) / 8 + seed * 0x9E3779B97F4A7C15u + 1) *
      0xD6E8FEB86659FD93u;
  return mixed ^ (mixed >> 32);
}

// Fills `data` with the pattern from `offset` on, a multiple of eight.
void FillPattern(uint64_t seed, int64_t offset, char* data, size_t bytes);

// Whether every byte of `data` is the pattern from `offset` on, a multiple of eight.
bool MatchesPattern(uint64_t seed, int64_t offset, const char* data, size_t bytes);

// The same, but checks only one word of each 512 bytes, and the last word. For checks
// while time is measured: a device or kernel that mixes up data does so by whole sectors.
// REQUIRES: `bytes` is a multiple of 512.
bool SamplesMatchPattern(uint64_t seed, int64_t offset, const char* data, size_t bytes);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_PATTERN_H_
