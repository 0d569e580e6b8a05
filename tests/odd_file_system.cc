// odd_file_system BACKING MOUNT_POINT [ODDITY...]: a file system in user space. It passes
// everything through to the directory BACKING, except for what it is told to get wrong.
// It writes "mounted" to standard output, and runs until it is unmounted.
//
// Oddities:
//   list-KIND-as-KIND   Directories list one kind of file as another: file, directory,
//                       link, fifo, device, socket or unknown. A stat tells the truth.
//   sizes-are-zero      A stat says that regular files are empty,
//   sizes-are-small     ... that they have ten bytes at most,
//   no-blocks           ... that they use no blocks.
//   direct-io           Reads and writes bypass the page cache, so that every read comes
//                       here, whatever size was reported for the file.
//   short-reads         A read returns at most a kilobyte; if less is asked for, half,
//   short-writes        ... and a write stores as much.
//   loses-a-write       In each file, the first write that is not at offset 0 is not
//                       stored. It succeeds; the next write fails with EIO, once.
//   writes-in-order     Each open file must be written from its beginning without a gap.
//                       Any other write fails with EINVAL, and all later ones with EIO.
//   opens-to-truncate   Existing files can be opened for writing only with O_TRUNC.
//   own-inodes          Each name has another inode number.
//   inodes-change       Each look at a file tells another inode number.
//   times-in-pairs      Setting a file's times takes a while for the first few; from then
//                       on it is answered only when another one's are to be set, too. One
//                       that has waited alone for very long fails: EIO.
//   lists-in-pairs      The same with the opening of a directory to be read.
//   opens-in-pairs      The same with the opening of an existing file, after the first
//                       hundred; and the kernel remembers names.
//   latency=MS          Each request takes so many milliseconds.
//   latency-jumps=SEED  Requests take between 0 and 20 ms, as latency_jumps.h says.
//   fixed-modes         Files are made, and told to be, 0755, as on FAT.
//   ignore-case         Names that differ in case only are one (BACKING: lower case).
//   fail-CALL=ERRNO     A call fails: chmod, chown, close (the flush of a file that was
//                       open for writing), create, link, lseek, mkdir, mknod, open,
//                       opendir, read, readdir, removexattr, rename, rmdir, setxattr,
//                       getxattr, listxattr, symlink, truncate, unlink, utimens, write.
//   fail-stat=ERRNO     ... the first stat of a file after it was made.
//   fail-CALL=ERRNO@N   ... read and write only: at offset N and beyond.
//   only=PREFIX         All oddities but latencies concern only names that begin with
//                       PREFIX.

#define FUSE_USE_VERSION 31

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/latency_jumps.h"

namespace ringcp {
namespace {

constexpr off_t kSmallSizeBytes = 10;
constexpr size_t kShortBytes = 1000;
constexpr mode_t kFixedMode = 0755;
// Stands beside the descriptor in fuse_file_info::fh: the file is open for writing.
constexpr uint64_t kIsWritten = uint64_t{1} << 32;

struct Failure {
  int error_number = 0;
  off_t offset = 0;
};

// What the command line asks for. Set before the file system is mounted.
struct Oddities {
  std::string backing;
  std::set<std::string> names;           // The oddities that are a single word.
  std::map<mode_t, mode_t> listed_as;    // By the file's true kind.
  std::map<std::string, Failure> fails;  // By call.
  std::string only;
  std::chrono::microseconds latency{0};
  std::optional<LatencyJumps> jumps;

  bool concern(const char* path) const {
    return std::string_view(strrchr(path, '/') + 1).starts_with(only);
  }
  bool has(const char* name, const char* path) const {
    return names.contains(name) && concern(path);
  }
};

Oddities& TheOddities() {
  static Oddities oddities;
  return oddities;
}

bool Has(const char* name, const char* path) { return TheOddities().has(name, path); }

// The -errno with which `call` has to fail; 0 if it must not.
int FailureOf(const char* call, const char* path, off_t offset = 0) {
  const auto it = TheOddities().fails.find(call);
  if (it == TheOddities().fails.end() || offset < it->second.offset ||
      !TheOddities().concern(path)) {
    return 0;
  }
  return -it->second.error_number;
}

std::string BackingPath(const char* path) {
  std::string name = path;
  if (TheOddities().names.contains("ignore-case")) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return std::tolower(letter); });
  }
  return TheOddities().backing + name;
}

int ResultOf(int64_t result) { return result < 0 ? -errno : static_cast<int>(result); }

int DescriptorOf(const fuse_file_info* info) {
  return static_cast<int>(info->fh & (kIsWritten - 1));
}

void Twist(const char* path, struct stat* stat) {
  if (Has("inodes-change", path)) {
    static std::atomic<ino_t> inode = 1'000'000;
    stat->st_ino = ++inode;
  }
  if (Has("fixed-modes", path) && !S_ISLNK(stat->st_mode)) {
    stat->st_mode = (stat->st_mode & S_IFMT) | kFixedMode;
  }
  if (!S_ISREG(stat->st_mode)) return;
  if (Has("sizes-are-zero", path)) stat->st_size = stat->st_blocks = 0;
  if (Has("sizes-are-small", path)) {
    stat->st_size = std::min(stat->st_size, kSmallSizeBytes);
  }
  if (Has("no-blocks", path)) stat->st_blocks = 0;
}

// The names of files that were made and have not been looked at since.
class MadeFiles {
 public:
  void Add(const char* path) {
    const std::lock_guard lock(mutex_);
    paths_.insert(path);
  }
  // Whether `path` was among them. Removes it.
  bool Take(const char* path) {
    const std::lock_guard lock(mutex_);
    return paths_.erase(path) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> paths_;
};

MadeFiles& TheMadeFiles() {
  static MadeFiles files;
  return files;
}

int GetAttributes(const char* path, struct stat* stat, fuse_file_info* info) {
  // With `info` this stat is a part of making the file.
  if (const int failure = FailureOf("stat", path);
      failure != 0 && info == nullptr && TheMadeFiles().Take(path)) {
    return failure;
  }
  const int result = info != nullptr ? fstat(DescriptorOf(info), stat)
                                     : lstat(BackingPath(path).c_str(), stat);
  if (result == 0) Twist(path, stat);
  return ResultOf(result);
}

int ReadDirectory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t,
                  fuse_file_info*, fuse_readdir_flags) {
  if (const int failure = FailureOf("readdir", path)) return failure;
  DIR* const directory = opendir(BackingPath(path).c_str());
  if (directory == nullptr) return -errno;
  while (const dirent* const entry = readdir(directory)) {
    struct stat stat = {};
    fstatat(dirfd(directory), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW);
    const auto it = TheOddities().listed_as.find(stat.st_mode & S_IFMT);
    const std::string name = std::string("/") + entry->d_name;
    const bool is_dot = name == "/." || name == "/..";
    if (it != TheOddities().listed_as.end() && !is_dot &&
        TheOddities().concern(name.c_str())) {
      stat.st_mode = it->second;
    }
    fill(buffer, entry->d_name, &stat, 0, static_cast<fuse_fill_dir_flags>(0));
  }
  closedir(directory);
  return 0;
}

// Calls of one kind that are answered in pairs only; see times-in-pairs.
class Pairs {
 public:
  explicit Pairs(int slow_calls = 6) : slow_calls_(slow_calls) {}

  // 0 or -errno.
  int AwaitPartner() {
    std::unique_lock lock(mutex_);
    const int number = calls_++;
    if (number < slow_calls_) {
      lock.unlock();
      usleep(2000);
      return 0;
    }
    changed_.notify_all();
    const bool is_first = (number - slow_calls_) % 2 == 0;
    const auto has_partner = [&] { return !is_first || calls_ > number + 1; };
    has_failed_ =
        has_failed_ || !changed_.wait_for(lock, std::chrono::seconds(30), has_partner);
    return has_failed_ ? -EIO : 0;
  }

 private:
  const int slow_calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
  bool has_failed_ = false;  // So do all that follow, without waiting.
};

int OpenDirectory(const char* path, fuse_file_info*) {
  static Pairs pairs;
  if (Has("lists-in-pairs", path)) {
    if (const int failure = pairs.AwaitPartner()) return failure;
  }
  return FailureOf("opendir", path);
}

int ReadLink(const char* path, char* buffer, size_t size) {
  const ssize_t length = readlink(BackingPath(path).c_str(), buffer, size - 1);
  if (length < 0) return -errno;
  buffer[length] = '\0';
  return 0;
}

// The files that have lost a write, and whether a later write has failed for it.
std::map<std::string, bool>& LostWrites() {
  static std::map<std::string, bool> lost;
  return lost;
}

// The result that a write gets instead of being carried out; 0 if it is carried out.
int LoseWrite(const char* path, size_t size, off_t offset) {
  if (!Has("loses-a-write", path)) return 0;
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto it = LostWrites().find(path);
  if (it == LostWrites().end()) {
    if (offset == 0) return 0;
    LostWrites()[path] = false;
    return static_cast<int>(size);
  }
  if (it->second) return 0;
  it->second = true;
  return -EIO;
}

// The offset that the next write of each open file must have; -1 after a write elsewhere.
struct Positions {
  std::mutex mutex;
  std::map<int, off_t> next;
};

Positions& ThePositions() {
  static Positions positions;
  return positions;
}

// -errno, or 0 if the write is where it has to be.
int NoteWrite(const char* path, size_t size, off_t offset, const fuse_file_info* info) {
  if (!Has("writes-in-order", path)) return 0;
  Positions& positions = ThePositions();
  const std::lock_guard lock(positions.mutex);
  off_t& next = positions.next[DescriptorOf(info)];
  if (next < 0) return -EIO;
  const bool is_next = next == offset;
  next = is_next ? next + static_cast<off_t>(size) : -1;
  return is_next ? 0 : -EINVAL;
}

int OpenBacking(const char* path, mode_t mode, fuse_file_info* info) {
  // The backing file system need not support O_DIRECT, and may want another alignment.
  const int fd =
      open(BackingPath(path).c_str(), (info->flags & ~O_DIRECT) | O_CLOEXEC, mode);
  if (fd < 0) return -errno;
  const bool is_written = (info->flags & O_ACCMODE) != O_RDONLY;
  info->fh = static_cast<uint64_t>(fd) | (is_written ? kIsWritten : 0);
  info->direct_io = Has("direct-io", path) ? 1 : 0;
  return 0;
}

int Open(const char* path, fuse_file_info* info) {
  static Pairs pairs(/*slow_calls=*/100);
  if (Has("opens-in-pairs", path)) {
    if (const int failure = pairs.AwaitPartner()) return failure;
  }
  if (const int failure = FailureOf("open", path)) return failure;
  const bool is_written = (info->flags & O_ACCMODE) != O_RDONLY;
  if (is_written && (info->flags & O_TRUNC) == 0 && Has("opens-to-truncate", path)) {
    return -EPERM;
  }
  return OpenBacking(path, 0, info);
}

int Create(const char* path, mode_t mode, fuse_file_info* info) {
  if (const int failure = FailureOf("create", path)) return failure;
  const int result =
      OpenBacking(path, Has("fixed-modes", path) ? kFixedMode : mode, info);
  if (result == 0 && FailureOf("stat", path) != 0) TheMadeFiles().Add(path);
  return result;
}

// How many of `size` bytes one call moves.
size_t MovedBytes(const char* oddity, const char* path, size_t size) {
  if (!Has(oddity, path)) return size;
  return size > kShortBytes ? kShortBytes : (size + 1) / 2;
}

int Read(const char* path, char* buffer, size_t size, off_t offset,
         fuse_file_info* info) {
  if (const int failure = FailureOf("read", path, offset)) return failure;
  return ResultOf(
      pread(DescriptorOf(info), buffer, MovedBytes("short-reads", path, size), offset));
}

int Write(const char* path, const char* buffer, size_t size, off_t offset,
          fuse_file_info* info) {
  if (const int failure = FailureOf("write", path, offset)) return failure;
  if (const int result = LoseWrite(path, size, offset)) return result;
  if (const int result = NoteWrite(path, size, offset, info)) return result;
  return ResultOf(
      pwrite(DescriptorOf(info), buffer, MovedBytes("short-writes", path, size), offset));
}

off_t Seek(const char* path, off_t offset, int whence, fuse_file_info* info) {
  if (const int failure = FailureOf("lseek", path)) return failure;
  const off_t result = lseek(DescriptorOf(info), offset, whence);
  return result < 0 ? -errno : result;
}

int Flush(const char* path, fuse_file_info* info) {
  return (info->fh & kIsWritten) != 0 ? FailureOf("close", path) : 0;
}

int Close(const char*, fuse_file_info* info) {
  {
    const std::lock_guard lock(ThePositions().mutex);
    ThePositions().next.erase(DescriptorOf(info));
  }
  return ResultOf(close(DescriptorOf(info)));
}

int Sync(const char*, int, fuse_file_info* info) {
  return ResultOf(fsync(DescriptorOf(info)));
}

int MakeDirectory(const char* path, mode_t mode) {
  if (const int failure = FailureOf("mkdir", path)) return failure;
  return ResultOf(
      mkdir(BackingPath(path).c_str(), Has("fixed-modes", path) ? kFixedMode : mode));
}

int RemoveDirectory(const char* path) {
  if (const int failure = FailureOf("rmdir", path)) return failure;
  return ResultOf(rmdir(BackingPath(path).c_str()));
}

int Unlink(const char* path) {
  if (const int failure = FailureOf("unlink", path)) return failure;
  return ResultOf(unlink(BackingPath(path).c_str()));
}

int Rename(const char* from, const char* to, unsigned flags) {
  if (const int failure = FailureOf("rename", from)) return failure;
  return ResultOf(renameat2(AT_FDCWD, BackingPath(from).c_str(), AT_FDCWD,
                            BackingPath(to).c_str(), flags));
}

int MakeSymlink(const char* target, const char* path) {
  if (const int failure = FailureOf("symlink", path)) return failure;
  return ResultOf(symlink(target, BackingPath(path).c_str()));
}

int MakeLink(const char* existing, const char* path) {
  if (const int failure = FailureOf("link", path)) return failure;
  return ResultOf(link(BackingPath(existing).c_str(), BackingPath(path).c_str()));
}

int MakeNode(const char* path, mode_t mode, dev_t device) {
  if (const int failure = FailureOf("mknod", path)) return failure;
  return ResultOf(mknod(BackingPath(path).c_str(), mode, device));
}

int ChangeMode(const char* path, mode_t mode, fuse_file_info*) {
  if (const int failure = FailureOf("chmod", path)) return failure;
  return ResultOf(chmod(BackingPath(path).c_str(), mode));
}

int ChangeOwner(const char* path, uid_t user, gid_t group, fuse_file_info*) {
  if (const int failure = FailureOf("chown", path)) return failure;
  return ResultOf(lchown(BackingPath(path).c_str(), user, group));
}

int Truncate(const char* path, off_t size, fuse_file_info* info) {
  if (const int failure = FailureOf("truncate", path)) return failure;
  return ResultOf(info != nullptr ? ftruncate(DescriptorOf(info), size)
                                  : truncate(BackingPath(path).c_str(), size));
}

int ChangeTimes(const char* path, const timespec times[2], fuse_file_info*) {
  static Pairs pairs;
  if (Has("times-in-pairs", path)) {
    if (const int failure = pairs.AwaitPartner()) return failure;
  }
  if (const int failure = FailureOf("utimens", path)) return failure;
  return ResultOf(
      utimensat(AT_FDCWD, BackingPath(path).c_str(), times, AT_SYMLINK_NOFOLLOW));
}

int SetAttribute(const char* path, const char* name, const char* value, size_t size,
                 int flags) {
  if (const int failure = FailureOf("setxattr", path)) return failure;
  return ResultOf(lsetxattr(BackingPath(path).c_str(), name, value, size, flags));
}

int GetAttribute(const char* path, const char* name, char* value, size_t size) {
  if (const int failure = FailureOf("getxattr", path)) return failure;
  return ResultOf(lgetxattr(BackingPath(path).c_str(), name, value, size));
}

int ListAttributes(const char* path, char* names, size_t size) {
  if (const int failure = FailureOf("listxattr", path)) return failure;
  return ResultOf(llistxattr(BackingPath(path).c_str(), names, size));
}

int RemoveAttribute(const char* path, const char* name) {
  if (const int failure = FailureOf("removexattr", path)) return failure;
  return ResultOf(lremovexattr(BackingPath(path).c_str(), name));
}

int GetSpace(const char* path, struct statvfs* space) {
  return ResultOf(statvfs(BackingPath(path).c_str(), space));
}

void* Begin(fuse_conn_info*, fuse_config* config) {
  config->use_ino = TheOddities().names.contains("own-inodes") ? 0 : 1;
  // The kernel must cache nothing, because another process may change the backing files.
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  if (TheOddities().names.contains("opens-in-pairs")) {
    config->attr_timeout = config->entry_timeout = 3600;
  }
  puts("mounted");
  fflush(stdout);
  return nullptr;
}

// kCall, which takes as long as the command line says that a request of kKind takes.
template <RequestKind kKind, auto kCall>
struct Slow;
template <RequestKind kKind, typename Result, typename... Args, Result (*kCall)(Args...)>
struct Slow<kKind, kCall> {
  static Result Call(Args... args) {
    std::chrono::microseconds latency = TheOddities().latency;
    if (TheOddities().jumps.has_value()) latency += TheOddities().jumps->Next(kKind);
    if (latency.count() > 0) std::this_thread::sleep_for(latency);
    return kCall(args...);
  }
};

fuse_operations Operations() {
  fuse_operations operations = {};
  operations.getattr = Slow<RequestKind::kLook, GetAttributes>::Call;
  operations.readlink = Slow<RequestKind::kLook, ReadLink>::Call;
  operations.mknod = Slow<RequestKind::kMake, MakeNode>::Call;
  operations.mkdir = Slow<RequestKind::kMake, MakeDirectory>::Call;
  operations.unlink = Slow<RequestKind::kMake, Unlink>::Call;
  operations.rmdir = Slow<RequestKind::kMake, RemoveDirectory>::Call;
  operations.symlink = Slow<RequestKind::kMake, MakeSymlink>::Call;
  operations.rename = Slow<RequestKind::kMake, Rename>::Call;
  operations.link = Slow<RequestKind::kMake, MakeLink>::Call;
  operations.chmod = Slow<RequestKind::kSet, ChangeMode>::Call;
  operations.chown = Slow<RequestKind::kSet, ChangeOwner>::Call;
  operations.truncate = Slow<RequestKind::kSet, Truncate>::Call;
  operations.open = Slow<RequestKind::kOpen, Open>::Call;
  operations.read = Slow<RequestKind::kMove, Read>::Call;
  operations.write = Slow<RequestKind::kMove, Write>::Call;
  operations.statfs = Slow<RequestKind::kLook, GetSpace>::Call;
  operations.flush = Slow<RequestKind::kClose, Flush>::Call;
  operations.release = Slow<RequestKind::kClose, Close>::Call;
  operations.fsync = Slow<RequestKind::kClose, Sync>::Call;
  operations.setxattr = Slow<RequestKind::kSet, SetAttribute>::Call;
  operations.getxattr = Slow<RequestKind::kLook, GetAttribute>::Call;
  operations.listxattr = Slow<RequestKind::kLook, ListAttributes>::Call;
  operations.removexattr = Slow<RequestKind::kSet, RemoveAttribute>::Call;
  operations.opendir = Slow<RequestKind::kList, OpenDirectory>::Call;
  operations.readdir = Slow<RequestKind::kList, ReadDirectory>::Call;
  operations.init = Begin;
  operations.create = Slow<RequestKind::kMake, Create>::Call;
  operations.utimens = Slow<RequestKind::kSet, ChangeTimes>::Call;
  operations.lseek = Slow<RequestKind::kLook, Seek>::Call;
  return operations;
}

// The file type that `kind` names; aborts if there is none.
mode_t TypeNamed(const std::string& kind) {
  static const std::map<std::string, mode_t> kTypes = {
      {"file", S_IFREG},     {"directory", S_IFDIR}, {"link", S_IFLNK},
      {"fifo", S_IFIFO},     {"device", S_IFCHR},    {"socket", S_IFSOCK},
      {"unknown", mode_t{0}}};
  return kTypes.at(kind);
}

int ErrorNamed(const std::string& name) {
  for (int number = 1; number < EHWPOISON; ++number) {
    const char* const known = strerrorname_np(number);
    if (known != nullptr && name == known) return number;
  }
  abort();
}

void AddOddity(const std::string& text, Oddities* oddities) {
  const size_t equals = text.find('=');
  const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (text.starts_with("only=")) {
    oddities->only = value;
  } else if (text.starts_with("latency=")) {
    oddities->latency = std::chrono::milliseconds(std::stoi(value));
  } else if (text.starts_with("latency-jumps=")) {
    oddities->jumps.emplace(std::stoull(value));
  } else if (text.starts_with("fail-")) {
    const size_t at = value.find('@');
    oddities->fails[text.substr(5, equals - 5)] = {
        .error_number = ErrorNamed(value.substr(0, at)),
        .offset = at == std::string::npos ? 0 : std::stoll(value.substr(at + 1))};
  } else if (text.starts_with("list-")) {
    const size_t as = text.find("-as-");
    oddities->listed_as[TypeNamed(text.substr(5, as - 5))] =
        TypeNamed(text.substr(as + 4));
  } else {
    oddities->names.insert(text);
  }
}

int Main(int count, char** arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: %s BACKING MOUNT_POINT [ODDITY...]\n", arguments[0]);
    return 2;
  }
  // A test that is killed must not leave its mount behind.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  umask(0);
  // libfuse changes to the root directory, so the path must be absolute.
  TheOddities().backing = std::filesystem::absolute(arguments[1]);
  for (int i = 3; i < count; ++i) AddOddity(arguments[i], &TheOddities());
  // With default_permissions the kernel checks access by the modes that this file system
  // reports. To do so it stats each file that it makes before anybody else can, and so
  // would take the first stat, which is the one to fail.
  std::vector<std::string> options;
  if (!TheOddities().fails.contains("stat")) options.push_back("default_permissions");
  if (geteuid() == 0) options.push_back("allow_other");
  // From 3.12 on libfuse answers 10 requests at a time at most, unless it is told.
  if (fuse_version() >= 312) options.push_back("max_threads=64");
  std::vector<char*> passed_on = {arguments[0], arguments[2], const_cast<char*>("-f")};
  for (std::string& option : options) {
    passed_on.push_back(const_cast<char*>("-o"));
    passed_on.push_back(option.data());
  }
  const fuse_operations operations = Operations();
  return fuse_main(static_cast<int>(passed_on.size()), passed_on.data(), &operations,
                   nullptr);
}

}  // namespace
}  // namespace ringcp

int main(int count, char** arguments) { return ringcp::Main(count, arguments); }
