// The open files of a simulated process: what a descriptor, or a slot of a ring, leads
// to.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_PROCESS_H_
#define RINGCP_TESTS_SIMULATION_SIM_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

// An open file description: several descriptors may share one.
struct SimOpenFile {
  SimOpenFile() = default;
  ~SimOpenFile();
  SimOpenFile(const SimOpenFile&) = delete;
  SimOpenFile& operator=(const SimOpenFile&) = delete;

  InodePtr inode;
  std::string path;  // By which it was opened, for a person.
  int flags = 0;
  uint64_t position = 0;
  // Where writes must come in order.
  uint64_t written_up_to = 0;
  bool has_lost_order = false;
  int64_t writers_seen =
      -1;  // Of a pipe that had no writer when it was opened: up to then.

  bool is_path() const;
  bool can_read() const;
  bool can_write() const;
};

using OpenFilePtr = std::shared_ptr<SimOpenFile>;

class SimProcess {
 public:
  explicit SimProcess(SimFileSystem* files) : files_(files) {}

  SimFileSystem* files() const { return files_; }

  // What openat(2) opens; 0 or -errno.
  int32_t Open(int directory, std::string_view path, int flags, mode_t mode,
               OpenFilePtr* opened);

  // The lowest descriptor that is free from now on leads to `file`.
  int Install(OpenFilePtr file);
  // Null if `fd` is not open.
  OpenFilePtr Get(int fd) const;
  // What closing it tells: 0 or -errno. It is closed in any case, but for -EBADF.
  int32_t Close(int fd);
  // What a file's flush tells, as when a descriptor of it is closed.
  static int32_t Flush(const OpenFilePtr& file);

  // Where a path that is not absolute begins: null for a descriptor that is not open.
  InodePtr Start(int directory) const;

  const std::map<int, OpenFilePtr>& descriptors() const { return descriptors_; }
  // How often something was asked of a descriptor that was not open.
  int64_t wild_uses() const { return wild_uses_; }
  bool is_full() const {
    return static_cast<int>(descriptors_.size()) >= descriptors_max_;
  }
  void set_descriptors_max(int most) { descriptors_max_ = most; }

 private:
  int32_t OpenExisting(const InodePtr& inode, bool is_created, bool must_be_directory,
                       int flags, std::string path, OpenFilePtr* opened);

  SimFileSystem* const files_;
  std::map<int, OpenFilePtr> descriptors_;
  int descriptors_max_ = 1 << 20;  // Open ones.
  mutable int64_t wild_uses_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_PROCESS_H_
