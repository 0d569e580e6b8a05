#include "tests/file_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ringcp {
namespace {

constexpr time_t kDay = 24 * 60 * 60;

// The file's bytes if there are few, otherwise a digest of them.
std::string Contents(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file == -1) return "unreadable";
  std::string text;
  std::array<char, 65536> buffer;
  // FNV-1a is enough: nobody tries to deceive a test.
  uint64_t digest = 14695981039346656037u;
  ssize_t got = 0;
  uint64_t size = 0;
  while ((got = read(file, buffer.data(), buffer.size())) > 0) {
    for (const char byte : std::string_view(buffer.data(), static_cast<size_t>(got))) {
      digest = (digest ^ static_cast<unsigned char>(byte)) * 1099511628211u;
    }
    size += static_cast<uint64_t>(got);
    if (size <= 40) text.append(buffer.data(), static_cast<size_t>(got));
  }
  close(file);
  return size <= 40 ? absl::StrCat("'", text, "'") : absl::StrFormat("%016x", digest);
}

std::string LinkTarget(const std::string& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).string();
}

// " {name=value}" for each extended attribute, ACLs among them, with values in
// hexadecimal digits.
std::string Xattrs(const std::string& path) {
  std::string names(65536, '\0');
  const ssize_t size = llistxattr(path.c_str(), names.data(), names.size());
  names.resize(size > 0 ? size : 0);
  std::set<std::string> texts;
  for (const absl::string_view name : absl::StrSplit(names, '\0', absl::SkipEmpty())) {
    std::string value(65536, '\0');
    const std::string named(name);
    const ssize_t length =
        lgetxattr(path.c_str(), named.c_str(), value.data(), value.size());
    value.resize(length > 0 ? length : 0);
    texts.insert(absl::StrCat(" {", named, "=", absl::BytesToHexString(value), "}"));
  }
  return absl::StrJoin(texts, "");
}

std::string TimeText(const timespec& time, const FileTreeOptions& options) {
  if (options.recent_as_now && time.tv_sec > ::time(nullptr) - kDay) return "now";
  return absl::StrFormat("%d.%09d", time.tv_sec, time.tv_nsec);
}

class Lister {
 public:
  Lister(std::string root, const FileTreeOptions& options)
      : root_(std::move(root)), options_(options) {}

  std::vector<std::string> List() {
    Add("");
    return std::move(lines_);
  }

 private:
  void Add(const std::string& name) {
    const std::string path = root_ + name;
    struct stat status = {};
    if (lstat(path.c_str(), &status) != 0) {
      lines_.push_back(absl::StrCat(name, " errno ", errno));
      return;
    }
    std::string line =
        absl::StrFormat("%s %c%04o %d:%d links=%d mtime=%s", name.empty() ? "." : name,
                        KindLetter(status.st_mode), status.st_mode & 07777, status.st_uid,
                        status.st_gid, S_ISDIR(status.st_mode) ? 0 : status.st_nlink,
                        TimeText(status.st_mtim, options_));
    if (options_.access_times) {
      absl::StrAppend(&line, " atime=", TimeText(status.st_atim, options_));
    }
    if (S_ISREG(status.st_mode)) {
      absl::StrAppend(&line, " size=", status.st_size);
      if (options_.contents) absl::StrAppend(&line, " ", Contents(path));
    }
    if (S_ISLNK(status.st_mode)) absl::StrAppend(&line, " -> ", LinkTarget(path));
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
      absl::StrAppend(&line, " device=", status.st_rdev);
    }
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [first, is_new] =
          first_names_.try_emplace({status.st_dev, status.st_ino}, name);
      if (!is_new) absl::StrAppend(&line, " same as ", first->second);
    }
    line += Xattrs(path);
    lines_.push_back(std::move(line));
    if (S_ISDIR(status.st_mode)) AddEntries(name);
  }

  void AddEntries(const std::string& name) {
    std::set<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(root_ + name, error), end;
         !error && entry != end; entry.increment(error)) {
      names.insert(entry->path().filename());
    }
    for (const std::string& entry : names) Add(absl::StrCat(name, "/", entry));
  }

  const std::string root_;
  const FileTreeOptions options_;
  std::vector<std::string> lines_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

char KindLetter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return '-';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    default:
      return '?';
  }
}

std::vector<std::string> ListFileTree(const std::string& root,
                                      const FileTreeOptions& options) {
  return Lister(root, options).List();
}

std::string DifferenceOfTrees(const std::vector<std::string>& expected,
                              const std::vector<std::string>& actual) {
  const std::set<std::string> expected_set(expected.begin(), expected.end());
  const std::set<std::string> actual_set(actual.begin(), actual.end());
  std::string difference;
  for (const std::string& line : expected_set) {
    if (!actual_set.contains(line)) {
      absl::StrAppend(&difference, "expected: ", line, "\n");
    }
  }
  for (const std::string& line : actual_set) {
    if (!expected_set.contains(line)) {
      absl::StrAppend(&difference, "actual:   ", line, "\n");
    }
  }
  return difference;
}

}  // namespace ringcp
