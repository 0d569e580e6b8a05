// What a user asks for: sources, a target, and how to copy. Plain data, shared by the
// command line, the agent and the engine; nothing below main() reads flags.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_BASE_COPY_OPTIONS_H_
#define RINGCP_CORE_BASE_COPY_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ringcp {

// Which symbolic links are followed to what they point to.
enum class Dereference {
  kDefault,  // As GNU cp: kNever if recursive and not for hard links, otherwise kAlways.
  kNever,    // -P: links are copied as links.
  kCommandLine,  // -H: only links named as sources are followed.
  kAlways,       // -L: all links are followed.
};

// How the target is understood.
enum class TargetKind {
  kDefault,       // A directory to copy into if it is one, otherwise the copy's own name.
  kDirectory,     // -t: a directory to copy into; it must exist.
  kNotDirectory,  // -T: the copy's own name, even if it is a directory.
};

// What is made of a source that is no directory.
enum class Makes {
  kCopies,
  kHardLinks,      // -l: a further name of the source.
  kSymbolicLinks,  // -s: a symbolic link to the source's path.
};

// What becomes of a target that exists and is no directory.
enum class Update {
  kAll,       // It is replaced.
  kNone,      // -n: it is left as it is.
  kNoneFail,  // It is left as it is, and that is an error.
  kOlder,     // -u: it is replaced if it is older than the source.
};

// Whether nothing that exists is replaced.
inline bool KeepsExisting(Update update) {
  return update == Update::kNone || update == Update::kNoneFail;
}

// Whether an old target gets another name instead of being removed, and which.
enum class Backup {
  kNone,
  kSimple,    // Its name and CopyOptions::backup_suffix.
  kExisting,  // As kNumbered if there are such backups of it, otherwise as kSimple.
  kNumbered,  // "name.~1~", "name.~2~", ...
};

// Whether a file becomes a clone (a reflink), which shares its blocks with the source
// until one of the two is written to.
enum class Reflink {
  kAuto,    // If the file system can clone; otherwise the contents are copied.
  kAlways,  // A file that can't be cloned is not copied.
  kNever,
};

// Which blocks of zeros in a copy take no room.
enum class Sparse {
  kAuto,    // Those that take none in the source, if its file system can tell.
  kAlways,  // All of them.
  kNever,
};

// What a copy leaves in the page cache.
enum class PageCache {
  kKeep,    // What was read and written stays, as with any program.
  kDrop,    // --no-cache: nothing of source or target stays.
  kBypass,  // --direct: the same, and large files bypass the page cache (O_DIRECT).
};

// Which engine copies.
enum class EngineChoice {
  kAuto,     // io_uring if the kernel permits it, but system calls for files in memory,
             // where io_uring does not pay; without io_uring, kThreads.
  kUring,    // io_uring; without it the job fails.
  kThreads,  // Plain system calls, on the same number of threads.
};

// Whether extended attributes are kept. Access control lists, which are stored as such,
// go with the mode instead.
enum class Xattrs {
  kNone,
  kTried,     // -a: what can't be kept is left out without a word.
  kReported,  // --preserve=all: what can't be kept is reported, but is no error.
  kRequired,  // --preserve=xattr: what can't be kept is an error.
};

// Which SELinux label ("context") a target has.
enum class Context {
  // That which the system gives it. To --preserve=xattr a label is an attribute like
  // others.
  kNone,
  // Its source's, as for Xattrs.
  kTried,
  kReported,
  kRequired,
  // Not its source's, but a new one (CopyOptions::default_context, context). No option,
  // but what a job makes of these two.
  kReplaced,
};

// What is kept of a file besides its contents.
struct Preserve {
  bool mode = false;        // With access control lists (ACLs).
  bool ownership = false;   // Where permitted; as in GNU cp a refusal is no error.
  bool timestamps = false;  // Access and modification time.
  bool links = false;       // Hard links among the copied files.
  Xattrs xattrs = Xattrs::kNone;
  Context context = Context::kNone;

  // Whether there is something to be set on every target.
  bool any_attribute() const { return mode || ownership || timestamps; }
  bool has_xattrs() const { return xattrs != Xattrs::kNone; }
  bool requires_xattrs() const { return xattrs == Xattrs::kRequired; }
  bool keeps_label() const {
    return context != Context::kNone && context != Context::kReplaced;
  }
  // Whether sources have to be asked for more than a stat tells.
  bool looks_at_attributes() const { return mode || has_xattrs() || keeps_label(); }
  friend bool operator==(const Preserve&, const Preserve&) = default;
};

// How much is done at the same time. 0 means a value that suits most jobs and machines.
struct Tuning {
  // More threads don't make a copy faster, and each has a ring and buffers.
  static constexpr int kWorkersMax = 16;
  static constexpr int kQueueDepthMax = 256;
  // A block is a number of whole pages. Blocks above kBlockBytesMax don't stay in the
  // CPU's cache, and are not faster.
  static constexpr int64_t kBlockBytesMin = 4096;
  static constexpr int64_t kBlockBytesMax = int64_t{4} * 1024 * 1024;

  static bool IsBlockSize(int64_t bytes) {
    return bytes >= kBlockBytesMin && bytes <= kBlockBytesMax &&
           bytes % kBlockBytesMin == 0;
  }

  // Threads, each with its own ring, at most; default: one for each CPU.
  int workers = 0;
  // Files in flight in each worker, at most; fewer if memory is short, or if more are of
  // no use.
  int queue_depth = 0;
  int64_t block_size_bytes = 0;  // Of each read and write.

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

struct CopyOptions {
  bool recursive = false;
  Dereference dereference = Dereference::kDefault;
  TargetKind target_kind = TargetKind::kDefault;
  Preserve preserve;
  // --no-preserve=mode: new files get 0666 (directories 0777) less the umask.
  bool default_mode = false;
  bool force = false;  // -f
  Makes makes = Makes::kCopies;
  // Contents are not copied: a new file is empty, and an existing one keeps its own.
  bool attributes_only = false;
  Update update = Update::kAll;
  // -i: before something that exists is replaced, the user is asked.
  bool interactive = false;
  bool remove_destination = false;
  Backup backup = Backup::kNone;
  // Not empty, and without a slash. REQUIRES: backup and KeepsExisting() exclude each
  // other.
  std::string backup_suffix = "~";
  // Sources lose the slashes at their ends. As in GNU cp that is so only if they are
  // copied into a directory.
  bool strip_trailing_slashes = false;
  // Each source is copied to its whole name below the target, which must be a directory;
  // the directories above it are made, and get the attributes of the source's.
  bool parents = false;
  // As with POSIXLY_CORRECT: a target that is a symbolic link to nowhere is made where
  // the link leads to, instead of being refused.
  bool writes_through_dangling_links = false;
  bool one_file_system = false;  // -x
  // REQUIRES: it is kAuto if `reflink` is kAlways.
  Sparse sparse = Sparse::kAuto;
  // Contents of pipes and devices are copied although `recursive` is set.
  bool copy_contents = false;
  // -Z: targets get the SELinux label that the system's policy says; or, if it is not
  // empty, new ones get this one (--context).
  bool default_context = false;
  std::string context;
  // A symbolic link to a directory, in place of a target directory, is followed.
  bool keep_directory_symlink = false;
  Reflink reflink = Reflink::kAuto;
  PageCache page_cache = PageCache::kKeep;
  EngineChoice engine = EngineChoice::kAuto;
  // A kernel thread picks up what is submitted (IORING_SETUP_SQPOLL). The job fails if
  // io_uring does not permit that.
  bool sqpoll = false;
  // Reads and writes with O_DIRECT are polled for completion (IORING_SETUP_IOPOLL) on
  // devices that support it. The job fails without io_uring.
  // REQUIRES: page_cache is kBypass.
  bool iopoll = false;
  Tuning tuning;
  // The process's umask. It can't be read without setting it, so it is read once, before
  // there are threads.
  mode_t umask = 022;

  friend bool operator==(const CopyOptions&, const CopyOptions&) = default;

  // Whether the job fails without io_uring.
  bool needs_uring() const { return engine == EngineChoice::kUring || sqpoll || iopoll; }
};

// One job: what `ringcp` is called with, and what an agent's client submits.
struct CopyRequest {
  std::vector<std::string> sources;  // As typed; at least one.
  std::string target;                // As typed; not empty.
  CopyOptions options;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_COPY_OPTIONS_H_
