// What the tests of bench/io_models have in common.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_IO_MODELS_UNDER_TEST_H_
#define RINGCP_TESTS_IO_MODELS_UNDER_TEST_H_

#include <string>
#include <vector>

#include "bench/io_models/file_models.h"

namespace ringcp::io_models {

// Whether a test can run the model in this build. False only for POSIX AIO under
// ThreadSanitizer: glibc's AIO threads start further threads that ThreadSanitizer does
// not know about, and it crashes when such a thread allocates memory.
bool RunsInThisBuild(const std::string& model);

// The models that copy, and those that only read.
std::vector<const FileModel*> CopyModelsUnderTest();
std::vector<const FileModel*> ReadModelsUnderTest();

// A model's name in the form that test names allow: "uring_one".
std::string TestName(std::string model);

}  // namespace ringcp::io_models

#endif  // RINGCP_TESTS_IO_MODELS_UNDER_TEST_H_
