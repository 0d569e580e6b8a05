// The seam between the works on files (copying, reading at random places) and the models
// of I/O that do them. A work is divided among lanes, each of which has one operation at
// a time: the model carries it out in its own way and hands the result back, and the work
// says what the lane needs next. So short transfers, interruptions and errors are handled
// once for all models, and a model consists only of its way of calling the kernel:
//
//   for every lane:  if (work->Start(lane)) carry out work->op(lane)
//   for each result: if (work->Settle(lane, result)) carry out work->op(lane)
//   no lane left:    return work->status()
//
// Thread-safety: each lane belongs to one thread at a time; different threads may use
// different lanes. Everything else belongs to one thread. Ownership: an op's memory
// belongs to the kernel until its result is there. The work owns the memory and must
// outlive this, so even a failed work ends only when every lane has stopped.

#ifndef RINGCP_BENCH_IO_MODELS_FILE_WORK_H_
#define RINGCP_BENCH_IO_MODELS_FILE_WORK_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace ringcp::io_models {

// Indexes of FileWork::descriptors().
inline constexpr int kSource = 0;
inline constexpr int kTarget = 1;

struct FileOp {
  bool is_write = false;
  int file = kSource;
  char* data = nullptr;
  size_t bytes = 0;
  off_t position = 0;
};

class FileWork {
 public:
  virtual ~FileWork() = default;

  // The open files: the source and, if one is written, the target.
  virtual std::span<const int> descriptors() const = 0;
  // How many operations may be under way at the same time.
  virtual int lanes() const = 0;
  // The memory of all ops: one block of equal size for each lane.
  virtual std::span<char> memory() = 0;

  // Gives the lane its first op. False if no op is left or the work has failed.
  virtual bool Start(int lane) = 0;
  // Takes the result of the lane's op as the kernel returns it: a number of bytes, or
  // -errno (after -EINTR and -EAGAIN the lane wants the same op again). False if the lane
  // is done.
  virtual bool Settle(int lane, ssize_t result) = 0;
  // REQUIRES: the last Start() or Settle() of the lane returned true.
  virtual const FileOp& op(int lane) const = 0;

  // The first failure. Call it only when every lane is done.
  virtual absl::Status status() const = 0;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_FILE_WORK_H_
