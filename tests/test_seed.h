// The seed of a test's random choices: RINGCP_TEST_SEED from the environment, else always
// the same one, so that a plain run is reproducible. To try another:
//
//   ./dev test //tests/ROOM:NAME --test_env=RINGCP_TEST_SEED=$RANDOM
//
// Thread-safety: a pure function but for the environment.

#ifndef RINGCP_TESTS_TEST_SEED_H_
#define RINGCP_TESTS_TEST_SEED_H_

#include <cstdint>

namespace ringcp {

// Prints the seed as well: a failure's log then tells how to see it again.
uint32_t TestSeed();

}  // namespace ringcp

#endif  // RINGCP_TESTS_TEST_SEED_H_
