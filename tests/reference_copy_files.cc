#include "tests/reference_copy_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/copy_options.h"
#include "tests/file_tree.h"

namespace ringcp {
namespace {

std::string NameOf(int index) { return index == 0 ? "a" : "b"; }

// Every call must succeed: without its files a comparison means nothing.

void Make(const std::string& path, std::string_view contents, mode_t mode, uid_t owner) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  RINGCP_CHECK(file != -1);
  RINGCP_CHECK(write(file, contents.data(), contents.size()) ==
               static_cast<ssize_t>(contents.size()));
  RINGCP_CHECK(fchown(file, owner, owner) == 0 && fchmod(file, mode) == 0);
  close(file);
}
void MakeDirectory(const std::string& path, mode_t mode) {
  RINGCP_CHECK(mkdir(path.c_str(), 0700) == 0 && chmod(path.c_str(), mode) == 0);
}
void MakeLink(const std::string& text, const std::string& path) {
  RINGCP_CHECK(symlink(text.c_str(), path.c_str()) == 0);
}
void MakeHardLink(const std::string& file, const std::string& path) {
  RINGCP_CHECK(link(file.c_str(), path.c_str()) == 0);
}
void MakeNode(const std::string& path, mode_t type_and_mode) {
  RINGCP_CHECK(mknod(path.c_str(), type_and_mode, 0) == 0);
  RINGCP_CHECK(chmod(path.c_str(), type_and_mode & 07777) == 0);
}

// Gives all in `directory`, and then the directory, a time of its own in the past.
void Age(const std::string& directory, time_t* seconds) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.symlink_status().type() == std::filesystem::file_type::directory) {
      Age(entry.path(), seconds);
      continue;
    }
    const timespec time = {++*seconds, 123456789};
    const std::array<timespec, 2> times = {time, time};
    RINGCP_CHECK(utimensat(AT_FDCWD, entry.path().c_str(), times.data(),
                           AT_SYMLINK_NOFOLLOW) == 0);
  }
  const timespec time = {++*seconds, 987654321};
  const std::array<timespec, 2> times = {time, time};
  RINGCP_CHECK(utimensat(AT_FDCWD, directory.c_str(), times.data(), 0) == 0);
}

}  // namespace

FilesOfCase::FilesOfCase(const CopyCase& copy_case) : case_(copy_case) {
  MakeDirectory("s", 0751);
  MakeDirectory("o", 0755);
  for (int i = 0; i < 2; ++i) MakeSource(i);
  if (case_.layout != Layout::kTreeToNew) {
    MakeDirectory("t", 0775);
    for (int i = 0; i < 2; ++i) {
      MakeTarget(i);
      const std::string path = "t/" + NameOf(i);
      struct stat target = {};
      if (lstat(path.c_str(), &target) != 0 || !S_ISFIFO(target.st_mode)) continue;
      pipes_[i] = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
      RINGCP_CHECK(pipes_[i] != -1);
    }
  }
  time_t seconds = 1'000'000'000;
  for (const char* const directory : {"t", "s", "o"}) {
    if (std::filesystem::exists(directory)) Age(directory, &seconds);
  }
  // Every other kind of target is newer than all sources.
  for (int i = 0; i < 2; ++i) {
    if (static_cast<int>(case_.targets[i]) % 2 == 0) continue;
    const timespec time = {++seconds, 123456789};
    const std::array<timespec, 2> times = {time, time};
    RINGCP_CHECK(utimensat(AT_FDCWD, ("t/" + NameOf(i)).c_str(), times.data(),
                           AT_SYMLINK_NOFOLLOW) == 0);
  }
}

FilesOfCase::~FilesOfCase() {
  for (const int pipe : pipes_) {
    if (pipe != -1) close(pipe);
  }
  for (const char* name : {"s", "t", "o"}) std::filesystem::remove_all(name);
}

void FilesOfCase::MakeSource(int index) {
  const std::string name = NameOf(index);
  const std::string path = "s/" + name;
  switch (case_.sources[index]) {
    case SourceEntry::kNone:
      return;
    case SourceEntry::kEmptyFile:
      return Make(path, "", 0644, 0);
    case SourceEntry::kFile:
      return Make(path, "contents of " + name, 0666, 1);
    case SourceEntry::kFileOfOddMode:
      return Make(path, "program " + name, 04751, 12);
    case SourceEntry::kLinkToFile:
      Make("o/file-" + name, "linked " + name, 0604, 3);
      return MakeLink("../o/file-" + name, path);
    case SourceEntry::kDanglingLink:
      return MakeLink("nowhere-" + name, path);
    case SourceEntry::kLinkToDirectory:
      MakeDirectory("o/dir-" + name, 0711);
      Make("o/dir-" + name + "/f", "in directory", 0644, 0);
      return MakeLink("../o/dir-" + name, path);
    case SourceEntry::kLinkToOther:
      return MakeLink(NameOf(1 - index), path);
    case SourceEntry::kLinkToParent:
      return MakeLink(".", path);
    case SourceEntry::kEmptyDirectory:
      return MakeDirectory(path, 01777);
    case SourceEntry::kDirectory:
      MakeDirectory(path, 0750);
      return Make(path + "/f", "below " + name, 0600, 7);
    case SourceEntry::kFifo:
      return MakeNode(path, S_IFIFO | 0622);
    case SourceEntry::kSocket:
      return MakeNode(path, S_IFSOCK | 0640);
    case SourceEntry::kHardLink:
      return MakeHardLink("s/" + NameOf(1 - index), path);
  }
}

void FilesOfCase::MakeTarget(int index) {
  const std::string name = NameOf(index);
  const std::string path = "t/" + name;
  switch (case_.targets[index]) {
    case TargetEntry::kNone:
      return;
    case TargetEntry::kFile:
      return Make(path, "old", 04640, 5);
    case TargetEntry::kLongerFile:
      return Make(path, "old, and longer than what takes its place", 0400, 0);
    case TargetEntry::kFileWithOtherName:
      Make("o/other-" + name, "old, twice", 0640, 5);
      return MakeHardLink("o/other-" + name, path);
    case TargetEntry::kLinkToFile:
      Make("o/old-" + name, "old, elsewhere", 0640, 5);
      return MakeLink("../o/old-" + name, path);
    case TargetEntry::kDanglingLink:
      return MakeLink("../o/gone-" + name, path);
    case TargetEntry::kLinkToDirectory:
      MakeDirectory("o/old-dir-" + name, 0755);
      return MakeLink("../o/old-dir-" + name, path);
    case TargetEntry::kLinkToOther:
      return MakeLink(NameOf(1 - index), path);
    case TargetEntry::kLinkToSource:
      return MakeLink("../s/" + name, path);
    case TargetEntry::kEmptyDirectory:
      return MakeDirectory(path, 0700);
    case TargetEntry::kDirectory:
      MakeDirectory(path, 0700);
      Make(path + "/f", "old f", 0644, 5);
      return Make(path + "/g", "old g", 0644, 5);
    case TargetEntry::kFifo:
      return MakeNode(path, S_IFIFO | 0600);
    case TargetEntry::kSocket:
      return MakeNode(path, S_IFSOCK | 0600);
    case TargetEntry::kHardLink:
      return MakeHardLink("t/" + NameOf(1 - index), path);
    case TargetEntry::kHardLinkOfSource:
      return MakeHardLink("s/" + name, path);
  }
}

std::vector<std::string> FilesOfCase::List() const {
  // Access times come first, because reading contents changes them. They count only if
  // they are preserved, and only for a new target with one entry: the access time of a
  // file that was there before, or that has two names, may be changed by whoever looks at
  // the other name.
  const bool is_one_anew =
      !HasTwoEntries(case_) && case_.targets[0] == TargetEntry::kNone;
  const CopyRequest request = RequestOf(case_, EngineChoice::kAuto);
  std::vector<std::string> lines;
  if (request.options.preserve.timestamps && is_one_anew) {
    lines = ListFileTree("t", {.access_times = true, .contents = false});
  }
  for (std::string& line : ListFileTree(".")) lines.push_back(std::move(line));
  for (const int pipe : pipes_) {
    std::array<char, 1024> buffer;
    const ssize_t size = pipe == -1 ? 0 : read(pipe, buffer.data(), buffer.size());
    if (size > 0) {
      lines.push_back(absl::StrCat("pipe was sent: ", std::string(buffer.data(), size)));
    }
  }
  return lines;
}

}  // namespace ringcp
