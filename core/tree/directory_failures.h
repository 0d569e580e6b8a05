// Reports and counts what goes wrong with the directories of a tree, for both halves of a
// DirectoryCopy.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_TREE_DIRECTORY_FAILURES_H_
#define RINGCP_CORE_TREE_DIRECTORY_FAILURES_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>

#include "core/base/file_error.h"
#include "core/file/reporter.h"
#include "core/tree/directory.h"

namespace ringcp {

class DirectoryFailures {
 public:
  // REQUIRES: `reporter` outlives this.
  explicit DirectoryFailures(Reporter* reporter) : reporter_(reporter) {}

  Reporter* reporter() const { return reporter_; }

  void Add(const FileError& error) {
    count_.fetch_add(1, std::memory_order_relaxed);
    reporter_->Report(error);
  }
  // `directory` could not be used. If its entries are given, each of the sources below it
  // has failed and is told of, as in GNU cp.
  void AddForAll(const Directory& directory, const FileError& error) {
    const int sources = directory.given != nullptr ? directory.given->sources : 1;
    for (int i = 0; i < std::max(1, sources); ++i) Add(error);
  }
  int64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  Reporter* const reporter_;
  std::atomic<int64_t> count_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_FAILURES_H_
