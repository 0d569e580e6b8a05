// Thousands of random jobs in random worlds. Whatever goes wrong, nothing may be lost in
// silence; sim_check.h says what that means.
//
// Each job follows from one number. A failure prints the command that runs that job
// again. To run more jobs: --test_env=RINGCP_SIMULATIONS=1000000.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/simulation/sim_access.h"
#include "tests/simulation/sim_check.h"
#include "tests/simulation/sim_faults.h"
#include "tests/simulation/sim_job.h"
#include "tests/simulation/sim_scenario.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr int64_t kSimulations = 20'000;
constexpr int kFailuresMax = 5;  // How many are reported.

int64_t NumberFrom(const char* variable, int64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

// Runs one job. Returns whether everything is as it should be.
bool Simulate(uint64_t seed, bool tells_story) {
  SimScenario scenario(seed);
  SimCheck check(&scenario);
  SetFaults(&scenario);
  SimAccessWatch watch(&scenario);
  scenario.world->SetWatch([&](const SimOpContext& context) { watch.Look(context); });
  scenario.world->files()->ClearEffects();
  scenario.world->files()->set_actor(SimActor::kEngine);
  const SimJobResult result =
      RunSimJob(scenario.world.get(), scenario.request, scenario.job);
  std::string violations = check.Violations(result);
  if (scenario.others != SimOthers::kAnything) violations += watch.violations();
  if (tells_story) {
    std::printf("%s\n%s\n", scenario.Describe().c_str(),
                scenario.world->Story(100'000).c_str());
    for (const FileError& error : result.errors) {
      std::printf("%s\n", error.message.c_str());
    }
  }
  if (violations.empty()) return true;
  std::string told;
  for (const FileError& error : result.errors) {
    absl::StrAppend(&told, "  ", error.message, "\n");
  }
  ADD_FAILURE() << scenario.Describe() << "\n"
                << violations << "It was told:\n"
                << told
                << "To see it again: ./dev test //tests/simulation:simulation_test"
                << " --test_output=all --test_env=RINGCP_SIMULATION=" << seed;
  return false;
}

TEST(SimulationTest, NothingIsLostInSilence) {
  if (const int64_t one = NumberFrom("RINGCP_SIMULATION", -1); one >= 0) {
    Simulate(static_cast<uint64_t>(one), /*tells_story=*/true);
    return;
  }
  const uint64_t first = uint64_t{TestSeed()} << 32;
  const int64_t simulations = NumberFrom("RINGCP_SIMULATIONS", kSimulations);
  int failures = 0;
  int64_t run = 0;
  for (; run < simulations && failures < kFailuresMax; ++run) {
    if (!Simulate(first + static_cast<uint64_t>(run), /*tells_story=*/false)) ++failures;
  }
  std::printf("%d of %" PRId64 " jobs failed\n", failures, run);
}

}  // namespace
}  // namespace ringcp
