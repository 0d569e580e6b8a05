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

// What had the directory's name is under another name by then.
TEST(SimJobTest, WhatWasBackedUpForADirectoryThatCanNotBeMadeGetsItsNameBack) {
  SimWorld world({});
  MakeSimDirectory(world.files(), "/source");
  MakeSimDirectory(world.files(), "/source/name");
  MakeSimDirectory(world.files(), "/target");
  MakeSimDirectory(world.files(), "/target/source");
  MakeSimFile(world.files(), "/target/source/name", "contents");
  int tries = 0;
  world.SetFaults([&tries](const SimOpContext& context) -> SimFault {
    const bool is_it = context.op->kind == OpKind::kMakeDirectory &&
                       std::string(context.op->name.name) == "name";
    return is_it && ++tries == 2 ? SimFault{SimFault::Kind::kFails, ENOSPC, 0}
                                 : SimFault{};
  });
  CopyRequest request;
  request.sources = {"/source"};
  request.target = "/target";
  request.options = OptionsFor("r");
  request.options.backup = Backup::kSimple;
  const SimJobResult result = RunSimJob(&world, request, OneWorker());
  ASSERT_EQ(result.errors.size(), 1);
  EXPECT_EQ(result.errors[0].message,
            "cannot create directory '/target/source/name': No space left on device");
  const InodePtr old = FindSim(*world.files(), "/target/source/name");
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->contents.ToString(), "contents");
  EXPECT_EQ(FindSim(*world.files(), "/target/source/name~"), nullptr);
}

}  // namespace
}  // namespace ringcp
