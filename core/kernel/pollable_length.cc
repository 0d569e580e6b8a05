#include "core/kernel/pollable_length.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

constexpr uint64_t kPage = 4096;
// Longer than any block that a copy reads or writes.
constexpr uint64_t kLengthMax = uint64_t{1} << 30;

// The number in `file`; 0 if there is none.
uint64_t ReadNumber(const std::string& file) {
  std::ifstream stream(file);
  uint64_t number = 0;
  return stream >> number ? number : 0;
}

}  // namespace

uint32_t PollableLength(const std::string& sysfs, dev_t device) {
  std::string disk =
      absl::StrCat(sysfs, "/dev/block/", major(device), ":", minor(device));
  if (access(absl::StrCat(disk, "/partition").c_str(), F_OK) == 0) disk += "/..";
  // Devices that are made of other devices have no such link.
  if (access(absl::StrCat(disk, "/device").c_str(), F_OK) != 0) return 0;
  const std::string queue = disk + "/queue/";
  if (ReadNumber(queue + "io_poll") != 1) return 0;
  // The block layer splits at multiples of this.
  if (ReadNumber(queue + "chunk_sectors") != 0) return 0;
  // A segment is at least a page, and a buffer that is not page-aligned takes one segment
  // more.
  const uint64_t segments = ReadNumber(queue + "max_segments");
  const uint64_t length =
      std::min({ReadNumber(queue + "max_sectors_kb") * 1024,
                segments > 0 ? (segments - 1) * kPage : 0, kLengthMax});
  return static_cast<uint32_t>(length / kPage * kPage);
}

}  // namespace ringcp
