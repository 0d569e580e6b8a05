// A test of whole jobs that runs with each engine:
//
//   class MyTest : public EngineTest {};
//   TEST_P(MyTest, ...) { RunJob(Request({"source"}, "target", "a")); }
//   INSTANTIATE_TEST_SUITE_P(Engines, MyTest, testing::ValuesIn(kEngines),
//                            EngineTestName);
//
// Skips, with the reason, where the machine does not offer the engine.

#ifndef RINGCP_TESTS_ENGINE_TEST_H_
#define RINGCP_TESTS_ENGINE_TEST_H_

#include <string>
#include <vector>

#include "core/base/copy_options.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/scratch_directory.h"

namespace ringcp {

class EngineTest : public testing::TestWithParam<EngineChoice> {
 protected:
  void SetUp() override {
    if (GetParam() != EngineChoice::kUring) return;
    const EngineReport probed = ProbeEngine();
    if (probed.engine != "uring") GTEST_SKIP() << probed.reason;
  }

  // A copy of `sources` to `target`. Each is a name in the scratch directory or an
  // absolute path. `letters` are those of OptionsFor().
  CopyRequest Request(const std::vector<std::string>& sources, const std::string& target,
                      const std::string& letters) const {
    CopyRequest request;
    for (const std::string& source : sources) {
      request.sources.push_back(source.starts_with('/') ? source : scratch_.Path(source));
    }
    request.target = scratch_.Path(target);
    request.options = OptionsFor(letters, GetParam());
    return request;
  }

  ScratchDirectory scratch_;
};

inline std::string EngineTestName(const testing::TestParamInfo<EngineChoice>& info) {
  return EngineName(info.param);
}

}  // namespace ringcp

#endif  // RINGCP_TESTS_ENGINE_TEST_H_
