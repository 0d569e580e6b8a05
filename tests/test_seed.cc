#include "tests/test_seed.h"

#include <cstdio>
#include <cstdlib>

namespace ringcp {

uint32_t TestSeed() {
  const char* text = std::getenv("RINGCP_TEST_SEED");
  const uint32_t seed =
      text == nullptr ? 1 : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
  std::printf("RINGCP_TEST_SEED=%u\n", seed);
  return seed;
}

}  // namespace ringcp
