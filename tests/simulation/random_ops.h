// Random ops, to be carried out in two worlds at once: files and directories are named by
// their place in a table that each world has, so that both do the same.
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
  std::vector<int> fds;  // By place; the first is the directory that all happens in.
  std::array<char, 20000> buffer = {};
  struct statx stat = {};
  uint64_t position = 0;
};

// An op whose descriptors are places, with what it names.
struct OpPlan {
  Op op;
  std::string name;
  std::string other_name;
  std::string contents;  // What is written, or set.
  bool is_queued = false;

  // The op for one side, which lends its buffers.
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

  // The next op, while `places` places are in the table.
  OpPlan Next(size_t places);
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  // Never leads out of the directory, whatever links there are.
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
