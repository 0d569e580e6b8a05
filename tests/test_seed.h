// The seed of a test's random choices. It is RINGCP_TEST_SEED from the environment, or
// always the same number, so that a plain run can be reproduced. To try another seed:
//
//   ./dev test //tests/ROOM:NAME --test_env=RINGCP_TEST_SEED=$RANDOM
//
// Thread-safety: a pure function but for the environment.

#ifndef RINGCP_TESTS_TEST_SEED_H_
#define RINGCP_TESTS_TEST_SEED_H_

#include <cstdint>

namespace ringcp {

// Also prints the seed, so that a failed test's log tells how to reproduce the failure.
uint32_t TestSeed();

}  // namespace ringcp

#endif  // RINGCP_TESTS_TEST_SEED_H_
