// Jobs in simulated worlds that once showed a fault of the engine.

#include "tests/simulation/sim_job.h"

#include <cerrno>
#include <string>

#include "core/base/copy_options.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/simulation/sim_tree.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

SimJobOptions OneWorker() {
  SimJobOptions options;
  options.workers = 1;
  options.limits.block_bytes = 4096;
  options.limits.copies_in_flight = 2;
  options.limits.extra_blocks = 1;
  return options;
}

// Both attempts to open the target fail, and do not say what the target is.
TEST(SimJobTest, ADirectoryThatCanNotBeOpenedIsNotCopiedOverAsIfItWereAFile) {
  SimWorld world({});
  MakeSimDirectory(world.files(), "/source");
  MakeSimFile(world.files(), "/source/file", "contents");
  MakeSimDirectory(world.files(), "/target");
  world.SetFaults([](const SimOpContext& context) -> SimFault {
    const bool is_target = context.op->kind == OpKind::kOpenAt &&
                           std::string(context.op->open.name) == "/target";
    return is_target ? SimFault{SimFault::Kind::kFails, EACCES, 0} : SimFault{};
  });
  CopyRequest request;
  request.sources = {"/source"};
  request.target = "/target";
  request.options = OptionsFor("r");
  const SimJobResult result = RunSimJob(&world, request, OneWorker());
  EXPECT_EQ(result.status.message(), "target '/target': Permission denied");
  EXPECT_EQ(FindSim(*world.files(), "/target/file"), nullptr);
  EXPECT_EQ(result.leaks, "");
}

}  // namespace
}  // namespace ringcp
