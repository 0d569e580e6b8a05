// Makes job specifications together with the files that they name.
//
// Thread-safety: belongs to one thread.
// Ownership: borrows the directory in which the files lie.

#ifndef RINGCP_TESTS_JOB_SPECS_H_
#define RINGCP_TESTS_JOB_SPECS_H_

#include <string>

#include "proto/ringcp.pb.h"
#include "tests/scratch_directory.h"

namespace ringcp {

class JobSpecs {
 public:
  explicit JobSpecs(const ScratchDirectory* directory) : directory_(*directory) {}

  // Copies a file made for this job. The first job's file has the contents "contents 1".
  v1::JobSpec File();

  // Runs for as long as a test needs. Its only source is a FIFO, copied without -r: the
  // copy is what the test writes into it, and ends when the test closes it.
  v1::JobSpec Fifo();

  // Names `count` sources, none of which can be copied.
  v1::JobSpec Failing(int count) const;

  // Fails to copy `count` files because directories stand where the targets would be.
  // Call it only once.
  v1::JobSpec Obstructed(int count) const;

 private:
  const ScratchDirectory& directory_;
  int last_number_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_JOB_SPECS_H_
