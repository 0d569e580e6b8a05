#include "tests/io_models_under_test.h"

#include <algorithm>

namespace ringcp::io_models {

bool RunsInThisBuild([[maybe_unused]] const std::string& model) {
  // .bazelrc defines this macro in place of the compiler's own.
#ifdef _GLIBCXX_TSAN
  return !model.starts_with("posix-aio");
#else
  return true;
#endif
}

std::vector<const FileModel*> CopyModelsUnderTest() {
  std::vector<const FileModel*> models;
  for (const FileModel& model : FileModels()) {
    if (model.for_copy && RunsInThisBuild(model.name)) models.push_back(&model);
  }
  return models;
}

std::vector<const FileModel*> ReadModelsUnderTest() {
  std::vector<const FileModel*> models;
  for (const FileModel& model : FileModels()) {
    if (model.for_read && RunsInThisBuild(model.name)) models.push_back(&model);
  }
  return models;
}

std::string TestName(std::string model) {
  std::replace(model.begin(), model.end(), '-', '_');
  return model;
}

}  // namespace ringcp::io_models
