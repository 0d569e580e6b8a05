#include "tests/random_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "core/base/check.h"
#include "core/tree/directory.h"

namespace ringcp {
namespace {

class Maker {
 public:
  Maker(std::string root, const RandomTreeOptions& options)
      : root_(std::move(root)), options_(options), random_(options.seed) {}

  std::set<std::string> Make() {
    while (static_cast<int>(directories_.size()) <= options_.directories) {
      const std::string path = NewPath();
      RINGCP_CHECK(mkdir(Full(path).c_str(), 0700) == 0);
      directories_.push_back(path);
    }
    while (static_cast<int>(files_.size()) < options_.files) MakeFile();
    for (int i = 0; i < options_.hard_links; ++i) {
      const std::string& existing = files_[Random(files_.size())];
      RINGCP_CHECK(link(Full(existing).c_str(), Full(NewPath()).c_str()) == 0);
    }
    for (int i = 0; i < options_.symlinks; ++i) {
      const std::string text = "../" + std::string(1 + Random(300), 'l');
      RINGCP_CHECK(symlink(text.c_str(), Full(NewPath()).c_str()) == 0);
    }
    for (int i = 0; i < options_.fifos; ++i) {
      RINGCP_CHECK(mkfifo(Full(NewPath()).c_str(), 0600 + Random(0100)) == 0);
    }
    for (const std::string& path : paths_) SetTimes(path);
    for (const std::string& path : directories_) {
      if (!path.empty()) chmod(Full(path).c_str(), 0700 + Random(0100));
    }
    return paths_;
  }

 private:
  uint32_t Random(size_t below) { return random_() % static_cast<uint32_t>(below); }
  std::string Full(const std::string& path) const { return root_ + "/" + path; }

  // An unused path, in a random directory whose own path is not too long.
  std::string NewPath() {
    for (;;) {
      std::string path = directories_[Random(directories_.size())];
      if (path.size() > 2000) continue;
      if (!path.empty()) path.push_back('/');
      const size_t length = Random(20) == 0 ? 255 : 1 + Random(12);
      for (size_t i = 0; i < length; ++i) {
        const char byte = static_cast<char>(1 + Random(255));
        path.push_back(byte == '/' || byte == '.' ? '_' : byte);
      }
      if (paths_.insert(path).second) return path;
    }
  }

  void MakeFile() {
    const std::string path = NewPath();
    std::string contents(Random(options_.file_size_max + 1), '\0');
    for (char& byte : contents) byte = static_cast<char>(random_());
    std::ofstream file(Full(path), std::ios::binary);
    file << contents;
    file.close();
    RINGCP_CHECK(file.good());
    chmod(Full(path).c_str(), 0400 + Random(0400));
    files_.push_back(path);
  }

  void SetTimes(const std::string& path) {
    const timespec times[] = {
        {.tv_sec = 1'000'000 + Random(1'000'000), .tv_nsec = Random(1000)},
        {.tv_sec = 2'000'000 + Random(1'000'000), .tv_nsec = Random(1000)}};
    utimensat(AT_FDCWD, Full(path).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  const std::string root_;
  const RandomTreeOptions options_;
  std::mt19937 random_;
  std::vector<std::string> directories_ = {""};
  std::vector<std::string> files_;
  std::set<std::string> paths_;
};

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

}  // namespace

std::set<std::string> MakeRandomTree(const std::string& root,
                                     const RandomTreeOptions& options) {
  return Maker(root, options).Make();
}

void MakeDeepTree(const std::string& root, const std::string& name, int depth) {
  int at = open(root.c_str(), kDirectory);
  for (int i = 0; i < depth; ++i) {
    RINGCP_CHECK(mkdirat(at, name.c_str(), 0755) == 0);
    const int below = openat(at, name.c_str(), kDirectory);
    close(at);
    at = below;
  }
  const int file = openat(at, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  RINGCP_CHECK(file >= 0 && write(file, "deep", 4) == 4);
  close(file);
  close(at);
}

int DepthOfTree(const std::string& root, const std::string& name, bool* has_bottom) {
  int depth = 0;
  int at = open(root.c_str(), kDirectory);
  for (int below = 0; (below = openat(at, name.c_str(), kDirectory)) >= 0; ++depth) {
    close(at);
    at = below;
  }
  *has_bottom = faccessat(at, "bottom", F_OK, 0) == 0;
  close(at);
  return depth;
}

void RemoveDeepTree(const std::string& root, const std::string& name) {
  // Moves the second directory into the place of the first until there is no second one,
  // so that no path gets long and never more than one level is open.
  const std::string first = root + "/" + name;
  const std::string second = JoinPath(first, name);
  const std::string saved = root + "/saved";
  for (;;) {
    unlink((first + "/bottom").c_str());
    const bool has_second = rename(second.c_str(), saved.c_str()) == 0;
    RINGCP_CHECK(rmdir(first.c_str()) == 0);
    if (!has_second) return;
    RINGCP_CHECK(rename(saved.c_str(), first.c_str()) == 0);
  }
}

}  // namespace ringcp
