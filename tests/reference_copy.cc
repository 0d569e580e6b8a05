#include "tests/reference_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ringcp {
namespace {

// Identifies a file, whatever name it has.
using FileId = std::pair<dev_t, ino_t>;
FileId IdOf(const struct stat& file) { return {file.st_dev, file.st_ino}; }

int Look(const std::string& path, bool follows, struct stat* file) {
  return follows ? stat(path.c_str(), file) : lstat(path.c_str(), file);
}

// Quoted as in messages. Tests use no names that would need more.
std::string Q(const std::string& path) { return absl::StrCat("'", path, "'"); }

bool IsBefore(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

// What there is to copy.
struct Source {
  std::string path;
  bool follows = false;  // If it is a link: whether its target is copied.
  struct stat file = {};
  // True: its contents are copied. False: a file of its type is made. Only contents are
  // written through a symbolic link in the target.
  bool has_contents = false;
  bool is_linked_to = false;  // True: a link to it is made (-l, -s).
  int contents = -1;          // An open descriptor if has_contents.
};

// What is there under the copy's name beforehand.
struct Target {
  std::string path;
  bool exists = false;
  int error_number = 0;  // The errno of looking at it, if it does not exist.
  struct stat file = {};
};

class ReferenceCopier {
 public:
  ReferenceCopier(const CopyOptions& options, EntryOrder order)
      : options_(options), order_(order) {}

  // Copies `path`, which the user named or a directory listed, to `target_path`. `above`
  // are the directories on the way to it.
  void Copy(const std::string& path, const std::string& target_path, bool is_named,
            const std::vector<FileId>& above) {
    Source source = {.path = path, .follows = Follows(is_named)};
    if (Look(path, source.follows, &source.file) != 0) {
      CallFailed("cannot stat " + Q(path));
      return;
    }
    const mode_t mode = source.file.st_mode;
    if (S_ISDIR(mode) && !options_.recursive) {
      Failed("-r not specified; omitting directory " + Q(path));
      return;
    }
    source.is_linked_to = options_.makes != Makes::kCopies && !S_ISDIR(mode);
    source.has_contents =
        !source.is_linked_to &&
        (S_ISREG(mode) || (!options_.recursive && !S_ISDIR(mode) && !S_ISLNK(mode)));
    Target target = {.path = target_path};
    const bool goes_where_links_lead =
        source.has_contents && !options_.remove_destination && !backs_up();
    target.exists = Look(target_path, goes_where_links_lead, &target.file) == 0;
    target.error_number = target.exists ? 0 : errno;
    if (target.exists && KeepsExisting(options_.update) && !S_ISDIR(mode)) return;
    if (target.exists && IsNotOlder(source, target)) {
      Keep(source, target);
      return;
    }
    if (source.has_contents) {
      // Unlike GNU cp, before touching the target: if the source can't be read, the
      // target is left alone.
      source.contents = open(path.c_str(), O_RDONLY | (source.follows ? 0 : O_NOFOLLOW));
      if (source.contents == -1) {
        CallFailed("cannot open " + Q(path) + " for reading");
        return;
      }
    }
    if (MayCopy(source, target, above)) CopyOnto(source, target, above);
    if (source.contents != -1) close(source.contents);
  }

  std::string Messages() {
    std::sort(messages_.begin(), messages_.end());
    return absl::StrJoin(messages_, "\n");
  }

 private:
  bool backs_up() const { return options_.backup != Backup::kNone; }
  bool makes_hard_links() const { return options_.makes == Makes::kHardLinks; }

  bool Follows(bool is_named) const {
    switch (options_.dereference) {
      case Dereference::kDefault:
        return !options_.recursive || makes_hard_links();
      case Dereference::kNever:
        return false;
      case Dereference::kCommandLine:
        return is_named;
      case Dereference::kAlways:
        return true;
    }
    return false;
  }

  // Whether the copy may replace what is there. If not, the reason becomes a message.
  bool MayCopy(const Source& source, const Target& target,
               const std::vector<FileId>& above) {
    const bool is_directory = S_ISDIR(source.file.st_mode);
    if (std::find(above.begin(), above.end(), IdOf(source.file)) != above.end()) {
      return Failed("cannot copy cyclic symbolic link " + Q(source.path));
    }
    if (!target.exists) {
      errno = target.error_number;
      return errno == ENOENT || (errno == ELOOP && options_.force) ||
             CallFailed("cannot stat " + Q(target.path));
    }
    if (IsDone(source, target)) return false;
    if (!KeepsExisting(options_.update) && AreSame(source, target)) {
      return Failed(Q(source.path) + " and " + Q(target.path) + " are the same file");
    }
    if (is_directory && !S_ISDIR(target.file.st_mode) && !backs_up()) {
      return Failed("cannot overwrite non-directory " + Q(target.path) +
                    " with directory " + Q(source.path));
    }
    return is_directory || !S_ISDIR(target.file.st_mode) ||
           Failed("cannot overwrite directory " + Q(target.path) + " with non-directory");
  }

  // Whether the target is the link that is to be made.
  bool IsDone(const Source& source, const Target& target) const {
    const FileId there = IdOf(target.file);
    if (source.is_linked_to && (makes_hard_links() || !S_ISLNK(source.file.st_mode))) {
      struct stat file = {};
      return makes_hard_links() &&
             (IdOf(source.file) == there ||
              (Look(source.path, true, &file) == 0 && IdOf(file) == there));
    }
    return S_ISLNK(source.file.st_mode) && IdOf(source.file) == there && !backs_up();
  }

  // Whether the target is another file than the source, and stays because of -u.
  bool IsNotOlder(const Source& source, const Target& target) const {
    return options_.update == Update::kOlder && !S_ISDIR(source.file.st_mode) &&
           !IsBefore(target.file.st_mtim, source.file.st_mtim) &&
           !IsDone(source, target) && !AreSame(source, target);
  }

  // A target that is kept counts as the copy of its source's further names.
  void Keep(const Source& source, const Target& target) {
    if (!MayBeMetAgain(source)) return;
    const auto [copy, is_first] = copies_.emplace(IdOf(source.file), target.path);
    if (is_first) return;
    if (S_ISDIR(target.file.st_mode)) {
      Failed("cannot overwrite directory " + Q(target.path) + " with non-directory");
      return;
    }
    MakeWay(target);
    MakeHardLink(copy->second, target.path, source.follows);
  }

  // A symbolic link that is copied as a link is not the file it leads to. They count as
  // the same if the copy would replace that file, or if the link would be all that is
  // left of it.
  bool AreSame(const Source& source, const Target& target) const {
    const bool is_link_there = S_ISLNK(target.file.st_mode);
    const bool is_by_name = source.is_linked_to || S_ISLNK(source.file.st_mode);
    if (is_by_name && (is_link_there || makes_hard_links())) return false;
    // The file that a symbolic link leads to stays, as a backup.
    if (is_by_name && backs_up() && !source.follows) return false;
    if (options_.remove_destination || backs_up()) {
      // The target's name is removed. It is the source only if the source is a symbolic
      // link that leads to it.
      struct stat name = {};
      const bool is_link = Look(source.path, false, &name) == 0 && S_ISLNK(name.st_mode);
      if (!is_link || is_link_there) return false;
    }
    struct stat from = source.file;
    struct stat to = target.file;
    if (!source.follows && stat(source.path.c_str(), &from) != 0) return false;
    if (!source.follows && stat(target.path.c_str(), &to) != 0) return false;
    return IdOf(from) == IdOf(to);
  }

  void CopyOnto(const Source& source, const Target& target,
                const std::vector<FileId>& above) {
    const struct stat& from = source.file;
    if (S_ISDIR(from.st_mode)) {
      const bool makes_way = target.exists && !S_ISDIR(target.file.st_mode);
      if (makes_way) MakeWay(target);
      CopyDirectory(source, makes_way ? Target{.path = target.path} : target, above);
      return;
    }
    // With --preserve=links a file that has other names keeps its contents, so only its
    // name is removed. Nor can a symbolic link or pipe be made while the name exists.
    const bool loses_a_name = options_.preserve.links && target.file.st_nlink > 1;
    const bool is_in_the_way = !source.follows && !S_ISREG(from.st_mode);
    const bool is_replaced = !options_.attributes_only && (loses_a_name || is_in_the_way);
    if (target.exists && (is_replaced || options_.remove_destination || backs_up())) {
      MakeWay(target);
    }
    const bool may_be_met_again = MayBeMetAgain(source);
    const auto copy = copies_.find(IdOf(from));
    if (may_be_met_again && copy != copies_.end()) {
      MakeHardLink(copy->second, target.path, source.follows);
    } else if (source.is_linked_to   ? MakeLinkTo(source, target.path)
               : source.has_contents ? CopyContents(source.contents, from, target.path)
                                     : MakeNode(source.path, from, target.path)) {
      if (may_be_met_again) copies_[IdOf(from)] = target.path;
    }
  }

  bool MayBeMetAgain(const Source& source) const {
    return options_.preserve.links && !makes_hard_links() &&
           (source.file.st_nlink > 1 || source.follows);
  }

  // Nothing that follows can fail, so no backup needs its name back.
  void MakeWay(const Target& target) {
    if (!backs_up()) {
      unlink(target.path.c_str());
      return;
    }
    const bool is_numbered = options_.backup == Backup::kNumbered;
    const std::string backup =
        target.path + (is_numbered ? ".~1~" : options_.backup_suffix);
    rename(target.path.c_str(), backup.c_str());
  }

  void CopyDirectory(const Source& source, const Target& target,
                     std::vector<FileId> above) {
    if (!target.exists && mkdir(target.path.c_str(), source.file.st_mode & 07777) != 0) {
      CallFailed("cannot create directory " + Q(target.path));
      return;
    }
    above.push_back(IdOf(source.file));
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(source.path)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    if (order_ == EntryOrder::kBackwards) std::reverse(names.begin(), names.end());
    for (const std::string& name : names) {
      Copy(absl::StrCat(source.path, "/", name), absl::StrCat(target.path, "/", name),
           false, above);
    }
    KeepAttributes(source.file, target.path, !target.exists);
  }

  // Returns whether there is now a copy that further names can be linked to. So does
  // MakeNode().
  bool CopyContents(int contents, const struct stat& from, const std::string& target) {
    const bool has_none = options_.attributes_only;
    int file = open(target.c_str(), O_WRONLY | (has_none ? 0 : O_TRUNC));
    if (file == -1 && errno != ENOENT && options_.force) {
      unlink(target.c_str());
      errno = ENOENT;
    }
    const bool is_new = file == -1 && errno == ENOENT;
    const mode_t mode = from.st_mode & 0777;
    if (is_new) file = open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode);
    if (is_new && file == -1 && errno == EEXIST) {
      if (!options_.writes_through_dangling_links) {
        return Failed("not writing through dangling symlink " + Q(target));
      }
      file = open(target.c_str(), O_WRONLY | O_CREAT, mode);
    }
    if (file == -1) return CallFailed("cannot create regular file " + Q(target));
    std::array<char, 1024> buffer;
    ssize_t size = 0;
    bool is_whole = true;
    while (!has_none && is_whole &&
           (size = read(contents, buffer.data(), buffer.size())) > 0) {
      is_whole = write(file, buffer.data(), size) == size;
    }
    struct stat written = {};
    is_whole = is_whole && size == 0 && fstat(file, &written) == 0;
    close(file);
    if (!is_whole) return CallFailed("error copying to " + Q(target));
    // Unlike with GNU cp, a pipe or device that was written to keeps its attributes and
    // is not linked to other names: nobody wants /dev/null to get a file's mode.
    return S_ISREG(written.st_mode) && KeepAttributes(from, target, is_new);
  }

  // Makes a symbolic link, pipe, socket or device like the one at `source`.
  bool MakeNode(const std::string& source, const struct stat& from,
                const std::string& target) {
    if (S_ISLNK(from.st_mode)) {
      std::array<char, PATH_MAX> text = {};
      if (readlink(source.c_str(), text.data(), text.size() - 1) == -1) {
        return CallFailed("cannot read symbolic link " + Q(source));
      }
      if (!MakeSymlink(text.data(), target)) {
        return CallFailed("cannot create symbolic link " + Q(target));
      }
    } else if (mknod(target.c_str(), from.st_mode, from.st_rdev) != 0) {
      return CallFailed(absl::StrCat("cannot create ",
                                     S_ISFIFO(from.st_mode) ? "fifo " : "special file ",
                                     Q(target)));
    }
    return KeepAttributes(from, target, /*is_new=*/true);
  }

  bool MakeSymlink(const char* text, const std::string& target) {
    if (symlink(text, target.c_str()) == 0) return true;
    if (errno != EEXIST || !options_.force) return false;
    unlink(target.c_str());
    return symlink(text, target.c_str()) == 0;
  }

  // Makes a link to the source itself.
  bool MakeLinkTo(const Source& source, const std::string& target) {
    if (!makes_hard_links()) {
      struct stat link = source.file;
      link.st_mode = S_IFLNK;
      link.st_uid = geteuid();  // GNU cp leaves it to who made it.
      link.st_gid = getegid();
      return MakeSymlink(source.path.c_str(), target)
                 ? KeepAttributes(link, target, /*is_new=*/true)
                 : CallFailed("cannot create symbolic link " + Q(target) + " to " +
                              Q(source.path));
    }
    struct stat there = {};
    if (Look(target, false, &there) == 0 && !options_.force) {
      errno = EEXIST;
      return CallFailed("cannot create hard link " + Q(target) + " to " + Q(source.path));
    }
    MakeHardLink(source.path, target, source.follows);
    return true;
  }

  void MakeHardLink(const std::string& copy, const std::string& target, bool follows) {
    // The target may be a name of the file that the link is made of.
    const std::string passing = target + ".new";
    const int flags = follows ? AT_SYMLINK_FOLLOW : 0;
    if (linkat(AT_FDCWD, copy.c_str(), AT_FDCWD, passing.c_str(), flags) == 0 &&
        rename(passing.c_str(), target.c_str()) == 0) {
      unlink(passing.c_str());  // Still there if both were names of one file.
      return;
    }
    CallFailed("cannot create hard link " + Q(target) + " to " + Q(copy));
  }

  // Sets the owner before the mode, because a change of owner clears the set-ID bits.
  bool KeepAttributes(const struct stat& from, const std::string& target, bool is_new) {
    const int flags = S_ISLNK(from.st_mode) ? AT_SYMLINK_NOFOLLOW : 0;
    const std::array<timespec, 2> times = {from.st_atim, from.st_mtim};
    if (options_.preserve.timestamps &&
        utimensat(AT_FDCWD, target.c_str(), times.data(), flags) != 0) {
      return CallFailed("preserving times for " + Q(target));
    }
    struct stat to = {};
    if (Look(target, flags == 0, &to) != 0) return CallFailed("cannot stat " + Q(target));
    const bool has_owner = to.st_uid == from.st_uid && to.st_gid == from.st_gid;
    if (options_.preserve.ownership && !has_owner &&
        fchownat(AT_FDCWD, target.c_str(), from.st_uid, from.st_gid, flags) != 0) {
      return CallFailed("failed to preserve ownership for " + Q(target));
    }
    if (S_ISLNK(from.st_mode)) return true;
    const bool takes_all = S_ISDIR(from.st_mode) || S_ISSOCK(from.st_mode);
    // The target keeps further bits that it was made with, such as the sticky bit.
    const mode_t default_mode =
        (to.st_mode & 07000) | ((takes_all ? 0777 : 0666) & ~options_.umask);
    if ((options_.preserve.mode && chmod(target.c_str(), from.st_mode & 07777) != 0) ||
        (options_.default_mode && is_new && chmod(target.c_str(), default_mode) != 0)) {
      return CallFailed("preserving permissions for " + Q(target));
    }
    return true;
  }

  bool Failed(const std::string& message) {
    messages_.push_back(message);
    return false;
  }
  bool CallFailed(const std::string& message) {
    return Failed(absl::StrCat(message, ": ", strerror(errno)));
  }

  const CopyOptions& options_;
  const EntryOrder order_;
  std::vector<std::string> messages_;
  std::map<FileId, std::string> copies_;  // Copies that may get other names.
};

}  // namespace

std::string ReferenceCopy(const CopyRequest& request, EntryOrder order) {
  ReferenceCopier copier(request.options, order);
  const bool is_name = request.options.target_kind == TargetKind::kNotDirectory;
  std::vector<std::string> sources = request.sources;
  if (order == EntryOrder::kBackwards) std::reverse(sources.begin(), sources.end());
  for (const std::string& source : sources) {
    const std::string name = std::filesystem::path(source).filename();
    copier.Copy(source,
                is_name ? request.target : absl::StrCat(request.target, "/", name), true,
                {});
  }
  return copier.Messages();
}

}  // namespace ringcp
