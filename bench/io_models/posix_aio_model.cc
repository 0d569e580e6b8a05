#include "bench/io_models/posix_aio_model.h"

#include <aio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"

namespace ringcp::io_models {
namespace {

class PosixAio {
 public:
  // `descriptors` has one descriptor for each file of each lane.
  PosixAio(FileWork* work, std::vector<int> descriptors)
      : work_(work),
        descriptors_(std::move(descriptors)),
        requests_(work->lanes()),
        waited_for_(work->lanes(), nullptr) {}

  absl::Status Run(Recording* recording) {
    recording->Begin();
    for (int lane = 0; lane < work_->lanes(); ++lane) Go(lane, work_->Start(lane));
    while (under_way_ > 0) {
      // aio_suspend() skips null pointers, which stand for lanes that are done. After
      // EINTR, Collect() just finds nothing new.
      aio_suspend(waited_for_.data(), static_cast<int>(waited_for_.size()), nullptr);
      for (int lane = 0; lane < work_->lanes(); ++lane) Collect(lane);
    }
    recording->End();
    return work_->status();
  }

 private:
  // Hands the lane's op to the library if there is one, and the next if that is refused.
  void Go(int lane, bool more) {
    while (more) {
      const FileOp& op = work_->op(lane);
      aiocb* request = &requests_[lane];
      *request = {};
      request->aio_fildes = descriptors_[lane * work_->descriptors().size() + op.file];
      request->aio_buf = op.data;
      request->aio_nbytes = op.bytes;
      request->aio_offset = op.position;
      request->aio_sigevent.sigev_notify = SIGEV_NONE;
      if ((op.is_write ? aio_write(request) : aio_read(request)) == 0) {
        waited_for_[lane] = request;
        ++under_way_;
        return;
      }
      more = work_->Settle(lane, -errno);
    }
  }

  void Collect(int lane) {
    if (waited_for_[lane] == nullptr) return;
    aiocb* request = &requests_[lane];
    const int error_number = aio_error(request);
    if (error_number == EINPROGRESS) return;
    const ssize_t result = aio_return(request);
    waited_for_[lane] = nullptr;
    --under_way_;
    Go(lane, work_->Settle(lane, error_number != 0 ? -error_number : result));
  }

  FileWork* const work_;
  const std::vector<int> descriptors_;
  std::vector<aiocb> requests_;           // By lane.
  std::vector<const aiocb*> waited_for_;  // By lane; null if no request is under way.
  int under_way_ = 0;
};

// glibc starts at most 20 threads unless this is called before the first request.
void AllowThreads(int threads) {
  aioinit limits = {};
  limits.aio_threads = threads;
  limits.aio_num = threads;
  aio_init(&limits);
}

}  // namespace

absl::Status RunPosixAio(FileWork* work, Recording* recording) {
  AllowThreads(work->lanes());
  std::vector<int> descriptors;
  for (int lane = 0; lane < work->lanes(); ++lane) {
    for (const int descriptor : work->descriptors()) descriptors.push_back(descriptor);
  }
  return PosixAio(work, std::move(descriptors)).Run(recording);
}

absl::Status RunPosixAioDuplicated(FileWork* work, Recording* recording) {
  AllowThreads(work->lanes());
  std::vector<Descriptor> duplicates;
  std::vector<int> descriptors;
  for (int lane = 0; lane < work->lanes(); ++lane) {
    for (const int descriptor : work->descriptors()) {
      duplicates.emplace_back(dup(descriptor));
      if (!duplicates.back().valid()) return Failure("dup", errno);
      descriptors.push_back(duplicates.back().get());
    }
  }
  return PosixAio(work, std::move(descriptors)).Run(recording);
}

}  // namespace ringcp::io_models
