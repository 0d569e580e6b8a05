#include "bench/io_models/measurement.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include "bench/io_models/section_mark.h"
#include "core/base/check.h"

namespace ringcp::io_models {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double Seconds(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

}  // namespace

int64_t NowNanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

double ProcessCpuSeconds() {
  rusage usage = {};
  RINGCP_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

LatencyPercentiles Summarize(std::vector<int64_t>* nanoseconds) {
  LatencyPercentiles percentiles;
  if (nanoseconds->empty()) return percentiles;
  std::sort(nanoseconds->begin(), nanoseconds->end());
  // The smallest value that at least the given share of all values does not exceed.
  const auto at = [&](int64_t permille) {
    const auto size = static_cast<int64_t>(nanoseconds->size());
    return Seconds((*nanoseconds)[(size * permille + 999) / 1000 - 1]);
  };
  percentiles.p50_seconds = at(500);
  percentiles.p99_seconds = at(990);
  percentiles.p999_seconds = at(999);
  return percentiles;
}

void Recording::Begin() {
  begin_cpu_seconds_ = ProcessCpuSeconds();
  MarkSection(SectionMark::kBegin);
  begin_nanoseconds_ = NowNanoseconds();
}

void Recording::End() {
  end_nanoseconds_ = NowNanoseconds();
  MarkSection(SectionMark::kEnd);
  end_cpu_seconds_ = ProcessCpuSeconds();
}

Measurement Recording::Finish() {
  RINGCP_CHECK(end_nanoseconds_ != 0);
  Measurement measurement;
  measurement.operations = static_cast<int64_t>(nanoseconds_.size());
  measurement.wall_seconds = Seconds(end_nanoseconds_ - begin_nanoseconds_);
  measurement.cpu_seconds = end_cpu_seconds_ - begin_cpu_seconds_;
  measurement.latency = Summarize(&nanoseconds_);
  if (submit_nanoseconds_ > 0) measurement.submit_seconds = Seconds(submit_nanoseconds_);
  if (counts_retries_) measurement.retries = retries_;
  return measurement;
}

}  // namespace ringcp::io_models
