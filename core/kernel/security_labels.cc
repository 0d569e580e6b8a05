#include "core/kernel/security_labels.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/mutex.h"
#include "core/kernel/path_descriptor.h"

namespace ringcp {
namespace {

// What the kernel takes at most.
constexpr size_t kLabelBytesMax = 4096;

// The label that the kernel knows of this thread, which stays until another one is set.
struct ThreadLabel {
  bool is_known = false;     // The two below, and the text, are true.
  bool is_for_next = false;  // What is made next is to have it.
  bool has_label = false;    // It is not "", or may not be.
};
thread_local constinit ThreadLabel thread_label;
// The label; "" if it is not known which one it is. A thread that never has one does not
// look at it, and so never makes it.
thread_local std::string thread_label_text;

// Some thread of the process has had a label. A thread inherits that of the one that
// starts it, so any new thread may have one from then on.
std::atomic<bool> may_be_inherited = false;

ThreadLabel& LabelOfThread() {
  if (!thread_label.is_known) {
    thread_label.is_known = true;
    thread_label.has_label = may_be_inherited.load(std::memory_order_relaxed);
  }
  return thread_label;
}

// Has the kernel give `label` to whatever this thread makes.
int32_t SetLabelOfThread(const char* label) {
  const int fd = open("/proc/thread-self/attr/fscreate", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  // The NUL belongs to it. Nothing at all takes the label back.
  const size_t size = *label == '\0' ? 0 : std::strlen(label) + 1;
  const int32_t result = write(fd, label, size) < 0 ? -errno : 0;
  close(fd);
  return result;
}

// --- libselinux ---

LibraryLoader library_loader;

// What selabel_open(3) and its kin take and return, as <selinux/label.h> has it.
struct Labels;
using SecurityClass = uint16_t;
constexpr unsigned kFilesOfPolicy = 0;  // SELABEL_CTX_FILE.

struct Library {
  // NOLINTBEGIN(readability-identifier-naming): named like what they call.
  Labels* (*selabel_open)(unsigned backend, const void* options, unsigned count);
  int (*selabel_lookup_raw)(Labels* labels, char** label, const char* path, int mode);
  int (*getcon_raw)(char** label);
  void (*freecon)(char* label);
  SecurityClass (*mode_to_security_class)(mode_t mode);
  int (*security_compute_create_raw)(const char* of_process, const char* of_directory,
                                     SecurityClass of_file, char** label);
  // NOLINTEND(readability-identifier-naming)
  Labels* labels = nullptr;
  int error_number = 0;  // Why `labels` could not be opened.
};

template <typename Function>
bool Find(void* library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(library_loader.find(library, name));
  return *function != nullptr;
}

Library LoadLibrary() {
  Library library = {};
  library.error_number = ELIBACC;
  if (library_loader.open == nullptr) return library;
  void* const handle = library_loader.open("libselinux.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return library;
  if (!Find(handle, "selabel_open", &library.selabel_open) ||
      !Find(handle, "selabel_lookup_raw", &library.selabel_lookup_raw) ||
      !Find(handle, "getcon_raw", &library.getcon_raw) ||
      !Find(handle, "freecon", &library.freecon) ||
      !Find(handle, "mode_to_security_class", &library.mode_to_security_class) ||
      !Find(handle, "security_compute_create_raw",
            &library.security_compute_create_raw)) {
    return library;
  }
  errno = ENOENT;
  library.labels = library.selabel_open(kFilesOfPolicy, nullptr, 0);
  library.error_number = library.labels != nullptr ? 0 : errno;
  return library;
}

const Library& TheLibrary() {
  static const Library kLibrary = LoadLibrary();
  return kLibrary;
}

// A label that libselinux has allocated.
class OwnedLabel {
 public:
  OwnedLabel() = default;
  ~OwnedLabel() {
    if (label_ != nullptr) TheLibrary().freecon(label_);
  }
  OwnedLabel(const OwnedLabel&) = delete;
  OwnedLabel& operator=(const OwnedLabel&) = delete;

  char** room() { return &label_; }
  const char* get() const { return label_; }

 private:
  char* label_ = nullptr;
};

// --- Labels ---

// Replaces the type in `label` (user:role:type[:range]) by that of `other`. False if one
// of them has none.
bool TakeTypeOf(std::string_view other, std::string* label) {
  const auto type_of = [](std::string_view text, size_t* begin, size_t* size) {
    const size_t user = text.find(':');
    if (user == std::string_view::npos) return false;
    const size_t role = text.find(':', user + 1);
    if (role == std::string_view::npos) return false;
    *begin = role + 1;
    *size = std::min(text.find(':', role + 1), text.size()) - *begin;
    return *size > 0;
  };
  size_t from = 0;
  size_t from_size = 0;
  size_t to = 0;
  size_t to_size = 0;
  if (!type_of(other, &from, &from_size) || !type_of(*label, &to, &to_size)) return false;
  label->replace(to, to_size, other.substr(from, from_size));
  return true;
}

int32_t ReadLabel(int fd, std::string* label) {
  label->resize(kLabelBytesMax);
  const int32_t size = ReadXattr(fd, kLabelAttribute, label->data(), label->size());
  label->resize(size > 0 ? size : 0);
  while (label->ends_with('\0')) label->pop_back();
  return size < 0 ? size : 0;
}

// The path of the file of `fd`, without links.
int32_t FindPath(int fd, std::string* path) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  path->resize(PATH_MAX);
  const ssize_t size = readlink(link.c_str(), path->data(), path->size());
  if (size < 0) return -errno;
  if (size == PATH_MAX) return -ENAMETOOLONG;
  path->resize(size);
  return 0;
}

// libselinux keeps lists of what it has found, without locks of its own.
Mutex policy_mutex;

// What the policy's files say about `path`.
int32_t FindLabel(const std::string& path, mode_t mode, OwnedLabel* label) {
  const Library& library = TheLibrary();
  if (library.labels == nullptr) return -library.error_number;
  MutexLock lock(&policy_mutex);
  if (library.selabel_lookup_raw(library.labels, label->room(), path.c_str(),
                                 static_cast<int>(mode)) == 0) {
    return 0;
  }
  return errno == ENOENT ? -ENODATA : -errno;
}

// The label that the system would choose for a file made by this thread in a directory.
int32_t ComputeLabel(const std::string& of_directory, mode_t mode, OwnedLabel* label) {
  const Library& library = TheLibrary();
  OwnedLabel of_process;
  if (library.getcon_raw(of_process.room()) != 0) return -errno;
  MutexLock lock(&policy_mutex);
  const SecurityClass kind = library.mode_to_security_class(mode);
  if (kind == 0) return -EINVAL;
  return library.security_compute_create_raw(of_process.get(), of_directory.c_str(), kind,
                                             label->room()) == 0
             ? 0
             : -errno;
}

}  // namespace

void LoadLibrariesBy(const LibraryLoader& loader) { library_loader = loader; }

int32_t LoadLabelPolicy() { return -TheLibrary().error_number; }

int32_t LabelNextAs(const char* label) {
  ThreadLabel& current = LabelOfThread();
  const bool is_none = *label == '\0';
  const bool is_set =
      is_none ? !current.has_label : current.has_label && thread_label_text == label;
  if (!is_set) {
    current.is_for_next = false;
    if (!is_none) may_be_inherited.store(true, std::memory_order_relaxed);
    if (const int32_t result = SetLabelOfThread(label); result != 0) return result;
    current.has_label = !is_none;
    thread_label_text = label;
  }
  current.is_for_next = !is_none;
  return 0;
}

int32_t LabelNextByDefault(int directory, const char* name, mode_t mode) {
  thread_label.is_for_next = false;
  std::string path;
  int32_t result = FindPath(directory, &path);
  if (result != 0) return result;
  if (!path.ends_with('/')) path += '/';
  path += name;
  OwnedLabel of_name;
  result = FindLabel(path, mode, &of_name);
  if (result != 0) return result;
  std::string of_directory;
  result = ReadLabel(directory, &of_directory);
  if (result != 0) return result;
  OwnedLabel of_new;
  result = ComputeLabel(of_directory, mode, &of_new);
  if (result != 0) return result;
  std::string label = of_new.get();
  if (!TakeTypeOf(of_name.get(), &label)) return -EINVAL;
  return LabelNextAs(label.c_str());
}

int32_t GiveDefaultLabel(int fd, mode_t mode) {
  std::string path;
  int32_t result = FindPath(fd, &path);
  if (result != 0) return result;
  if (path.ends_with(" (deleted)")) return -ENODATA;
  OwnedLabel of_name;
  result = FindLabel(path, mode, &of_name);
  if (result != 0) return result;
  std::string label;
  result = ReadLabel(fd, &label);
  if (result != 0) return result;
  const std::string old_label = label;
  if (!TakeTypeOf(of_name.get(), &label)) return -EINVAL;
  if (label == old_label) return 0;
  return WriteXattr(fd, kLabelAttribute, label.c_str(), label.size() + 1);
}

int32_t TakeLabelOfNext() {
  const bool is_for_next = thread_label.is_for_next;
  thread_label.is_for_next = false;
  return is_for_next ? 0 : ForgetLabel();
}

bool ThreadHasLabel() { return LabelOfThread().has_label; }

int32_t ForgetLabel() { return ThreadHasLabel() ? LabelNextAs("") : 0; }

}  // namespace ringcp
