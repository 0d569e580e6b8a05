// Runs a FileCopy for which the test plays the kernel: it sees the next chains as text,
// and makes up their results.
//
//   CopyScript copy;
//   EXPECT_EQ(copy.Start(), "open S>fd");
//   EXPECT_EQ(copy.Settle({7}), "fstat fd7 - read fd7 4096@0");
//   EXPECT_EQ(copy.Settle({0, 100}), "open T new 644>s0 - write s0 100@0 - close s0"
//                                    " = close fd7");
//   EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
//
// In the text, S and T are the names of source and target, sN is slot N, fdN is
// descriptor N. ` - ` and ` = ` tie two ops softly or hard (Link in op.h). Chains of
// several lanes are "0: ... | 1: ..."; a single chain of lane 0 stands without its
// number. "at once" stands before an op that is not queued although it could be. When the
// copy is done, or waits for something other than ops, the text says that instead.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_TESTS_COPY_SCRIPT_H_
#define RINGCP_TESTS_COPY_SCRIPT_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/engine_counters.h"
#include "core/file/file_copy.h"
#include "core/file/next_chains.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/syscall_kernel.h"
#include "tests/blocks.h"

namespace ringcp {

class CopyScript {
 public:
  static constexpr uint32_t kBlock = 4096;

  struct Setup {
    FileCopyPolicy policy = {};
    uint64_t size = 100;  // The source's.
    bool follow_source = false;
    // Whether source and target are on file systems of a known kind.
    bool local = true;
    // If set, the kind of both.
    const FileSystemKind* kind = nullptr;
    // The source is named by the user: what it is on is not known before it is open.
    bool is_named_source = false;
    // What the two are on; nullptr: both on file_system().
    FileSystem* source_file_system = nullptr;
    FileSystem* target_file_system = nullptr;
    bool target_directory_created = false;  // By the job.
    std::optional<mode_t> target_default_acl = std::nullopt;
    int extra_blocks = 7;
    uint32_t block = kBlock;
    CallsAtOnce calls_at_once = CallsAtOnce::kNone;
  };

  CopyScript() : CopyScript(Setup()) {}
  explicit CopyScript(const Setup& setup);

  // What a successful statx tells the copy. The source is a regular file of mode 0644,
  // user 1 and group 1. The target is another one, with another inode.
  struct statx source_stat = {};
  struct statx target_stat = {};       // By name, links followed.
  struct statx target_link_stat = {};  // By name, links not followed.
  struct statx target_fd_stat = {};    // By descriptor.

  // The names of the source's extended attributes, each with a NUL behind it, and the
  // value of each, as the kernel returns them.
  std::string names;
  std::string value;

  // The source's data, all between is holes: [begin, end) each, in order.
  std::vector<std::pair<uint64_t, uint64_t>> data;

  // The byte that reads find everywhere in the source, if the test cares.
  std::optional<char> bytes_read;

  // Whether the source is in the page cache.
  bool cached = true;

  std::string Start();
  // Starts a copy and opens its source as descriptor 7. LookAtSource() also looks at the
  // source and reads its first block, or as much as there is. Both return what comes
  // next.
  std::string OpenSource();
  std::string LookAtSource();
  // Does the same as LookAtSource(), and makes the target, descriptor 8. REQUIRES: no
  // slots.
  std::string OpenBoth();
  // Gives the chain of `lane` its results. The test may leave out the result of the check
  // for a pipe between looking at the source and reading it: the check then finds no
  // pipe.
  std::string Settle(int lane, std::vector<int32_t> results);
  std::string Settle(const std::vector<int32_t>& results) { return Settle(0, results); }
  std::string Proceed();
  std::string Abandon();
  std::string Resume();
  std::string RetryTarget();
  void Stop() { copy_.Stop(); }
  void LeaveToChains() { copy_.LeaveToChains(); }

  const FileCopy& copy() const { return copy_; }
  ContentsRoute route() const { return copy_.route().value(); }  // REQUIRES: it has one.
  // What is known of file systems, unless setup.policy has a table, and what both files
  // are on as long as they tell the device 0.
  FileSystemTable* file_systems() { return &file_systems_; }
  FileSystem* file_system() { return &file_system_; }
  const EngineCounters& counters() const { return *counters_; }
  bool all_blocks_back() { return HasAllBlocks(&pool_, setup_.extra_blocks); }

 private:
  // Notes the chains that come next, and returns them as text.
  std::string Take();
  std::string Outcome() const;
  std::string Text(const Op& op) const;
  std::string Text(const Chain& chain) const;
  // Does to the copy's memory what the kernel would do for `op`.
  void CarryOut(const Op& op, int32_t result);
  const struct statx& StatFor(const Op& op) const;
  // The first byte from `offset` on that is data (`for_data`) or in a hole.
  uint64_t Seek(uint64_t offset, bool for_data) const;

  const Setup setup_;
  FileSystemTable file_systems_;
  FileSystem file_system_;
  // Asked for nothing but the kind of a file system, of descriptors that are not open:
  // none that is known.
  SyscallKernel kernel_{/*slots=*/0};
  // On the heap: on the stack, gcc 12's AddressSanitizer does not keep its alignment.
  const std::unique_ptr<EngineCounters> counters_;
  BlockPool pool_;
  FileCopy copy_;
  NextChains next_;
  std::map<int, Chain> in_flight_;  // By lane.
  int source_fd_ = -1;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_COPY_SCRIPT_H_
