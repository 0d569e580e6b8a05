#include "bench/io_models/uring_model.h"

#include <sys/uio.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {
namespace {

// The only registered buffer: one for all lanes.
constexpr int kBufferIndex = 0;

struct Variant {
  int lanes = 1;
  bool registered = false;
  bool sqpoll = false;
  bool iopoll = false;
};

class UringModel {
 public:
  UringModel(FileWork* work, const Variant& variant, std::unique_ptr<Uring> uring)
      : work_(work), variant_(variant), uring_(std::move(uring)) {}

  absl::Status Register() {
    const std::span<char> memory = work_->memory();
    const iovec buffer = {.iov_base = memory.data(), .iov_len = memory.size()};
    int result = io_uring_register_buffers(uring_->get(), &buffer, 1);
    if (result < 0) return Refusal("io_uring_register (buffers)", -result);
    const std::span<const int> files = work_->descriptors();
    result = io_uring_register_files(uring_->get(), files.data(),
                                     static_cast<unsigned>(files.size()));
    if (result < 0) return Refusal("io_uring_register (files)", -result);
    return absl::OkStatus();
  }

  absl::Status Run(Recording* recording) {
    recording->Begin();
    for (int lane = 0; lane < variant_.lanes; ++lane) {
      if (work_->Start(lane)) Queue(lane);
    }
    absl::Status status;
    while (status.ok() && under_way_ > 0) {
      status = uring_->SubmitAndWait();
      uring_->TakeCompletions([this](const io_uring_cqe& completion) {
        --under_way_;
        const int lane = static_cast<int>(completion.user_data);
        if (completion.res == -EOPNOTSUPP) unsupported_ = true;
        if (work_->Settle(lane, completion.res)) Queue(lane);
      });
    }
    recording->End();
    if (status.ok()) status = work_->status();
    // The answer if the device can't be polled, or the file is not O_DIRECT.
    if (variant_.iopoll && unsupported_) {
      return absl::UnavailableError(
          absl::StrCat("polled ", std::string(status.message())));
    }
    return status;
  }

 private:
  // Each lane has at most one entry, so there is always room.
  void Queue(int lane) {
    const FileOp& op = work_->op(lane);
    io_uring_sqe* entry = uring_->NextEntry();
    const auto bytes = static_cast<unsigned>(op.bytes);
    const int descriptor = work_->descriptors()[op.file];
    if (variant_.registered) {
      // The index among the registered files names the file.
      if (op.is_write) {
        io_uring_prep_write_fixed(entry, op.file, op.data, bytes, op.position,
                                  kBufferIndex);
      } else {
        io_uring_prep_read_fixed(entry, op.file, op.data, bytes, op.position,
                                 kBufferIndex);
      }
      entry->flags |= IOSQE_FIXED_FILE;
    } else if (op.is_write) {
      io_uring_prep_write(entry, descriptor, op.data, bytes, op.position);
    } else {
      io_uring_prep_read(entry, descriptor, op.data, bytes, op.position);
    }
    entry->user_data = static_cast<uint64_t>(lane);
    ++under_way_;
  }

  FileWork* const work_;
  const Variant variant_;
  const std::unique_ptr<Uring> uring_;
  int under_way_ = 0;  // Queued or submitted.
  bool unsupported_ = false;
};

absl::Status Run(FileWork* work, Recording* recording, const Variant& variant) {
  absl::StatusOr<std::unique_ptr<Uring>> uring =
      Uring::Create({.entries = static_cast<unsigned>(variant.lanes),
                     .sqpoll = variant.sqpoll,
                     .iopoll = variant.iopoll});
  if (!uring.ok()) return uring.status();
  UringModel model(work, variant, *std::move(uring));
  if (variant.registered) {
    absl::Status status = model.Register();
    if (!status.ok()) return status;
  }
  return model.Run(recording);
}

}  // namespace

absl::Status RunUringOne(FileWork* work, Recording* recording) {
  return Run(work, recording, {.lanes = 1});
}

absl::Status RunUringBatched(FileWork* work, Recording* recording) {
  return Run(work, recording, {.lanes = work->lanes()});
}

absl::Status RunUringRegistered(FileWork* work, Recording* recording) {
  return Run(work, recording, {.lanes = work->lanes(), .registered = true});
}

absl::Status RunUringSqpoll(FileWork* work, Recording* recording) {
  return Run(work, recording, {.lanes = work->lanes(), .sqpoll = true});
}

absl::Status RunUringIopoll(FileWork* work, Recording* recording) {
  return Run(work, recording, {.lanes = work->lanes(), .iopoll = true});
}

}  // namespace ringcp::io_models
