// What the parts of the engine cost that call the kernel: rings, the walk, a job that is
// asked for its progress. engine_benchmark.cc has the other parts.
//
// items_per_second counts files, entries or snapshots. The CPU time is that of all
// threads of the process, including the threads that io_uring makes for it.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/work_directory.h"
#include "benchmark/benchmark.h"
#include "core/base/check.h"
#include "core/base/engine_counters.h"
#include "core/file/file_copy.h"
#include "core/job/copy_job.h"
#include "core/job/worker_limits.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/uring_kernel.h"
#include "core/tree/directory.h"
#include "core/tree/walk.h"

namespace ringcp {
namespace {

// The median of small files in the benchmarks' data.
constexpr uint64_t kFileBytes = 3300;

int OpenDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  RINGCP_CHECK(fd >= 0);
  return fd;
}

// Copies files from one directory to another by their chains, as a worker does, but
// without a walk and a report.
class ChainCopier {
 public:
  ChainCopier(Kernel* kernel, int in_flight, int source_directory, int target_directory)
      : kernel_(kernel),
        counters_(std::make_unique<EngineCounters>()),
        pool_(in_flight, /*extra=*/0, WorkerLimits::kBlockBytes) {
    for (int i = 0; i < in_flight; ++i) copies_.emplace_back(&pool_, counters_.get());
    policy_.kernel = kernel;
    names_.source_directory = source_directory;
    policy_.file_systems = &file_systems_;
    names_.source_file_system = FileSystemOf(source_directory);
    names_.target_directory = target_directory;
    names_.target_file_system = FileSystemOf(target_directory);
  }

  void CopyAll(const std::vector<std::string>& names) {
    size_t started = 0;
    const auto start = [&](int index) {
      names_.source = names_.target = names[started++].c_str();
      next_.size = 0;
      copies_[index].Start(policy_, names_, /*slot=*/index, CallsAtOnce::kOpen, &next_);
      Queue(index);
    };
    for (int i = 0; i < static_cast<int>(copies_.size()); ++i) start(i);
    while (kernel_->chains_in_flight() > 0) {
      settled_.clear();
      kernel_->Wait(absl::Seconds(1), &settled_);
      for (const ChainResults& settled : settled_) {
        const auto index = static_cast<int>(settled.id.value);
        FileCopy& copy = copies_[index];
        next_.size = 0;
        copy.Settle(/*lane=*/0, settled.results(), &next_);
        Queue(index);
        if (!copy.done()) continue;
        RINGCP_CHECK(copy.outcome() == FileCopy::Outcome::kCopied);
        if (started < names.size()) start(index);
      }
    }
  }

 private:
  FileSystem* FileSystemOf(int directory) {
    struct stat stat = {};
    RINGCP_CHECK(fstat(directory, &stat) == 0);
    return file_systems_.Find(kernel_, directory, stat.st_dev);
  }

  // Small files have one chain at a time, and the ring has room for one of each.
  void Queue(int index) {
    while (next_.size > 0 && IsImmediate(next_.chains[0].chain[0])) {
      const ChainResults settled = kernel_->RunAtOnce({}, next_.chains[0].chain.ops());
      next_.size = 0;
      copies_[index].Settle(/*lane=*/0, settled.results(), &next_);
    }
    for (int i = 0; i < next_.size; ++i) {
      RINGCP_CHECK(kernel_->Queue(ChainId{static_cast<uint32_t>(index)},
                                  next_.chains[i].chain.ops()));
    }
  }

  Kernel* const kernel_;
  FileSystemTable file_systems_;
  FileCopyPolicy policy_;
  FileCopyNames names_;
  const std::unique_ptr<EngineCounters> counters_;
  BlockPool pool_;
  std::deque<FileCopy> copies_;
  NextChains next_;
  std::vector<ChainResults> settled_;
};

void CopySmallFiles(benchmark::State& state, Kernel* kernel) {
  constexpr int kFiles = 512;
  const WorkDirectory directory;
  directory.MakeDirectory("source");
  std::vector<std::string> names;
  for (int i = 0; i < kFiles; ++i) {
    names.push_back(absl::StrCat("file", i));
    directory.MakeFile(absl::StrCat("source/", names.back()), kFileBytes);
  }
  const int source = OpenDirectory(directory.Path("source"));
  const int target = OpenDirectory(directory.MakeDirectory("target"));
  ChainCopier copier(kernel, static_cast<int>(state.range(0)), source, target);
  for (auto _ : state) {
    copier.CopyAll(names);
    state.PauseTiming();
    for (const std::string& name : names) unlinkat(target, name.c_str(), 0);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kFiles);
  const KernelCounters counters = kernel->counters();
  state.counters["enters_per_file"] = static_cast<double>(counters.enters) /
                                      static_cast<double>(state.iterations() * kFiles);
  close(source);
  close(target);
}

void SmallFilesByUring(benchmark::State& state) {
  UringParameters parameters;
  parameters.slots = static_cast<int>(state.range(0));
  absl::StatusOr<std::unique_ptr<UringKernel>> ring = UringKernel::Create(parameters);
  if (!ring.ok()) {
    state.SkipWithError(std::string(ring.status().message()).c_str());
    return;
  }
  CopySmallFiles(state, ring->get());
}
BENCHMARK(SmallFilesByUring)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(8)
    ->Arg(WorkerLimits::kCopiesInFlightMax)
    ->UseRealTime()
    ->MeasureProcessCPUTime();

void SmallFilesBySystemCalls(benchmark::State& state) {
  SyscallKernel ring(static_cast<int>(state.range(0)));
  CopySmallFiles(state, &ring);
}
BENCHMARK(SmallFilesBySystemCalls)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(WorkerLimits::kCopiesInFlightMax)
    ->UseRealTime();

// What a ring costs that copies nothing.
void UringSetup(benchmark::State& state) {
  for (auto _ : state) {
    const absl::StatusOr<std::unique_ptr<UringKernel>> ring = UringKernel::Create({});
    if (!ring.ok()) {
      state.SkipWithError(std::string(ring.status().message()).c_str());
      return;
    }
  }
}
BENCHMARK(UringSetup)->UseRealTime()->MeasureProcessCPUTime();

// --- The walk ---

// Makes a tree of empty files; returns its path.
std::string MakeTree(const WorkDirectory& directory, int64_t directories, int64_t files) {
  std::string top = directory.MakeDirectory("tree");
  for (int64_t i = 0; i < directories; ++i) {
    const std::string name = absl::StrCat("tree/directory", i);
    directory.MakeDirectory(name);
    for (int64_t j = 0; j < files; ++j) {
      directory.MakeFile(absl::StrCat(name, "/file", j, ".dat"), 0);
    }
  }
  return top;
}

// Opens the directories that are walked, and does nothing else with them.
class OpeningVisitor : public WalkVisitor {
 public:
  Entered Enter(Kernel*, Directory* directory) override {
    directory->source.fd =
        openat(directory->parent->source.fd, directory->source.name.c_str(),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    RINGCP_CHECK(directory->source.fd >= 0);
    return Entered::kToBeRead;
  }
  void Leave(Kernel*, Directory* directory) override { close(directory->source.fd); }
  void OnReadError(const Directory&, int) override { RINGCP_CHECK(false); }
  void OnEntryError(const Directory&, const char*, int) override { RINGCP_CHECK(false); }
};

// Walks the tree with one thread; returns how many files it found.
int64_t WalkTree(const std::string& tree) {
  constexpr int kOpenMax = 1000;
  OpeningVisitor visitor;
  SyscallKernel kernel(/*slots=*/0);
  Walk walk(&kernel, &visitor, /*follow_links=*/false, kOpenMax);
  walk.top()->source.fd = AT_FDCWD;
  auto root = std::make_unique<Directory>();
  root->source.name = tree;
  walk.AddRoot(std::move(root));
  int64_t found = 0;
  WalkBatch batch;
  for (;;) {
    const Walk::Result result = walk.Next(&kernel, /*may_wait=*/true, &batch);
    if (result == Walk::Result::kFinished) return found;
    if (result != Walk::Result::kBatch) continue;
    const size_t entries = batch.entries().size();
    found += static_cast<int64_t>(entries);
    for (size_t i = 0; i < entries; ++i) walk.Release(&kernel, batch.directory());
  }
}

// The same number of files in more and more directories: 10,000 in one, 100 in each of
// 100, 2 in each of 5,000.
void WalkPerFile(benchmark::State& state) {
  const WorkDirectory directory;
  const std::string tree = MakeTree(directory, state.range(0), state.range(1));
  int64_t found = 0;
  for (auto _ : state) found += WalkTree(tree);
  RINGCP_CHECK(found == state.iterations() * state.range(0) * state.range(1));
  state.SetItemsProcessed(found);
}
BENCHMARK(WalkPerFile)
    ->ArgNames({"directories", "files"})
    ->Args({1, 10'000})
    ->Args({100, 100})
    ->Args({5'000, 2});

// The kernel's part of the walk: one directory, read in pieces of the walk's size.
void ReadDirectory(benchmark::State& state) {
  const WorkDirectory directory;
  MakeTree(directory, 1, state.range(0));
  const int fd = OpenDirectory(directory.Path("tree/directory0"));
  alignas(8) std::array<char, WalkBatch::kBufferBytes> buffer;
  for (auto _ : state) {
    RINGCP_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    while (syscall(SYS_getdents64, fd, buffer.data(), buffer.size()) > 0) {
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  close(fd);
}
BENCHMARK(ReadDirectory)->ArgName("files")->Arg(100)->Arg(10'000);

// --- Progress ---

class FailingObserver : public JobObserver {
 public:
  void OnError(const FileError&) override { RINGCP_CHECK(false); }
  void OnWarning(std::string_view) override { RINGCP_CHECK(false); }
};

// Asks a running job for its progress. The job copies a pipe, so it runs until the pipe
// is closed, and has nothing to do meanwhile.
void ProgressSnapshot(benchmark::State& state) {
  const WorkDirectory directory;
  RINGCP_CHECK(mkfifo(directory.Path("pipe").c_str(), 0600) == 0);
  CopyRequest request;
  request.sources = {directory.Path("pipe")};
  request.target = directory.Path("target");
  FailingObserver observer;
  CopyJob job(request, &observer);
  std::thread thread([&job] { job.Run(); });
  // Blocks until the job has opened the pipe for reading.
  const int writer = open(directory.Path("pipe").c_str(), O_WRONLY | O_CLOEXEC);
  for (auto _ : state) benchmark::DoNotOptimize(job.progress());
  state.SetItemsProcessed(state.iterations());
  close(writer);
  thread.join();
}
BENCHMARK(ProgressSnapshot);

}  // namespace
}  // namespace ringcp
