// What the kernels of one simulation share: the files, the process's descriptors, a clock
// that stands still until it is advanced, events with their times, faults, and a log of
// everything that was done. The same seed gives the same run.
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
  int64_t number = 0;  // Counts ops from 0 in the order in which they run.
  int kernel = 0;      // Counts kernels from 0 in the order in which they were made.
  bool is_queued = false;
  // Whether an earlier op of its chain has failed.
  bool is_behind_failure = false;
  const Op* op = nullptr;
  // What the op's file or name refers to. For a name that does not exist, the directory
  // in which it would be; null if there is nothing.
  InodePtr inode;
};

// What happens to an op.
struct SimFault {
  enum class Kind : uint8_t {
    kNone,
    kFails,  // It does nothing, but a close still closes.
    // A read, a write or the copy of a range moves at most `bytes`; other ops run
    // unchanged.
    kTransfersLess,
    // It does not run (-ECANCELED). Ignored where the contract does not allow that: for
    // an op that is not queued or comes after a failure.
    kDoesNotRun,
    kTailDoesNotRun,  // The same, and no later op of its chain runs.
    // A write or the copy of a range stores at most `bytes`, and fails.
    kStoresPartAndFails,
    // A write succeeds but stores at most `bytes`; closing the file reports the error.
    kFailsAtClose,
  };

  Kind kind = Kind::kNone;
  int error_number = 0;
  uint32_t bytes = 0;
};

using SimFaultFunction = std::function<SimFault(const SimOpContext& context)>;
// Called right before an op runs, and before its fault is decided. Whatever it does to
// the files counts as done by somebody else.
using SimInterference = std::function<void(const SimOpContext& context)>;

// Called after that. It may look but must not change anything.
using SimWatch = std::function<void(const SimOpContext& context)>;

struct SimLogEntry {
  SteadyTime time;
  int kernel = 0;
  bool is_queued = false;
  OpKind kind = OpKind::kClose;
  std::string what;    // Its names or file.
  uint64_t inode = 0;  // The file's; 0 if there is none.
  int32_t result = 0;
  bool has_fault = false;
};

// A short word, to be shown to people.
const char* NameOf(OpKind kind);

std::string ToString(const SimLogEntry& entry);

struct SimWorldOptions {
  uint64_t seed = 1;
  // The most time a queued op takes. One in a hundred takes a hundred times as long.
  absl::Duration latency_max = absl::Microseconds(200);
  // The most time an op takes that is carried out at once. 0: the clock stands still.
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
  // The time of the next event; absent if there is none.
  std::optional<SteadyTime> NextEvent() const;
  // Runs all events due until `time`, and sets the clock. REQUIRES: not in the past.
  void AdvanceTo(SteadyTime time);
  void AdvanceBy(absl::Duration duration);
  // Runs `action` at `time`. Events at the same time run in any order.
  void At(SteadyTime time, std::function<void()> action);
  // Like At(), but the action is somebody else's.
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
  // Lets others interfere, and returns the fault of the op that is about to run.
  SimFault Before(SimOpContext* context);
  void Log(const SimOpContext& context, int32_t result, bool has_fault);

  const std::vector<SimLogEntry>& log() const { return log_; }
  // The last `entries_max` ops, and everything that was done to the files, one a line.
  std::string Story(size_t entries_max = 200) const;

 private:
  const SimWorldOptions options_;
  std::mt19937_64 random_;
  SteadyTime now_;
  SimFileSystem files_;
  SimProcess process_;
  // By time. The number decides the order of events at the same time.
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
