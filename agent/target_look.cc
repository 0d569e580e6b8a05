#include "agent/target_look.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/base/file_error.h"
#include "core/job/top_level.h"
#include "core/kernel/file_systems.h"

namespace ringcp {
namespace {

// The kernel follows at most 40 links in one path; one more is ELOOP. A job opens the
// target's directory and then the target's last name, so it may follow twice as many.
constexpr int kLinksMax = 2 * 40;

// /dev/tty: the terminal of the process that opens it (Linux's admin-guide/devices.txt).
constexpr unsigned kOwnTerminal[] = {5, 0};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  const int fd_;
};

// Whether `directory` tells names apart that differ in more than the case of ASCII
// letters. If a file system folds case, its version of Unicode decides which names are
// equal, so the answer is yes only for file systems that are known not to fold.
bool TellsNamesApart(int directory) {
  struct statfs file_system = {};
  if (fstatfs(directory, &file_system) != 0) return false;
  switch (file_system.f_type) {
    case BTRFS_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
      return true;
    case EXT4_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      break;
    default:
      return false;
  }
  const Descriptor readable(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (readable.get() < 0) return false;
  int flags = 0;
  // A file system without such flags folds no names.
  if (ioctl(readable.get(), FS_IOC_GETFLAGS, &flags) != 0) return errno == ENOTTY;
  return (flags & FS_CASEFOLD_FL) == 0;
}

// Whether a look failed only for lack of resources, which may be available a moment
// later.
bool IsWantOfResources(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

std::vector<std::string> Names(std::string_view path) {
  return absl::StrSplit(absl::string_view(path.data(), path.size()), '/',
                        absl::SkipEmpty());
}

// A place on the way along a path.
class Position {
 public:
  // The root directory; nothing if it can't be looked at.
  static std::optional<Position> Root();

  const PathSteps& steps() const { return steps_; }
  bool exists() const { return steps_.back().identity.has_value(); }
  // Whether the position is in procfs.
  bool is_in_proc() const {
    struct statfs file_system = {};
    return fstatfs(file_->get(), &file_system) == 0 &&
           file_system.f_type == PROC_SUPER_MAGIC;
  }
  bool is_directory() const { return exists() && S_ISDIR(mode_); }
  bool is_own_terminal() const {
    return exists() && S_ISCHR(mode_) &&
           device_ == makedev(kOwnTerminal[0], kOwnTerminal[1]);
  }

  enum class Outcome {
    kThere,    // The position is one step further; the file there may be missing.
    kLink,     // A link is there; the position is the same.
    kNowhere,  // The kernel would not go further either; the position is the same.
    kUnknown,  // Resources were lacking for the look.
  };
  // Goes on to `name`, which may be "..". If that is a link, `link` gets its text.
  Outcome Go(const std::string& name, std::string* link);

  // The steps to `name` in this directory, whatever is there.
  PathSteps StepsTo(const std::string& name);

 private:
  Outcome GoUp();
  std::string Folded(const std::string& name);

  PathSteps steps_;
  // The file at the last step that exists.
  std::shared_ptr<const Descriptor> file_;
  mode_t mode_ = 0;
  dev_t device_ = 0;  // If the file is a device: which one.
  // TellsNamesApart(file_), once that was asked.
  std::optional<bool> tells_names_apart_;
};

std::optional<Position> Position::Root() {
  Position root;
  root.file_ =
      std::make_shared<const Descriptor>(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat stat = {};
  if (root.file_->get() < 0 || fstat(root.file_->get(), &stat) != 0) return std::nullopt;
  root.mode_ = stat.st_mode;
  root.steps_.push_back({"", "", PathIdentity{stat.st_dev, stat.st_ino}});
  return root;
}

std::string Position::Folded(const std::string& name) {
  // In doubt names are folded, because that only makes some job wait needlessly.
  std::string folded = FoldedName(name);
  const std::string lower = absl::AsciiStrToLower(name);
  if (folded == lower) return folded;
  if (!tells_names_apart_.has_value()) tells_names_apart_ = TellsNamesApart(file_->get());
  return *tells_names_apart_ ? lower : folded;
}

PathSteps Position::StepsTo(const std::string& name) {
  PathSteps steps = steps_;
  steps.push_back({Folded(name), name, std::nullopt});
  return steps;
}

Position::Outcome Position::GoUp() {
  if (!is_directory()) return Outcome::kNowhere;
  if (steps_.size() == 1) return Outcome::kThere;
  const int fd = openat(file_->get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return IsWantOfResources(errno) ? Outcome::kUnknown : Outcome::kNowhere;
  file_ = std::make_shared<const Descriptor>(fd);
  tells_names_apart_.reset();
  steps_.pop_back();
  return Outcome::kThere;
}

Position::Outcome Position::Go(const std::string& name, std::string* link) {
  if (name == ".") return Outcome::kThere;
  if (name == "..") return GoUp();
  if (exists() && !is_directory()) return Outcome::kNowhere;
  if (!exists()) {
    steps_.push_back({Folded(name), name, std::nullopt});
    return Outcome::kThere;
  }
  constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  // O_DIRECTORY triggers an automount, as the job itself would.
  int fd = openat(file_->get(), name.c_str(), kFlags | O_DIRECTORY);
  if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
    fd = openat(file_->get(), name.c_str(), kFlags);
  }
  struct stat stat = {};
  const bool is_known = fd >= 0 && fstat(fd, &stat) == 0;
  const int error_number = errno;
  auto file = std::make_shared<const Descriptor>(fd);
  if (!is_known && IsWantOfResources(error_number)) return Outcome::kUnknown;
  // The file is missing, or its mount is dead; the job will get the same error.
  if (!is_known) {
    steps_.push_back({Folded(name), name, std::nullopt});
    return Outcome::kThere;
  }
  if (S_ISLNK(stat.st_mode)) {
    link->resize(PATH_MAX);
    const ssize_t size = readlinkat(fd, "", link->data(), link->size());
    if (size <= 0) return Outcome::kUnknown;
    link->resize(static_cast<size_t>(size));
    return Outcome::kLink;
  }
  steps_.push_back({Folded(name), name, PathIdentity{stat.st_dev, stat.st_ino}});
  file_ = std::move(file);
  mode_ = stat.st_mode;
  device_ = stat.st_rdev;
  tells_names_apart_.reset();
  return Outcome::kThere;
}

// One look at a request's target, and what it has found so far.
class Look {
 public:
  explicit Look(TargetFootprint* footprint) : footprint_(*footprint) {}

  // These return false if nobody can tell where the job would write.

  // Follows `path` from `position`, which becomes the place where the path leads. Adds
  // the links on the way to the footprint; if the path's last name is a link (or leads
  // from link to link), returns the steps to each of these in `last`. The last name is
  // followed only with `follows_last`.
  bool Follow(std::string_view path, Position* position, std::vector<PathSteps>* last,
              bool follows_last = true);
  // Adds the places in `directory` that all of the request's sources are copied to.
  bool AddNames(const CopyRequest& request, const Position& directory);

  // Whether a path that was followed leads to something that is different in each
  // process: within procfs, or its terminal.
  bool meets_own_of_process() const { return meets_own_of_process_; }
  bool meets_own_terminal() const { return meets_own_terminal_; }

 private:
  // What AddParents() has found out.
  enum class Parents { kThere, kPlaced, kUnknown };
  // Goes from `place` to the directory that the copy `name` is made in (--parents). If
  // one on the way is missing, adds the place where the job makes it: then that of all
  // that is below it is known, too.
  Parents AddParents(std::string_view name, bool keeps_attributes, Position* place);

  TargetFootprint& footprint_;
  bool meets_own_of_process_ = false;
  bool meets_own_terminal_ = false;
};

bool Look::Follow(std::string_view path, Position* position, std::vector<PathSteps>* last,
                  bool follows_last) {
  // The names still to follow, in reverse order.
  std::vector<std::string> names = Names(path);
  std::reverse(names.begin(), names.end());
  // Whether the last name still to follow is the path's own (or that of a link in its
  // place): no slash follows it.
  bool ends_with_name = !path.ends_with('/');
  std::string text;
  for (int links = 0; !names.empty();) {
    const std::string name = std::move(names.back());
    names.pop_back();
    switch (position->Go(name, &text)) {
      case Position::Outcome::kThere:
        if (position->is_own_terminal()) meets_own_terminal_ = true;
        break;
      case Position::Outcome::kNowhere:
        return true;
      case Position::Outcome::kUnknown:
        return false;  // errno says why.
      case Position::Outcome::kLink: {
        if (!follows_last && names.empty() && ends_with_name) return true;
        if (position->is_in_proc()) {
          const bool is_own = name == "self" || name == "thread-self";
          if (is_own) meets_own_of_process_ = true;
          // Other links of procfs may not lead where their text says (/proc/PID/root).
          if (!is_own) footprint_ = TargetFootprint::Everywhere();
        }
        PathSteps steps = position->StepsTo(name);
        if (names.empty() && ends_with_name) {
          last->push_back(std::move(steps));
          ends_with_name = !text.ends_with('/');
        } else {
          footprint_.AddWay(steps);
        }
        // The job will fail with the kernel's error.
        if (++links > kLinksMax) return true;
        if (text.starts_with('/')) {
          std::optional<Position> root = Position::Root();
          if (!root.has_value()) return false;
          *position = *std::move(root);
        }
        std::vector<std::string> more = Names(text);
        names.insert(names.end(), std::make_move_iterator(more.rbegin()),
                     std::make_move_iterator(more.rend()));
      }
    }
  }
  return true;
}

Look::Parents Look::AddParents(std::string_view name, bool keeps_attributes,
                               Position* place) {
  std::vector<std::string> names = Names(name);
  names.pop_back();
  std::optional<PathSteps> first;
  for (const std::string& parent : names) {
    std::vector<PathSteps> links;
    // Because of the slash, links are followed as ways.
    if (!Follow(parent + "/", place, &links)) return Parents::kUnknown;
    if (!first.has_value()) first = place->steps();
    if (place->exists()) continue;
    // All parents get attributes then, not only those that are made.
    if (keeps_attributes) footprint_.AddPlace(*first);
    footprint_.AddPlace(place->steps());
    return Parents::kPlaced;
  }
  footprint_.AddWay(place->steps());
  return Parents::kThere;
}

bool Look::AddNames(const CopyRequest& request, const Position& directory) {
  footprint_.AddWay(directory.steps());
  for (const std::string& source : request.sources) {
    std::string name = NameInTarget(source, request.options.parents);
    const std::vector<std::string> names = Names(name);
    if (std::count(names.begin(), names.end(), "..") > 0) {
      // A directory that is made on the way changes where ".." leads to.
      footprint_ = TargetFootprint::Everywhere();
      return true;
    }
    Position place = directory;
    if (const size_t slash = name.rfind('/'); slash != std::string::npos) {
      const Parents parents =
          AddParents(name, request.options.preserve.any_attribute(), &place);
      if (parents == Parents::kUnknown) return false;
      if (parents == Parents::kPlaced) continue;
      name.erase(0, slash + 1);
    }
    const size_t known = place.steps().size();
    if (name == ".") {
      footprint_.AddPlace(place.steps());
      continue;
    }
    std::vector<PathSteps> links;
    if (!Follow(name, &place, &links)) return false;
    // If the name is a link, the link's own place counts, too, because the job may
    // replace it.
    for (const PathSteps& link : links) footprint_.AddPlace(link);
    footprint_.AddPlace(place.steps(), links.empty() ? known : 0);
  }
  return true;
}

}  // namespace

absl::StatusOr<bool> LeadsToOwnOfProcess(const std::string& path, bool follows_last,
                                         bool is_opened) {
  RINGCP_CHECK(path.starts_with('/'));
  std::optional<Position> position = Position::Root();
  TargetFootprint footprint;
  Look look(&footprint);
  std::vector<PathSteps> links;
  if (!position.has_value() || !look.Follow(path, &*position, &links, follows_last)) {
    return absl::UnavailableError(absl::StrCat("cannot find out where ", Quote(path),
                                               " leads: ", std::strerror(errno)));
  }
  return look.meets_own_of_process() || (is_opened && look.meets_own_terminal());
}

absl::StatusOr<std::string> PathToOwnOfProcess(const CopyRequest& request) {
  const CopyOptions& options = request.options;
  const bool follows = FollowsNamedLinks(options);
  struct stat stat;
  const bool into_directory = options.target_kind != TargetKind::kNotDirectory &&
                              ::stat(request.target.c_str(), &stat) == 0 &&
                              S_ISDIR(stat.st_mode);
  for (const std::string& source : request.sources) {
    // With -r a device is copied as a device, and not read.
    const absl::StatusOr<bool> reads =
        LeadsToOwnOfProcess(source, follows, /*is_opened=*/!options.recursive);
    if (!reads.ok()) return reads.status();
    if (*reads) return source;
    // A link that is copied as a link replaces the target and is not written through it.
    const bool is_copied_as_link =
        !follows && lstat(source.c_str(), &stat) == 0 && S_ISLNK(stat.st_mode);
    std::string target = request.target;
    if (into_directory) target += "/" + NameInTarget(source, options.parents);
    const absl::StatusOr<bool> writes =
        LeadsToOwnOfProcess(target, !is_copied_as_link, /*is_opened=*/true);
    if (!writes.ok()) return writes.status();
    if (*writes) return target;
  }
  return "";
}

TargetFootprint LookAtTarget(const CopyRequest& request) {
  const std::string& target = request.target;
  RINGCP_CHECK(target.starts_with('/'));
  TargetFootprint footprint;
  // Like the kernel, the job refuses such a path, and writes nothing.
  if (target.size() >= PATH_MAX) return footprint;
  std::optional<Position> position = Position::Root();
  if (!position.has_value()) return TargetFootprint::Everywhere();
  Look look(&footprint);
  std::vector<PathSteps> links;
  if (!look.Follow(target, &*position, &links)) return TargetFootprint::Everywhere();
  if (position->is_directory() &&
      request.options.target_kind != TargetKind::kNotDirectory) {
    for (const PathSteps& link : links) footprint.AddWay(link);
    if (!look.AddNames(request, *position)) return TargetFootprint::Everywhere();
    return footprint;
  }
  for (const PathSteps& link : links) footprint.AddPlace(link);
  footprint.AddPlace(position->steps());
  return footprint;
}

}  // namespace ringcp
