// What the engine itself costs for each file, without the kernel: each benchmark drives
// one part with made-up results. kernel_benchmark.cc has the parts that call the kernel.
//
// items_per_second counts files, chains, blocks or snapshots, as the name says.

#include <linux/magic.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/base/check.h"
#include "core/base/engine_counters.h"
#include "core/file/file_copy.h"
#include "core/job/worker_limits.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/chain_table.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {
namespace {

// The median of small files in the benchmarks' data.
constexpr uint64_t kFileBytes = 3300;

// What a kernel in which nothing fails would return.
class MadeUpResults {
 public:
  MadeUpResults() {
    stat_.stx_mask = STATX_BASIC_STATS;
    stat_.stx_mode = S_IFREG | 0644;
    stat_.stx_nlink = 1;
    stat_.stx_size = kFileBytes;
    stat_.stx_blocks = 8;
  }

  int32_t CarryOut(const Op& op) {
    switch (op.kind) {
      case OpKind::kStatx:
        *op.stat.result = stat_;
        return 0;
      case OpKind::kRead:
        return static_cast<int32_t>(std::min<uint64_t>(op.io.length, kFileBytes));
      case OpKind::kWrite:
        return static_cast<int32_t>(op.io.length);
      case OpKind::kGetXattr:
        return -ENODATA;
      case OpKind::kOpenAt:
        return op.file.is_slot() ? 0 : kDescriptor;
      case OpKind::kInstallDescriptor:
        return kDescriptor;
      default:
        return 0;
    }
  }

 private:
  static constexpr int kDescriptor = 9;

  struct statx stat_ = {};
};

// A whole small file: every chain that its copy asks for is built and settled. With
// attributes=1 its attributes are preserved.
void SmallFileChains(benchmark::State& state) {
  const bool attributes = state.range(0) == 1;
  const FileCopyPolicy policy = {.preserve = {.mode = attributes,
                                              .ownership = attributes,
                                              .timestamps = attributes,
                                              .links = false}};
  // On the heap, because it is aligned to a cache line.
  const auto counters = std::make_unique<EngineCounters>();
  BlockPool pool(/*copies_max=*/1, /*extra=*/0, WorkerLimits::kBlockBytes);
  FileCopy copy(&pool, counters.get());
  FileCopyNames names;
  names.source = "source";
  names.target = "target";
  FileSystem file_system(/*device=*/0, KindWithMagic(EXT4_SUPER_MAGIC));
  names.source_file_system = names.target_file_system = &file_system;
  MadeUpResults kernel;
  NextChains next;
  int64_t chains = 0;
  for (auto _ : state) {
    next.size = 0;
    copy.Start(policy, names, /*slot=*/0, CallsAtOnce::kNone, &next);
    while (next.size > 0) {
      const NextChains::LaneChain& lane_chain = next.chains[0];
      const int lane = lane_chain.lane;
      const int size = lane_chain.chain.size();
      std::array<int32_t, Chain::kOpsMax> results;
      for (int i = 0; i < size; ++i) results[i] = kernel.CarryOut(lane_chain.chain[i]);
      ++chains;
      next.size = 0;
      copy.Settle(lane, absl::MakeConstSpan(results.data(), size), &next);
    }
    RINGCP_CHECK(copy.outcome() == FileCopy::Outcome::kCopied);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["chains_per_file"] =
      static_cast<double>(chains) / static_cast<double>(state.iterations());
}
BENCHMARK(SmallFileChains)->ArgName("attributes")->Arg(0)->Arg(1);

// Chains of a small file's usual length. in_flight of them are in flight at the same
// time, and their ops complete in turn.
void ChainTableRoundTrip(benchmark::State& state) {
  constexpr int kOps = 5;
  const auto in_flight = static_cast<int>(state.range(0));
  ChainTable table(in_flight);
  std::vector<uint32_t> entries(in_flight);
  std::vector<ChainResults> settled;
  for (auto _ : state) {
    settled.clear();
    for (int i = 0; i < in_flight; ++i) {
      entries[i] = table.Add(ChainId{static_cast<uint32_t>(i)}, kOps);
    }
    for (uint8_t position = 0; position < kOps; ++position) {
      for (const uint32_t entry : entries) {
        table.NoteResult({.entry = entry, .position = position}, 0, &settled);
      }
    }
    RINGCP_CHECK(static_cast<int>(settled.size()) == in_flight);
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
}
BENCHMARK(ChainTableRoundTrip)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(WorkerLimits::kCopiesInFlightMax);

// A copy's own block, taken and given back.
void BlockPoolOwnBlock(benchmark::State& state) {
  BlockPool pool(WorkerLimits::kCopiesInFlightMax, WorkerLimits::kExtraBlocks,
                 WorkerLimits::kBlockBytes);
  for (auto _ : state) {
    char* block = pool.Take();
    benchmark::DoNotOptimize(block);
    pool.GiveBack(block, /*extra=*/0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BlockPoolOwnBlock);

// The extra blocks of a large file, for all of its lanes.
void BlockPoolExtraBlocks(benchmark::State& state) {
  BlockPool pool(WorkerLimits::kCopiesInFlightMax, WorkerLimits::kExtraBlocks,
                 WorkerLimits::kBlockBytes);
  std::array<char*, kLanesMax - 1> blocks;
  for (auto _ : state) {
    for (char*& block : blocks) block = pool.TakeExtra(1);
    benchmark::DoNotOptimize(blocks.data());
    for (char* block : blocks) pool.GiveBack(block, /*extra=*/1);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(blocks.size()));
}
BENCHMARK(BlockPoolExtraBlocks);

// What every worker does once: it maps and unmaps its blocks, but does not touch them.
void BlockPoolSetup(benchmark::State& state) {
  for (auto _ : state) {
    BlockPool pool(WorkerLimits::kCopiesInFlightMax, WorkerLimits::kExtraBlocks,
                   WorkerLimits::kBlockBytes);
    benchmark::DoNotOptimize(&pool);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BlockPoolSetup);

}  // namespace
}  // namespace ringcp
