#include "core/job/tally.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "core/base/file_identity.h"
#include "core/tree/directory_parking.h"

namespace ringcp {

// Opens the directories to be read, and nothing else.
class Tally::Visitor : public WalkVisitor {
 public:
  explicit Visitor(bool one_file_system) : one_file_system_(one_file_system) {}

  Entered Enter(Kernel* kernel, Directory* directory) override {
    if (directory->given != nullptr) return Entered::kToBeRead;
    const int fd = directory->source.OpenToRead(kernel, directory->parent->source);
    if (fd < 0) {
      const bool is_other = fd == -ENOTDIR || fd == -ELOOP;
      return is_other && !directory->source.looked_at ? Entered::kIsNoDirectory
                                                      : Entered::kNotToBeRead;
    }
    directory->source.fd = fd;
    if (kernel->Stat(fd, &directory->source.stat) != 0) {
      return Entered::kNotToBeRead;
    }
    const struct statx& stat = directory->source.stat;
    if (directory->is_root) directory->source.root_device = DeviceOf(stat);
    if (one_file_system_ && DeviceOf(stat) != directory->source.root_device) {
      return Entered::kNotToBeRead;
    }
    // Followed links may have led back to a directory above.
    for (const Directory* above = directory->parent;
         directory->source.through_link && !above->names_sources();
         above = above->parent) {
      if (SameFile(above->source.stat, stat)) return Entered::kNotToBeRead;
    }
    return Entered::kToBeRead;
  }

  void Leave(Kernel* kernel, Directory* directory) override {
    kernel->CloseIfOpen(&directory->source.fd);
  }
  bool Park(Kernel* kernel, Directory* directory) override {
    return ParkDirectory(kernel, directory);
  }
  bool Reopen(Kernel* kernel, Directory* directory, const Directory* child) override {
    ReopenFailure failure;
    directory->is_lost = !ReopenDirectory(kernel, directory, child, &failure);
    return !directory->is_lost;
  }
  void OnReadError(const Directory&, int) override {}
  void OnEntryError(const Directory&, const char*, int) override {}

 private:
  const bool one_file_system_;
};

Tally::Tally(Kernel* kernel, const std::vector<TopLevelSource>& sources,
             const Settings& settings)
    : settings_(settings),
      visitor_(std::make_unique<Visitor>(settings.one_file_system)),
      walk_(kernel, visitor_.get(), settings.follow_links, settings.directories_max) {
  walk_.top()->source.fd = AT_FDCWD;
  AddToWalk(sources, &walk_);
}

Tally::~Tally() = default;

void Tally::Run(Kernel* kernel) {
  absl::flat_hash_set<std::pair<dev_t, ino_t>> counted;
  auto batch = std::make_unique<WalkBatch>();
  while (!stopped_.load(std::memory_order_relaxed)) {
    const Walk::Result result = walk_.Next(kernel, /*may_wait=*/true, batch.get());
    if (result == Walk::Result::kFinished) break;
    if (result != Walk::Result::kBatch) continue;
    for (const WalkEntry& entry : batch->entries()) {
      struct statx stat = {};
      const bool follow = entry.looked_at ? entry.follow : settings_.follow_links;
      if (entry.kind == EntryKind::kRegular &&
          kernel->Stat(batch->directory()->source.fd, entry.source_name,
                       follow ? 0 : AT_SYMLINK_NOFOLLOW, &stat) == 0) {
        const bool again = settings_.preserve_links && stat.stx_nlink > 1 &&
                           !counted.insert({DeviceOf(stat), stat.stx_ino}).second;
        if (!again && S_ISREG(stat.stx_mode)) {
          bytes_.fetch_add(stat.stx_size, std::memory_order_relaxed);
        }
      }
      if (S_ISDIR(stat.stx_mode) && !entry.looked_at) {
        walk_.AddDirectory(batch->directory(), entry.source_name, follow);
      } else {
        files_.fetch_add(1, std::memory_order_relaxed);
      }
      walk_.Release(kernel, batch->directory());
    }
  }
  complete_.store(!stopped_.load(std::memory_order_relaxed), std::memory_order_release);
}

void Tally::Stop(Kernel* kernel) {
  stopped_.store(true, std::memory_order_relaxed);
  walk_.Stop(kernel);
}

}  // namespace ringcp
