// What the kernels of one simulation share: the files, the process's descriptors, a clock
// that stands still until somebody advances it, what is to happen at which time, faults,
// and a log of all that was done. The same seed gives the same run.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_WORLD_H_
#define RINGCP_TESTS_SIMULATION_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/kernel/op.h"
#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// An op that is about to run.
struct SimOpContext {
  int64_t number = 0;  // Counted from 0 in the order in which ops run.
  int kernel = 0;      // Counted from 0 in the order in which kernels were made.
  bool is_queued = false;
  // An op before it in its chain has failed.
  bool is_behind_failure = false;
  const Op* op = nullptr;
  // What the op's file, or its name, leads to; of a name that is not there the directory
  // that it would be in. Null if there is nothing.
  InodePtr inode;
};

// What is to become of an op.
struct SimFault {
  enum class Kind : uint8_t {
    kNone,
    kFails,          // It does nothing; a close has closed the file all the same.
    kTransfersLess,  // A read or write moves at most `bytes`; other ops run as they are.
    // It does not run (-ECANCELED). Ignored where the contract does not allow it: for ops
    // that are not queued, or behind a failure.
    kDoesNotRun,
    kTailDoesNotRun,      // ... nor does any op behind it in its chain.
    kStoresPartAndFails,  // A write stores at most `bytes`, and fails.
    // A write succeeds, stores at most `bytes`, and the file's close tells the error.
    kFailsAtClose,
  };

  Kind kind = Kind::kNone;
  int error_number = 0;
  uint32_t bytes = 0;
};

using SimFaultFunction = std::function<SimFault(const SimOpContext& context)>;
// Called right before an op runs, and before its fault is asked for: what it does to the
// files somebody else has done.
using SimInterference = std::function<void(const SimOpContext& context)>;

// Called after that, to look and to change nothing.
using SimWatch = std::function<void(const SimOpContext& context)>;

struct SimLogEntry {
  SteadyTime time;
  int kernel = 0;
  bool is_queued = false;
  OpKind kind = OpKind::kClose;
  std::string what;    // Its names, or file.
  uint64_t inode = 0;  // Of its file; 0 if it has none.
  int32_t result = 0;
  bool has_fault = false;
};

// A short word, for a person.
const char* NameOf(OpKind kind);

std::string ToString(const SimLogEntry& entry);

struct SimWorldOptions {
  uint64_t seed = 1;
  // What a queued op takes at most; one in a hundred takes a hundred times as long.
  absl::Duration latency_max = absl::Microseconds(200);
  // What an op at once takes at most. 0: nothing, and the clock stands still.
  absl::Duration call_time_max = absl::Microseconds(4);
};

class SimWorld {
 public:
  explicit SimWorld(const SimWorldOptions& options);
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  SimFileSystem* files() { return &files_; }
  SimProcess* process() { return &process_; }

  // --- Time ---

  SteadyTime now() const { return now_; }
  // When the next thing happens; absent if nothing will.
  std::optional<SteadyTime> NextEvent() const;
  // Has all happen that is due until then, and sets the clock. REQUIRES: not in the past.
  void AdvanceTo(SteadyTime time);
  void AdvanceBy(absl::Duration duration);
  // Has `action` happen at `time`. What is due at the same time happens in any order.
  void At(SteadyTime time, std::function<void()> action);
  // As At(), by somebody else.
  void OthersDoAt(SteadyTime time, std::function<void(SimFileSystem*)> action);

  // --- Chance ---

  uint64_t Random() { return random_(); }
  // In [0, end).
  uint64_t RandomBelow(uint64_t end) { return random_() % end; }
  absl::Duration RandomLatency();
  absl::Duration RandomCallTime();

  // --- Faults ---

  void SetFaults(SimFaultFunction faults) { faults_ = std::move(faults); }
  void SetInterference(SimInterference others) { others_ = std::move(others); }
  void SetWatch(SimWatch watch) { watch_ = std::move(watch); }

  // --- For kernels ---

  int AddKernel() { return kernels_++; }
  // Interferes, and decides on the fault of the op that is about to run.
  SimFault Before(SimOpContext* context);
  void Log(const SimOpContext& context, int32_t result, bool has_fault);

  const std::vector<SimLogEntry>& log() const { return log_; }
  // The last `entries_max` ops, and what was done to the files, one a line.
  std::string Story(size_t entries_max = 200) const;

 private:
  const SimWorldOptions options_;
  std::mt19937_64 random_;
  SteadyTime now_;
  SimFileSystem files_;
  SimProcess process_;
  // By time; the number decides among those at the same time.
  std::multimap<std::pair<SteadyTime, uint64_t>, std::function<void()>> events_;
  int kernels_ = 0;
  int64_t ops_ = 0;
  SimFaultFunction faults_;
  SimInterference others_;
  SimWatch watch_;
  std::vector<SimLogEntry> log_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_WORLD_H_
