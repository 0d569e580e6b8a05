#include "core/kernel/process.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/refused_calls.h"

namespace ringcp {
namespace {

TEST(ProcessTest, TheTimeOfACallShowsAFilterThatMakesCallsDear) {
  const std::string times = InChildProcess([] {
    const auto before = SystemCallTime();
    if (!MakeCallsDear()) return std::string("skipped: the filter was refused");
    const auto after = SystemCallTime();
    const bool is_plausible = before.count() > 0 && before < std::chrono::seconds(1) &&
                              after > before + std::chrono::nanoseconds(400);
    return is_plausible ? std::string("more")
                        : absl::StrCat(before.count(), " and ", after.count(), " ns");
  });
  if (times.starts_with("skipped: ")) GTEST_SKIP() << times;
  EXPECT_EQ(times, "more");
}

}  // namespace
}  // namespace ringcp
