#include "bench/io_models/file_models.h"

#include <array>

#include "bench/io_models/blocking_model.h"
#include "bench/io_models/libaio_model.h"
#include "bench/io_models/posix_aio_model.h"
#include "bench/io_models/thread_pool_model.h"
#include "bench/io_models/uring_linked_model.h"
#include "bench/io_models/uring_model.h"

namespace ringcp::io_models {
namespace {

constexpr std::array kModels = {
    FileModel{.name = "blocking",
              .description = "pread and pwrite, one after the other",
              .run = RunBlocking,
              .one_lane = true},
    FileModel{.name = "nonblock-retry",
              .description = "the same with O_NONBLOCK, asking again after EAGAIN",
              .run = RunNonblockRetry,
              .one_lane = true},
    FileModel{
        .name = "thread-pool",
        .description = "pread and pwrite by as many threads as operations under way",
        .run = RunThreadPool},
    FileModel{.name = "posix-aio",
              .description = "aio_read, aio_write, aio_suspend: glibc's threads",
              .run = RunPosixAio},
    FileModel{.name = "posix-aio-dup",
              .description = "the same, each operation on a descriptor of its own",
              .run = RunPosixAioDuplicated},
    FileModel{.name = "libaio",
              .description = "io_submit and io_getevents: the kernel's older interface",
              .run = RunLibaio},
    FileModel{.name = "uring-one",
              .description = "io_uring, one operation at a time",
              .run = RunUringOne,
              .one_lane = true},
    FileModel{.name = "uring-batched",
              .description = "io_uring, many operations in one call",
              .run = RunUringBatched},
    FileModel{.name = "uring-linked",
              .description = "io_uring, each read linked to its write",
              .run = RunUringLinked,
              .for_read = false},
    FileModel{.name = "uring-registered",
              .description = "as batched, with registered buffers and files",
              .run = RunUringRegistered},
    FileModel{.name = "uring-sqpoll",
              .description = "as batched, a kernel thread fetches the operations",
              .run = RunUringSqpoll},
    FileModel{.name = "uring-iopoll",
              .description = "as batched, asking the device instead of being interrupted",
              .run = RunUringIopoll,
              .for_copy = false},
};

}  // namespace

std::span<const FileModel> FileModels() { return kModels; }

}  // namespace ringcp::io_models
