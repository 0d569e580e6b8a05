// Random ops that are carried out in two worlds. Ops name files and directories by their
// place in a table that each world has, so that both worlds do the same.
//
// Thread-safety: none; belongs to one thread.

#ifndef RINGCP_TESTS_SIMULATION_RANDOM_OPS_H_
#define RINGCP_TESTS_SIMULATION_RANDOM_OPS_H_

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/kernel/kernel.h"
#include "core/kernel/op.h"

namespace ringcp {

// One of the two worlds.
struct OpSide {
  Kernel* kernel = nullptr;
  std::vector<int> fds;  // By place. The first is the top directory.
  std::array<char, 20000> buffer = {};
  struct statx stat = {};
  uint64_t position = 0;
};

// An op whose descriptors are places, and the names and contents that it needs.
struct OpPlan {
  Op op;
  std::string name;
  std::string other_name;
  std::string contents;  // What is written or set.
  bool is_queued = false;

  // The op for one side, in whose buffers its results go.
  Op On(OpSide* side) const;
};

std::string ToString(const OpPlan& plan);

class RandomOps {
 public:
  struct Options {
    bool xattrs = true;
    bool acls = true;
  };

  RandomOps(uint64_t seed, const Options& options) : random_(seed), options_(options) {}

  // The next op, while the table has `places` places.
  OpPlan Next(size_t places);
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  // A path that never leads out of the directory, whatever links there are.
  std::string Path();
  std::string Name();
  mode_t Mode();
  uint64_t Offset();
  std::string Acl();
  void PlanName(OpPlan* plan, int directory);
  void PlanFile(OpPlan* plan, int fd);
  void PlanXattr(OpPlan* plan, int fd);
  int OpenFlags();

  std::mt19937_64 random_;
  const Options options_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_RANDOM_OPS_H_
