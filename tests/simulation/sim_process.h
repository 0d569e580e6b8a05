// The open files of a simulated process, to which its descriptors and rings' slots refer.
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
  std::string path;  // By which it was opened, to be shown to people.
  int flags = 0;
  uint64_t position = 0;
  // The next offset, if writes must come in order.
  uint64_t written_up_to = 0;
  bool has_lost_order = false;
  int64_t writers_seen =
      -1;  // A pipe's writers_ever at the opening, if it had no writer then.

  bool is_path() const;
  bool can_read() const;
  bool can_write() const;
};

using OpenFilePtr = std::shared_ptr<SimOpenFile>;

class SimProcess {
 public:
  explicit SimProcess(SimFileSystem* files) : files_(files) {}

  SimFileSystem* files() const { return files_; }

  // Opens a file like openat(2). Returns 0 or -errno.
  int32_t Open(int directory, std::string_view path, int flags, mode_t mode,
               OpenFilePtr* opened);

  // Makes the lowest free descriptor refer to `file`, and returns it.
  int Install(OpenFilePtr file);
  // Null if `fd` is not open.
  OpenFilePtr Get(int fd) const;
  // Closes `fd`, even if the result is an error other than -EBADF. Returns 0 or -errno.
  int32_t Close(int fd);
  // What the file's flush returns, which happens whenever a descriptor of it is closed.
  static int32_t Flush(const OpenFilePtr& file);

  // Where a relative path begins; null if the descriptor is not open.
  InodePtr Start(int directory) const;

  const std::map<int, OpenFilePtr>& descriptors() const { return descriptors_; }
  // How often a descriptor was used that was not open.
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
  int descriptors_max_ = 1 << 20;  // How many may be open.
  mutable int64_t wild_uses_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_PROCESS_H_
