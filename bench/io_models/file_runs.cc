#include "bench/io_models/file_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "bench/io_models/copy_work.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/read_work.h"
#include "bench/io_models/scratch_file.h"

namespace ringcp::io_models {
namespace {

// Empties the target, so that every model starts with the same.
absl::Status PrepareTarget(const CopyRun& run) {
  if (ftruncate(run.target, 0) != 0) return Failure("ftruncate of the target", errno);
  if (!run.direct || run.size == 0) return absl::OkStatus();
  // With O_DIRECT a write beyond the end of the file is never asynchronous, because it
  // waits until the size is set. So the target first gets its size and, if the file
  // system can do that, its blocks, as in any program that uses O_DIRECT for speed.
  if (fallocate(run.target, 0, 0, run.size) == 0) return absl::OkStatus();
  if (errno != EOPNOTSUPP) return Failure("fallocate of the target", errno);
  if (ftruncate(run.target, run.size) != 0) {
    return Failure("ftruncate of the target", errno);
  }
  return absl::OkStatus();
}

absl::Status SetBothDirect(const CopyRun& run, bool on) {
  absl::Status status = SetDirect(run.source, on);
  if (status.ok()) status = SetDirect(run.target, on);
  return status;
}

}  // namespace

absl::StatusOr<Measurement> RunCopy(const FileModel& model, const CopyRun& run) {
  absl::Status status = PrepareTarget(run);
  if (!status.ok()) return status;
  Recording recording(CopyWork::Blocks(run.size));
  CopyWork work({.source = run.source,
                 .target = run.target,
                 .size = run.size,
                 .direct = run.direct,
                 .lanes = model.one_lane ? 1 : run.lanes},
                &recording);
  status = SetBothDirect(run, run.direct);
  if (status.ok()) status = model.run(&work, &recording);
  const absl::Status cleared = SetBothDirect(run, false);
  if (status.ok()) status = cleared;
  if (!status.ok()) return status;
  // Removes what was written beyond the end to fill the last block.
  if (ftruncate(run.target, run.size) != 0) {
    return Failure("ftruncate of the target", errno);
  }
  status = CheckPattern(run.target, run.seed, run.size);
  if (!status.ok()) return status;
  Measurement measurement = recording.Finish();
  measurement.bytes = run.size;
  return measurement;
}

absl::StatusOr<Measurement> RunRead(const FileModel& model, const ReadRun& run) {
  Recording recording(run.reads);
  ReadWork work({.source = run.source,
                 .size = run.size,
                 .direct = run.direct,
                 .seed = run.seed,
                 .reads = run.reads,
                 .lanes = model.one_lane ? 1 : run.lanes},
                &recording);
  absl::Status status = SetDirect(run.source, run.direct);
  if (status.ok()) status = model.run(&work, &recording);
  const absl::Status cleared = SetDirect(run.source, false);
  if (status.ok()) status = cleared;
  if (!status.ok()) return status;
  Measurement measurement = recording.Finish();
  measurement.bytes = run.reads * ReadWork::kReadBytes;
  return measurement;
}

}  // namespace ringcp::io_models
