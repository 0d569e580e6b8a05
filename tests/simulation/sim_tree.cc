#include "tests/simulation/sim_tree.h"

#include <sys/stat.h>

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "tests/file_tree.h"
#include "tests/simulation/sim_file.h"

namespace ringcp {
namespace {

constexpr uint64_t kShownMax = 64;  // Bytes of contents.

std::string ContentsOf(const SparseBytes& contents) {
  if (contents.size() <= kShownMax) {
    return absl::StrCat("\"", absl::CHexEscape(contents.ToString()), "\"");
  }
  uint64_t digest = 14695981039346656037u;  // FNV-1a.
  for (const char byte : contents.ToString()) {
    digest = (digest ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  }
  return absl::StrFormat("%016x", digest);
}

class Lister {
 public:
  Lister(const SimFileSystem& files, const SimTreeOptions& options)
      : files_(files), options_(options) {}

  void List(const InodePtr& inode, const std::string& name) {
    std::string line =
        absl::StrFormat("%s %c%04o", name, KindLetter(inode->mode), inode->mode & 07777);
    if (options_.owners) absl::StrAppend(&line, " ", inode->user, ":", inode->group);
    if (options_.times) {
      absl::StrAppendFormat(&line, " %d.%09d", inode->modification.tv_sec,
                            inode->modification.tv_nsec);
    }
    if (options_.blocks) absl::StrAppend(&line, " pages=", inode->contents.pages());
    for (const auto& [key, value] : inode->xattrs) {
      absl::StrAppend(&line, " ", key, "=", absl::CHexEscape(value));
    }
    if (inode->is_link()) absl::StrAppend(&line, " -> ", inode->text);
    if (inode->device != 0) absl::StrAppend(&line, " device=", inode->device);
    const auto [first, is_first] = names_.emplace(inode->number, name);
    if (!is_first) absl::StrAppend(&line, " = ", first->second);
    if (is_first && inode->is_regular()) {
      absl::StrAppend(&line, " ", inode->contents.size(), " ",
                      ContentsOf(inode->contents));
    }
    lines_.push_back(line);
    if (!inode->is_directory()) return;
    for (const auto& [below, entry] : inode->entries) {
      List(files_.Lookup(inode, below), absl::StrCat(name, "/", below));
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const SimFileSystem& files_;
  const SimTreeOptions options_;
  std::map<uint64_t, std::string> names_;  // The first name of each inode.
  std::vector<std::string> lines_;
};

InodePtr Made(const SimFileSystem& files, std::string_view path, int32_t result) {
  RINGCP_CHECK(result == 0);
  return FindSim(files, path);
}

}  // namespace

InodePtr FindSim(const SimFileSystem& files, std::string_view path) {
  InodePtr found;
  return files.Find(files.root(), path, /*follow=*/false, &found) == 0 ? found : nullptr;
}

InodePtr MakeSimDirectory(SimFileSystem* files, std::string_view path, mode_t mode) {
  InodePtr made = Made(*files, path, files->MakeDirectory(files->root(), path, mode));
  made->mode = S_IFDIR | mode;
  return made;
}

InodePtr MakeSimNode(SimFileSystem* files, std::string_view path, mode_t mode,
                     dev_t device) {
  InodePtr made = Made(*files, path, files->MakeNode(files->root(), path, mode, device));
  made->mode = mode;
  return made;
}

InodePtr MakeSimFile(SimFileSystem* files, std::string_view path,
                     std::string_view contents, mode_t mode) {
  InodePtr made = MakeSimNode(files, path, S_IFREG | mode);
  const uint64_t stored = made->contents.Write(0, contents, made->mount->pages_free());
  RINGCP_CHECK(stored == contents.size());
  made->mount->pages += made->contents.pages();
  return made;
}

InodePtr MakeSimSparseFile(SimFileSystem* files, std::string_view path, uint64_t size,
                           std::string_view data) {
  InodePtr made = MakeSimFile(files, path, "");
  made->contents.SetSize(size);
  if (!data.empty()) {
    RINGCP_CHECK(data.size() <= size);
    made->contents.Write(size - data.size(), data, made->mount->pages_free());
    made->mount->pages += made->contents.pages();
  }
  return made;
}

InodePtr MakeSimLink(SimFileSystem* files, std::string_view path, std::string_view text) {
  return Made(*files, path, files->MakeSymlink(text, files->root(), path));
}

InodePtr MakeSimHardLink(SimFileSystem* files, std::string_view existing,
                         std::string_view path) {
  return Made(*files, path,
              files->MakeLink(files->root(), existing, files->root(), path,
                              /*follow=*/false));
}

std::vector<std::string> ListSimTree(const SimFileSystem& files, std::string_view path,
                                     const SimTreeOptions& options) {
  const InodePtr top = FindSim(files, path);
  if (top == nullptr) return {};
  Lister lister(files, options);
  lister.List(top, ".");
  return lister.lines();
}

}  // namespace ringcp
