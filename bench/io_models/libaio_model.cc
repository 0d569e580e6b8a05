#include "bench/io_models/libaio_model.h"

#include <libaio.h>

#include <cerrno>
#include <vector>

#include "bench/io_models/errors.h"

namespace ringcp::io_models {
namespace {

class Libaio {
 public:
  Libaio(FileWork* work, Recording* recording)
      : work_(work),
        recording_(recording),
        requests_(work->lanes()),
        events_(work->lanes()) {
    queue_.reserve(work->lanes());
  }
  // Waits for the operations under way.
  ~Libaio() {
    if (context_ != nullptr) io_destroy(context_);
  }
  Libaio(const Libaio&) = delete;
  Libaio& operator=(const Libaio&) = delete;

  absl::Status Run() {
    const int result = io_setup(work_->lanes(), &context_);
    if (result < 0) return Refusal("io_setup", -result);
    recording_->Begin();
    for (int lane = 0; lane < work_->lanes(); ++lane) {
      if (work_->Start(lane)) Queue(lane);
    }
    absl::Status status;
    while (status.ok() && (!queue_.empty() || under_way_ > 0)) {
      Submit();
      if (under_way_ > 0) status = Collect();
    }
    recording_->End();
    return status.ok() ? work_->status() : status;
  }

 private:
  void Queue(int lane) {
    const FileOp& op = work_->op(lane);
    iocb* request = &requests_[lane];
    const int descriptor = work_->descriptors()[op.file];
    if (op.is_write) {
      io_prep_pwrite(request, descriptor, op.data, op.bytes, op.position);
    } else {
      io_prep_pread(request, descriptor, op.data, op.bytes, op.position);
    }
    queue_.push_back(request);
  }

  int LaneOf(const iocb* request) const {
    return static_cast<int>(request - requests_.data());
  }

  // Submits as much of the queue as the kernel accepts.
  void Submit() {
    if (queue_.empty()) return;
    const int64_t start = NowNanoseconds();
    const int result =
        io_submit(context_, static_cast<long>(queue_.size()), queue_.data());
    recording_->AddSubmitTime(NowNanoseconds() - start);
    if (result >= 0) {
      queue_.erase(queue_.begin(), queue_.begin() + result);
      under_way_ += result;
      return;
    }
    if (result == -EINTR || result == -EAGAIN) return;  // The next turn tries again.
    // The first request of the queue was refused, and nothing was accepted.
    const int lane = LaneOf(queue_.front());
    queue_.erase(queue_.begin());
    if (work_->Settle(lane, result)) Queue(lane);
  }

  // Waits for at least one result, and takes all that are there.
  absl::Status Collect() {
    const int count = io_getevents(context_, 1, static_cast<long>(events_.size()),
                                   events_.data(), nullptr);
    if (count == -EINTR) return absl::OkStatus();
    if (count < 0) return Failure("io_getevents", -count);
    under_way_ -= count;
    for (int i = 0; i < count; ++i) {
      const int lane = LaneOf(events_[i].obj);
      // The result is a signed number in an unsigned field.
      if (work_->Settle(lane, static_cast<ssize_t>(events_[i].res))) Queue(lane);
    }
    return absl::OkStatus();
  }

  FileWork* const work_;
  Recording* const recording_;
  io_context_t context_ = nullptr;
  std::vector<iocb> requests_;  // By lane.
  std::vector<iocb*> queue_;    // Not yet submitted.
  std::vector<io_event> events_;
  int under_way_ = 0;
};

}  // namespace

absl::Status RunLibaio(FileWork* work, Recording* recording) {
  return Libaio(work, recording).Run();
}

}  // namespace ringcp::io_models
