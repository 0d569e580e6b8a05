// Thousands of random jobs in random worlds. Whatever goes wrong, nothing may be lost in
// silence; sim_check.h says what that means.
//
// Each job follows from one number. A failure prints the command that runs that job
// again. To run more jobs: --test_env=RINGCP_SIMULATIONS=1000000.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>

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

constexpr uint64_t kSimulations = 20'000;
constexpr int kFailuresMax = 5;  // How many are reported.

std::optional<uint64_t> NumberFrom(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
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
  if (const std::optional<uint64_t> one = NumberFrom("RINGCP_SIMULATION")) {
    Simulate(*one, /*tells_story=*/true);
    return;
  }
  const uint64_t first = uint64_t{TestSeed()} << 32;
  const uint64_t simulations = NumberFrom("RINGCP_SIMULATIONS").value_or(kSimulations);
  int failures = 0;
  uint64_t run = 0;
  for (; run < simulations && failures < kFailuresMax; ++run) {
    if (!Simulate(first + run, /*tells_story=*/false)) ++failures;
  }
  std::printf("%d of %" PRIu64 " jobs failed\n", failures, run);
}

// Seeds have 64 bits, of which half are above what a signed number holds.
TEST(SimulationTest, EachSeedThatIsPrintedCanBeRunAgain) {
  const char* const before = std::getenv("RINGCP_SIMULATION");
  if (before != nullptr) GTEST_SKIP() << "RINGCP_SIMULATION is being run again";
  setenv("RINGCP_SIMULATION", "12884901888000000001", /*overwrite=*/1);
  EXPECT_EQ(NumberFrom("RINGCP_SIMULATION"), 12'884'901'888'000'000'001U);
  unsetenv("RINGCP_SIMULATION");
}

}  // namespace
}  // namespace ringcp
