// Tests the cost of copying a new file of 4 KiB: with every engine at most eight ops, no
// memory allocation, and no lock that another thread wants. So the copy stays cheap, and
// workers do not wait for each other.
//
// Each cost is the difference between two jobs, one of which copies many more such files.
// So what a job needs once, or once for each piece of a directory, is not counted.

#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/base/engine_report.h"
#include "core/base/file_error.h"
#include "core/base/job_observer.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/scratch_directory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGCP_SANITIZED 1
#else
#define RINGCP_SANITIZED 0
#endif

namespace {

std::atomic<int64_t> allocations = 0;

// Counts the locks of one mutex while counting is on. A mutex that two threads have
// locked is shared.
struct CountedMutex {
  std::atomic<const void*> mutex = nullptr;
  std::atomic<uint64_t> first_thread = 0;
  std::atomic<bool> is_shared = false;
  std::atomic<int64_t> locks = 0;
};
constexpr size_t kMutexesMax = 4096;
std::array<CountedMutex, kMutexesMax> mutexes;
std::atomic<bool> counts_locks = false;
std::atomic<bool> too_many_mutexes = false;

#if !RINGCP_SANITIZED

uint64_t ThisThread() { return pthread_self(); }

void CountLock(const void* mutex) {
  const size_t start = (reinterpret_cast<uintptr_t>(mutex) / 16) % kMutexesMax;
  for (size_t i = 0; i < kMutexesMax; ++i) {
    CountedMutex& counted = mutexes[(start + i) % kMutexesMax];
    const void* expected = nullptr;
    if (!counted.mutex.compare_exchange_strong(expected, mutex) && expected != mutex) {
      continue;
    }
    uint64_t first = 0;
    if (!counted.first_thread.compare_exchange_strong(first, ThisThread()) &&
        first != ThisThread()) {
      counted.is_shared = true;
    }
    ++counted.locks;
    return;
  }
  too_many_mutexes = true;
}

#endif

}  // namespace

#if !RINGCP_SANITIZED

// Replaces the C library's function in the whole program.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  using Function = int (*)(pthread_mutex_t*);
  static const auto kNext =
      reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  if (counts_locks.load(std::memory_order_relaxed)) CountLock(mutex);
  return kNext(mutex);
}

// Not inlined, so that the compiler does not see the malloc() and free() inside.
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

#endif

namespace ringcp {
namespace {

class CountErrors : public JobObserver {
 public:
  void OnError(const FileError& /*error*/) override { ++errors; }
  void OnWarning(std::string_view /*message*/) override {}
  int errors = 0;
};

constexpr int kFew = 500;
constexpr int kMany = 4500;

struct Cost {
  int64_t ops = 0;
  int64_t allocations = 0;
  int64_t shared_locks = 0;
};

// The cost of a job that copies `files` files.
Cost CostOf(int files, EngineChoice engine, int workers) {
  // What waits for a disk has more copies in flight, which take memory once.
  const ScratchDirectory scratch(ScratchDirectory::ParentInMemory());
  scratch.MakeDirectory("source");
  const std::string contents(4096, 'x');
  for (int i = 0; i < files; ++i) {
    // Too long for a string that needs no memory of its own.
    scratch.WriteFile(absl::StrCat("source/a file with a long name ", i), contents);
  }
  CopyRequest request;
  request.sources = {scratch.Path("source")};
  request.target = scratch.Path("target");
  request.options = OptionsFor("r", engine);
  request.options.tuning.workers = workers;
  for (CountedMutex& counted : mutexes) {
    counted.mutex = nullptr;
    counted.first_thread = 0;
    counted.is_shared = false;
    counted.locks = 0;
  }
  const int64_t allocations_before = allocations;
  counts_locks = true;
  CountErrors observer;
  CopyJob job(request, &observer);
  const JobResult result = job.Run();
  counts_locks = false;
  EXPECT_EQ(result.outcome, JobResult::Outcome::kSucceeded);
  EXPECT_EQ(observer.errors, 0);
  EXPECT_EQ(job.progress().files_done, files);
  EXPECT_FALSE(too_many_mutexes);
  const EngineReport report = job.engine_report();
  Cost cost = {.ops = report.ops_at_once + report.sqes,
               .allocations = allocations - allocations_before};
  for (const CountedMutex& counted : mutexes) {
    if (counted.is_shared) cost.shared_locks += counted.locks;
  }
  return cost;
}

class NewFileBudgetTest : public testing::TestWithParam<EngineChoice> {};

TEST_P(NewFileBudgetTest, ItTakesEightOpsNoMemoryAndNoSharedLock) {
  if (RINGCP_SANITIZED) GTEST_SKIP() << "sanitizers replace what is counted here";
  for (const int workers : {1, 2}) {
    SCOPED_TRACE(absl::StrCat(workers, " workers"));
    const Cost few = CostOf(kFew, GetParam(), workers);
    const Cost many = CostOf(kMany, GetParam(), workers);
    constexpr double kFiles = kMany - kFew;
    // A cost of each file would be at least one. The allowance covers directories, which
    // two workers that share one read in more or fewer pieces, and the copies that a
    // worker has in flight, six allocations each, of which a job may need more or fewer.
    constexpr double kNotForEach = 0.5;
    EXPECT_LE(static_cast<double>(many.ops - few.ops) / kFiles, 8 + kNotForEach);
    EXPECT_LE(static_cast<double>(many.allocations - few.allocations) / kFiles,
              kNotForEach);
    EXPECT_LE(static_cast<double>(many.shared_locks - few.shared_locks) / kFiles,
              kNotForEach);
    RecordProperty(absl::StrCat("ops_per_1000_files_", workers),
                   static_cast<int>(1000 * (many.ops - few.ops) / (kMany - kFew)));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, NewFileBudgetTest, testing::ValuesIn(kEngines),
                         [](const testing::TestParamInfo<EngineChoice>& engine) {
                           return std::string(EngineName(engine.param));
                         });

}  // namespace
}  // namespace ringcp
