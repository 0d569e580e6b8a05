#include "core/job/tally.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "core/tree/directory_parking.h"

namespace ringcp {

// Opens what is to be read, and nothing else.
class Tally::Visitor : public WalkVisitor {
 public:
  explicit Visitor(bool one_file_system) : one_file_system_(one_file_system) {}

  Entered Enter(Directory* directory) override {
    const int no_follow = directory->follow ? 0 : O_NOFOLLOW;
    directory->source_fd =
        openat(directory->parent->source_fd, directory->source_name.c_str(),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | no_follow);
    if (directory->source_fd < 0) {
      const bool is_other = errno == ENOTDIR || errno == ELOOP;
      return is_other && !directory->looked_at ? Entered::kIsNoDirectory
                                               : Entered::kNotToBeRead;
    }
    if (fstat(directory->source_fd, &directory->source_stat) != 0) {
      return Entered::kNotToBeRead;
    }
    const struct stat& stat = directory->source_stat;
    if (directory->is_root) directory->root_device = stat.st_dev;
    if (one_file_system_ && stat.st_dev != directory->root_device) {
      return Entered::kNotToBeRead;
    }
    // A cycle of links that are followed.
    for (const Directory* above = directory->parent;
         directory->through_link && !above->is_top(); above = above->parent) {
      if (above->source_stat.st_dev == stat.st_dev &&
          above->source_stat.st_ino == stat.st_ino) {
        return Entered::kNotToBeRead;
      }
    }
    return Entered::kToBeRead;
  }

  void Leave(Directory* directory) override {
    if (directory->source_fd >= 0) close(directory->source_fd);
    directory->source_fd = -1;
  }
  bool Park(Directory* directory) override { return ParkDirectory(directory); }
  bool Reopen(Directory* directory, const Directory* child) override {
    ReopenFailure failure;
    directory->is_lost = !ReopenDirectory(directory, child, &failure);
    return !directory->is_lost;
  }
  void OnReadError(const Directory&, int) override {}
  void OnEntryError(const Directory&, const char*, int) override {}

 private:
  const bool one_file_system_;
};

Tally::Tally(const std::vector<TopLevelSource>& sources, const Settings& settings)
    : settings_(settings),
      visitor_(std::make_unique<Visitor>(settings.one_file_system)),
      walk_(visitor_.get(), settings.follow_links, settings.directories_max) {
  walk_.top()->source_fd = AT_FDCWD;
  AddToWalk(sources, &walk_);
}

Tally::~Tally() = default;

void Tally::Run() {
  absl::flat_hash_set<std::pair<dev_t, ino_t>> counted;
  auto batch = std::make_unique<WalkBatch>();
  while (!stopped_.load(std::memory_order_relaxed)) {
    const Walk::Result result = walk_.Next(/*may_wait=*/true, batch.get());
    if (result == Walk::Result::kFinished) break;
    if (result == Walk::Result::kNothingYet) continue;
    for (const WalkEntry& entry : batch->entries()) {
      struct stat stat = {};
      const bool follow = entry.looked_at ? entry.follow : settings_.follow_links;
      if (entry.kind == EntryKind::kRegular &&
          fstatat(batch->directory()->source_fd, entry.source_name, &stat,
                  follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0) {
        const bool again = settings_.preserve_links && stat.st_nlink > 1 &&
                           !counted.insert({stat.st_dev, stat.st_ino}).second;
        if (!again && S_ISREG(stat.st_mode)) {
          bytes_.fetch_add(stat.st_size, std::memory_order_relaxed);
        }
      }
      if (S_ISDIR(stat.st_mode) && !entry.looked_at) {
        walk_.AddDirectory(batch->directory(), entry.source_name, follow);
      } else {
        files_.fetch_add(1, std::memory_order_relaxed);
      }
      walk_.Release(batch->directory());
    }
  }
  complete_.store(!stopped_.load(std::memory_order_relaxed), std::memory_order_release);
}

void Tally::Stop() {
  stopped_.store(true, std::memory_order_relaxed);
  walk_.Stop();
}

}  // namespace ringcp
