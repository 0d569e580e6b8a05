#include "bench/io_models/uring_linked_model.h"

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {
namespace {

class UringLinked {
 public:
  UringLinked(FileWork* work, std::unique_ptr<Uring> uring)
      : work_(work), uring_(std::move(uring)), chains_(work->lanes()) {}

  absl::Status Run(Recording* recording) {
    recording->Begin();
    for (int lane = 0; lane < work_->lanes(); ++lane) {
      if (work_->Start(lane)) Queue(lane);
    }
    absl::Status status;
    while (status.ok() && under_way_ > 0) {
      status = uring_->SubmitAndWait();
      uring_->TakeCompletions([this](const io_uring_cqe& completion) {
        NoteResult(static_cast<int>(completion.user_data / 2),
                   completion.user_data % 2 == kWriteResult, completion.res);
      });
    }
    recording->End();
    return status.ok() ? work_->status() : status;
  }

 private:
  static constexpr uint64_t kWriteResult = 1;  // In user_data, beside the lane.

  // What a lane has under way: a read linked to its write, or a write alone.
  struct Chain {
    int outstanding = 0;
    bool has_read = false;
    int read_result = 0;
    int write_result = 0;
  };

  void Queue(int lane) {
    const FileOp& op = work_->op(lane);
    Chain* chain = &chains_[lane];
    *chain = {.outstanding = op.is_write ? 1 : 2, .has_read = !op.is_write};
    under_way_ += chain->outstanding;
    const auto bytes = static_cast<unsigned>(op.bytes);
    if (chain->has_read) {
      io_uring_sqe* read = uring_->NextEntry();
      io_uring_prep_read(read, work_->descriptors()[kSource], op.data, bytes,
                         op.position);
      read->flags |= IOSQE_IO_LINK;
      read->user_data = static_cast<uint64_t>(lane) * 2;
    }
    io_uring_sqe* write = uring_->NextEntry();
    io_uring_prep_write(write, work_->descriptors()[kTarget], op.data, bytes,
                        op.position);
    write->user_data = static_cast<uint64_t>(lane) * 2 + kWriteResult;
  }

  void NoteResult(int lane, bool is_write, int result) {
    Chain* chain = &chains_[lane];
    (is_write ? chain->write_result : chain->read_result) = result;
    --under_way_;
    // Waits for both results, because until then the kernel may still use the memory.
    if (--chain->outstanding == 0 && SettleChain(lane, *chain)) Queue(lane);
  }

  bool SettleChain(int lane, const Chain& chain) {
    if (!chain.has_read) return work_->Settle(lane, chain.write_result);
    const bool more = work_->Settle(lane, chain.read_result);
    // The link was severed, so the lane continues with what its read has returned.
    if (!more || chain.write_result == -ECANCELED) return more;
    return work_->Settle(lane, chain.write_result);
  }

  FileWork* const work_;
  const std::unique_ptr<Uring> uring_;
  std::vector<Chain> chains_;  // By lane.
  int under_way_ = 0;          // Operations, queued or submitted.
};

}  // namespace

absl::Status RunUringLinked(FileWork* work, Recording* recording) {
  absl::StatusOr<std::unique_ptr<Uring>> uring =
      Uring::Create({.entries = static_cast<unsigned>(2 * work->lanes())});
  if (!uring.ok()) return uring.status();
  return UringLinked(work, *std::move(uring)).Run(recording);
}

}  // namespace ringcp::io_models
