#include "bench/io_models/works.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/copy_work.h"
#include "bench/io_models/echo_models.h"
#include "bench/io_models/file_models.h"
#include "bench/io_models/file_runs.h"
#include "bench/io_models/pipe_models.h"
#include "bench/io_models/read_work.h"

namespace ringcp::io_models {
namespace {

// Operations under way while a file is copied: enough for a disk, and few enough that
// their two megabytes of memory stay in a processor's cache.
constexpr int kCopyLanes = 16;

constexpr int kEchoConnections = 64;

// The size of the file determines the amount of work, so that one option makes everything
// shorter or longer. The factors are chosen so that a run takes some tenths of a second
// with the default size of 256 MiB.
//
// The whole file. System calls are counted on a part of it that is long enough for every
// lane.
int64_t CopyBytes(int64_t size, Amount amount) {
  const int64_t most = amount == Amount::kWhole ? INT64_MAX : 64 * 1024 * 1024;
  return std::min(size, most);
}

// One read for every four blocks of the file; with O_DIRECT, where each read goes to the
// device, one for every sixteen.
int64_t Reads(int64_t size, bool direct, Amount amount) {
  const int64_t reads = size / ReadWork::kReadBytes / (direct ? 16 : 4);
  const int64_t most = amount == Amount::kWhole ? INT64_MAX : 4096;
  return std::clamp<int64_t>(reads, 64, most);
}

// Messages with an eighth of the file's bytes.
int64_t Messages(int64_t size, Amount amount) {
  const int64_t messages = size / kMessageBytes / kEchoConnections / 8;
  const int64_t most = amount == Amount::kWhole ? INT64_MAX : 64;
  return std::clamp<int64_t>(messages, 4, most);
}

// A quarter of the file's bytes.
int64_t PipeBytes(int64_t size, Amount amount) {
  const int64_t most = amount == Amount::kWhole ? INT64_MAX : 8 * 1024 * 1024;
  return std::min(size / 4, most);
}

Work CopyWorkOf(const char* name, const char* title, bool direct) {
  Work work = {.name = name,
               .title = title,
               .operation = "a block of 128 KiB, read and written",
               .throughput_bytes = true,
               .needs_files = true,
               .models = {}};
  for (const FileModel& model : FileModels()) {
    if (!model.for_copy) continue;
    work.models.push_back(
        {.name = model.name,
         .description = model.description,
         .run = [&model, direct](const WorkFiles& files, Amount amount) {
           return RunCopy(model, {.source = files.source,
                                  .target = files.target,
                                  .size = CopyBytes(files.size, amount),
                                  .seed = files.seed,
                                  .direct = direct,
                                  .lanes = kCopyLanes});
         }});
  }
  return work;
}

absl::StatusOr<Measurement> RunReadWork(const FileModel& model, const WorkFiles& files,
                                        bool direct, int depth, Amount amount) {
  if (files.size < ReadWork::kReadBytes) {
    return absl::FailedPreconditionError("the file is smaller than one read");
  }
  if (model.one_lane && depth > 1) {
    return absl::FailedPreconditionError("it has one read under way, never more");
  }
  return RunRead(model, {.source = files.source,
                         .size = files.size,
                         .seed = files.seed,
                         .direct = direct,
                         .reads = Reads(files.size, direct, amount),
                         .lanes = depth});
}

Work ReadWorkOf(const std::string& name, const std::string& title, bool direct,
                int depth) {
  Work work = {.name = absl::StrCat(name, "-", depth),
               .title = absl::StrCat(title, ", ", depth, " under way"),
               .operation = "a read of 4 KiB",
               .throughput_bytes = false,
               .needs_files = true,
               .models = {}};
  for (const FileModel& model : FileModels()) {
    if (!model.for_read) continue;
    work.models.push_back(
        {.name = model.name,
         .description = model.description,
         .run = [&model, direct, depth](const WorkFiles& files, Amount amount) {
           return RunReadWork(model, files, direct, depth, amount);
         }});
  }
  return work;
}

Work EchoWorkOf() {
  Work work = {.name = "echo",
               .title = "echo over 64 TCP connections on the loopback device",
               .operation = "a message of 1 KiB and its echo",
               .throughput_bytes = false,
               .needs_files = false,
               .models = {}};
  for (const EchoModel& model : EchoModels()) {
    work.models.push_back({.name = model.name,
                           .description = model.description,
                           .run = [&model](const WorkFiles& files, Amount amount) {
                             return RunEcho(model,
                                            {.connections = kEchoConnections,
                                             .messages = Messages(files.size, amount),
                                             .seed = files.seed});
                           }});
  }
  return work;
}

Work PipeWorkOf() {
  Work work = {.name = "pipe",
               .title = "a stream passed on from one pipe to another",
               .operation = "a piece of 4 KiB, read and written",
               .throughput_bytes = true,
               .needs_files = false,
               .models = {}};
  for (const PipeModel& model : PipeModels()) {
    work.models.push_back({.name = model.name,
                           .description = model.description,
                           .run = [&model](const WorkFiles& files, Amount amount) {
                             return RunPipe(model, PipeBytes(files.size, amount),
                                            files.seed);
                           }});
  }
  return work;
}

std::vector<Work> MakeWorks() {
  std::vector<Work> works;
  works.push_back(CopyWorkOf("copy-cached", "copy of a file in the page cache", false));
  works.push_back(CopyWorkOf("copy-direct", "copy of a file with O_DIRECT", true));
  for (const int depth : {1, 64}) {
    works.push_back(ReadWorkOf("read-cached", "random reads of a file in the page cache",
                               false, depth));
  }
  for (const int depth : {1, 64}) {
    works.push_back(ReadWorkOf("read-direct", "random reads with O_DIRECT", true, depth));
  }
  works.push_back(EchoWorkOf());
  works.push_back(PipeWorkOf());
  works.push_back({.name = kRegularFileWork,
                   .title = "what the kernel answers who waits for a regular file",
                   .operation = "",
                   .throughput_bytes = false,
                   .needs_files = true,
                   .models = {}});
  return works;
}

}  // namespace

const std::vector<Work>& Works() {
  static const auto* const kWorks = new std::vector<Work>(MakeWorks());
  return *kWorks;
}

}  // namespace ringcp::io_models
