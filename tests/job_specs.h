// Specifications of jobs, with the files that they are about.
//
// Thread-safety: belongs to one thread.
// Ownership: borrows the directory that the files lie in.

#ifndef RINGCP_TESTS_JOB_SPECS_H_
#define RINGCP_TESTS_JOB_SPECS_H_

#include <string>

#include "proto/ringcp.pb.h"
#include "tests/scratch_directory.h"

namespace ringcp {

class JobSpecs {
 public:
  explicit JobSpecs(const ScratchDirectory* directory) : directory_(*directory) {}

  // Copies a file of its own: the first one's contents are "contents 1".
  v1::JobSpec File();

  // Runs for as long as a test needs it to: without -r the copy of a FIFO, its only
  // source, is what somebody writes into it, and ends when that somebody does.
  v1::JobSpec Fifo();

  // Can't copy any of `count` files.
  v1::JobSpec Failing(int count) const;

  // Fails to copy `count` files, because directories are in their places. Call it once.
  v1::JobSpec Obstructed(int count) const;

 private:
  const ScratchDirectory& directory_;
  int last_number_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_JOB_SPECS_H_
