#include "tests/simulation/sim_read_directory.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "tests/simulation/sim_inode.h"

namespace ringcp {
namespace {

unsigned char ListedType(const SimInode& inode, const SimMountTraits& traits) {
  switch (traits.listed_types) {
    case SimMountTraits::ListedTypes::kUnknown:
      return DT_UNKNOWN;
    case SimMountTraits::ListedTypes::kWrong:
      if (inode.is_directory()) return DT_REG;
      return inode.is_regular() ? DT_LNK : DT_REG;
    case SimMountTraits::ListedTypes::kTrue:
      break;
  }
  return IFTODT(inode.mode);
}

}  // namespace

int32_t ReadSimDirectory(const SimFileSystem& files, uint32_t length, SimOpenFile* file,
                         char* buffer) {
  const InodePtr directory = file->inode;
  if (!directory->is_directory()) return -ENOTDIR;
  if (directory->is_dead_directory()) return -ENOENT;
  uint32_t filled = 0;
  const uint32_t listed_max = directory->mount->traits.list_max;
  uint32_t listed = 0;
  const auto add = [&](const std::string& name, const SimInode& inode, uint64_t next) {
    constexpr size_t kName = offsetof(dirent64, d_name);
    const size_t size = (kName + name.size() + 1 + 7) / 8 * 8;
    if (filled + size > length || (listed_max > 0 && listed == listed_max)) return false;
    ++listed;
    // Copied field by field, because the record is shorter than the struct.
    char* const record = buffer + filled;
    std::memset(record, 0, size);
    const uint64_t number = inode.number;
    const auto record_length = static_cast<uint16_t>(size);
    const unsigned char type = ListedType(inode, directory->mount->traits);
    std::memcpy(record + offsetof(dirent64, d_ino), &number, sizeof(number));
    std::memcpy(record + offsetof(dirent64, d_off), &next, sizeof(next));
    std::memcpy(record + offsetof(dirent64, d_reclen), &record_length,
                sizeof(record_length));
    std::memcpy(record + offsetof(dirent64, d_type), &type, sizeof(type));
    name.copy(record + kName, name.size());
    filled += static_cast<uint32_t>(size);
    file->position = next;
    return true;
  };
  // The position is one more than the cookie of the last entry listed.
  bool fits = file->position >= 1 || add(".", *directory, 1);
  if (fits && file->position < 2) {
    fits = add("..", *files.Above(directory), 2);
  }
  if (fits) {
    for (auto entry = directory->order.lower_bound(file->position);
         entry != directory->order.end(); ++entry) {
      const auto& named = directory->entries.at(entry->second);
      fits = add(entry->second, *named.inode, entry->first + 1);
      if (!fits) break;
    }
  }
  return filled == 0 && !fits ? -EINVAL : static_cast<int32_t>(filled);
}

}  // namespace ringcp
