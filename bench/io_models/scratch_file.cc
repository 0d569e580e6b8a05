#include "bench/io_models/scratch_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "bench/io_models/aligned_memory.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/pattern.h"

namespace ringcp::io_models {
namespace {

// In bytes, for writing and checking a pattern. The size does not matter much.
constexpr int64_t kBufferBytes = 1024 * 1024;

}  // namespace

absl::StatusOr<Descriptor> MakeScratchFile(const std::string& directory) {
  Descriptor file(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  // If the file system has no O_TMPFILE, a file whose name is removed immediately will
  // do.
  std::string path = directory + "/io_models.XXXXXX";
  file = Descriptor(mkostemp(path.data(), O_CLOEXEC));
  if (!file.valid()) return Failure(absl::StrCat("mkostemp ", path), errno);
  if (unlink(path.c_str()) != 0) return Failure(absl::StrCat("unlink ", path), errno);
  return file;
}

absl::Status WritePattern(int descriptor, uint64_t seed, int64_t size) {
  const AlignedMemory buffer = AllocateAligned(kBufferBytes);
  for (int64_t at = 0; at < size;) {
    const auto bytes = static_cast<size_t>(std::min(kBufferBytes, size - at));
    FillPattern(seed, at, buffer.get(), bytes);
    // The rest of a short write is filled again, from a multiple of eight on (AlignDown).
    const ssize_t written = pwrite(descriptor, buffer.get(), bytes, at);
    if (written < 0 && errno != EINTR) return Failure("write of the source", errno);
    if (written < 0) continue;
    const bool is_last = at + written == size;
    if (!is_last && AlignDown(written) == 0) {
      return Failure("write of the source", ENOSPC);
    }
    at += is_last ? written : AlignDown(written);
  }
  if (fsync(descriptor) != 0) return Failure("fsync of the source", errno);
  return absl::OkStatus();
}

absl::Status CheckPattern(int descriptor, uint64_t seed, int64_t size) {
  struct stat found = {};
  if (fstat(descriptor, &found) != 0) return Failure("fstat", errno);
  if (found.st_size != size) {
    return absl::DataLossError(
        absl::StrCat("the file has ", found.st_size, " bytes instead of ", size));
  }
  const AlignedMemory buffer = AllocateAligned(kBufferBytes);
  int64_t at = 0;
  while (at < size) {
    const ssize_t bytes = pread(descriptor, buffer.get(), kBufferBytes, at);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return Failure("read of what was written", errno);
    // After a short read that is no multiple of eight, the remainder is read again.
    const int64_t usable = at + bytes == size ? bytes : AlignDown(bytes);
    if (usable == 0) return absl::DataLossError("the file ended early");
    if (!MatchesPattern(seed, at, buffer.get(), static_cast<size_t>(usable))) {
      return absl::DataLossError(absl::StrCat("wrong contents after offset ", at));
    }
    at += usable;
  }
  return absl::OkStatus();
}

absl::Status SetDirect(int descriptor, bool on) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return Failure("fcntl(F_GETFL)", errno);
  const int wanted = on ? flags | O_DIRECT : flags & ~O_DIRECT;
  if (fcntl(descriptor, F_SETFL, wanted) == 0) return absl::OkStatus();
  return Refusal("fcntl(F_SETFL, O_DIRECT)", errno);
}

}  // namespace ringcp::io_models
