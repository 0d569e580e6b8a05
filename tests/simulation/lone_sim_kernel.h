// A simulated kernel with a world of its own, whose clock it advances itself. It is for
// tests that run against any kernel.
//
// Thread-safety: see sim_kernel.h.

#ifndef RINGCP_TESTS_SIMULATION_LONE_SIM_KERNEL_H_
#define RINGCP_TESTS_SIMULATION_LONE_SIM_KERNEL_H_

#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

// A base class, so that the world is made before, and destroyed after, its kernel.
struct LoneSimWorld {
  SimWorld world;
};

class LoneSimKernel : private LoneSimWorld, public SimKernel {
 public:
  LoneSimKernel(const SimWorldOptions& world_options, SimKernelOptions options)
      : LoneSimWorld{.world = SimWorld(world_options)},
        SimKernel(&world, DrivingItself(options)) {}

  SimWorld* its_world() { return &world; }

 private:
  static SimKernelOptions DrivingItself(SimKernelOptions options) {
    options.wait_advances = true;
    return options;
  }
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_LONE_SIM_KERNEL_H_
