#include "bench/io_models/runner.h"

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/part_process.h"
#include "bench/io_models/scratch_file.h"
#include "bench/io_models/system_call_counter.h"
#include "bench/io_models/works.h"
#include "core/base/file_error.h"

namespace ringcp::io_models {
namespace {

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string KernelName() {
  utsname names = {};
  if (uname(&names) != 0) return "an unknown kernel";
  return absl::StrCat(names.sysname, " ", names.release);
}

std::string FileSystemName(const std::string& directory) {
  struct statfs found = {};
  if (statfs(directory.c_str(), &found) != 0) return "an unknown file system";
  switch (static_cast<uint32_t>(found.f_type)) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x794C7630:
      return "overlayfs";
    default:
      return absl::StrFormat("file system %#x", static_cast<uint32_t>(found.f_type));
  }
}

void NoteFailure(const absl::Status& status, ModelResult* result) {
  result->outcome = Outcome::kFailed;
  if (IsRefusal(status)) result->outcome = Outcome::kRefused;
  if (absl::IsFailedPrecondition(status)) result->outcome = Outcome::kNotApplicable;
  result->reason = std::string(status.message());
}

// Runs the model `runs` times, and once more to count its system calls.
ModelResult RunModel(const WorkModel& model, const WorkFiles& files, int runs) {
  ModelResult result;
  result.model = model.name;
  result.description = model.description;
  std::vector<Measurement> measurements;
  for (int i = 0; i < runs; ++i) {
    const absl::StatusOr<Measurement> measurement =
        RunInProcess([&] { return model.run(files, Amount::kWhole); });
    if (!measurement.ok()) {
      NoteFailure(measurement.status(), &result);
      return result;
    }
    measurements.push_back(*measurement);
  }
  const auto median = measurements.begin() + (runs - 1) / 2;
  std::nth_element(measurements.begin(), median, measurements.end(),
                   [](const Measurement& a, const Measurement& b) {
                     return a.wall_seconds < b.wall_seconds;
                   });
  result.measurement = *median;

  const absl::StatusOr<CountedRun> counted =
      CountSystemCalls([&] { return model.run(files, Amount::kForCounting); });
  if (counted.ok()) {
    const int64_t operations = std::max<int64_t>(counted->measurement.operations, 1);
    result.system_calls_per_operation =
        static_cast<double>(counted->system_calls) / static_cast<double>(operations);
  } else if (IsRefusal(counted.status())) {
    result.not_counted_reason = std::string(counted.status().message());
  } else {
    NoteFailure(counted.status(), &result);
  }
  return result;
}

class Runner {
 public:
  explicit Runner(const RunOptions& options) : options_(options) {
    files_.size = options.size;
    files_.seed = options.seed;
  }

  absl::StatusOr<Report> Run(const std::function<void(const std::string&)>& progress) {
    report_.kernel = KernelName();
    report_.processors = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    report_.directory = Quote(options_.directory);
    report_.file_system = FileSystemName(options_.directory);
    report_.size_bytes = options_.size;
    report_.seed = options_.seed;
    report_.runs = options_.runs;
    for (const Work& work : Works()) {
      if (!Has(options_.works, work.name)) continue;
      progress(work.name);
      absl::Status status = work.needs_files ? MakeFiles() : absl::OkStatus();
      if (!status.ok()) return status;
      if (work.name == kRegularFileWork) {
        // Processes share an open file's flags, so a part that died may have left
        // O_DIRECT set.
        status = SetDirect(files_.source, false);
        if (!status.ok()) return status;
        report_.regular_file_answers = AskRegularFile(files_.source);
      } else {
        RunWork(work);
      }
    }
    return std::move(report_);
  }

 private:
  // Makes the files, unless they exist, and reads the source into the page cache.
  absl::Status MakeFiles() {
    if (source_.valid()) return absl::OkStatus();
    absl::StatusOr<Descriptor> source = MakeScratchFile(options_.directory);
    if (!source.ok()) return source.status();
    absl::StatusOr<Descriptor> target = MakeScratchFile(options_.directory);
    if (!target.ok()) return target.status();
    absl::Status status = WritePattern(source->get(), options_.seed, options_.size);
    if (status.ok()) status = CheckPattern(source->get(), options_.seed, options_.size);
    if (!status.ok()) return status;
    source_ = *std::move(source);
    target_ = *std::move(target);
    files_.source = source_.get();
    files_.target = target_.get();
    return absl::OkStatus();
  }

  void RunWork(const Work& work) {
    WorkResult result;
    result.name = work.name;
    result.title = work.title;
    result.operation = work.operation;
    result.throughput_bytes = work.throughput_bytes;
    result.is_regular_file = work.needs_files;
    for (const WorkModel& model : work.models) {
      if (!Has(options_.models, model.name)) continue;
      result.models.push_back(RunModel(model, files_, options_.runs));
    }
    if (!result.models.empty()) report_.works.push_back(std::move(result));
  }

  const RunOptions options_;
  Descriptor source_;
  Descriptor target_;
  WorkFiles files_;
  Report report_;
};

}  // namespace

absl::StatusOr<Report> RunWorks(const RunOptions& options,
                                const std::function<void(const std::string&)>& progress) {
  return Runner(options).Run(progress);
}

}  // namespace ringcp::io_models
