// A FileCopy that a test plays the kernel for: it shows which chains come next as text,
// and takes in whatever results the test makes up.
//
//   CopyScript copy;
//   EXPECT_EQ(copy.Start(), "open S>fd");
//   EXPECT_EQ(copy.Settle({7}), "fstat fd7 - read fd7 4096@0");
//   EXPECT_EQ(copy.Settle({0, 100}), "open T new 644>s0 - write s0 100@0 - close s0"
//                                    " = close fd7");
//   EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
//
// In the text: S and T are the names of source and target, sN is slot N, fdN descriptor
// N; `-` is a soft link and `=` a hard one; chains of lanes are "0: ... | 1: ...", or
// just the chain if there is but one, of lane 0; "at once" stands before an op that is
// not queued although it could be. Once the copy is done, or waits for something else
// than ops, that is the text.
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
#include "core/kernel/syscall_kernel.h"
#include "tests/blocks.h"

namespace ringcp {

class CopyScript {
 public:
  static constexpr uint32_t kBlock = 4096;

  struct Setup {
    FileCopyPolicy policy = {};
    uint64_t size = 100;  // Of the source.
    bool follow_source = false;
    // Whether both files are on file systems that are known.
    bool local = true;
    dev_t source_device = 0;  // Of the source's directory; 0: it is not known.
    bool target_directory_created = false;  // By the job.
    std::optional<mode_t> target_default_acl = std::nullopt;
    int extra_blocks = 7;
    uint32_t block = kBlock;
    CallsAtOnce calls_at_once = CallsAtOnce::kNone;
  };

  CopyScript() : CopyScript(Setup()) {}
  explicit CopyScript(const Setup& setup);

  // What the copy finds when a statx succeeds. The source is a regular file 0644 of user
  // 1 and group 1, the target one as well, with another inode.
  struct statx source_stat = {};
  struct statx target_stat = {};       // By name, through links.
  struct statx target_link_stat = {};  // By name, not through links.
  struct statx target_fd_stat = {};    // By descriptor.

  // The source's access control list, as the kernel gives it away.
  std::string acl;

  // Where the source is no hole: [begin, end) each, in order.
  std::vector<std::pair<uint64_t, uint64_t>> data;

  // What reads find in the source, over and over, where it matters.
  std::optional<char> bytes_read;

  // Whether the source is in the page cache.
  bool cached = true;

  std::string Start();
  // Starts a copy and opens its source as descriptor 7; looks at it, too, and reads as
  // much of its first block as there is: what comes next.
  std::string OpenSource();
  std::string LookAtSource();
  // The same, with the target made as descriptor 8. REQUIRES: no slot is used.
  std::string OpenBoth();
  // Settles the chain of `lane`. Where a source is looked at and read, the check for a
  // pipe between the two may be left out: it finds none.
  std::string Settle(int lane, std::vector<int32_t> results);
  std::string Settle(const std::vector<int32_t>& results) { return Settle(0, results); }
  std::string Proceed();
  std::string Abandon();
  std::string Resume();
  std::string RetryTarget();
  void Stop() { copy_.Stop(); }
  void LeaveBlocksToChains() { copy_.LeaveBlocksToChains(); }

  const FileCopy& copy() const { return copy_; }
  const EngineCounters& counters() const { return *counters_; }
  bool all_blocks_back() { return HasAllBlocks(&pool_, setup_.extra_blocks); }

 private:
  // Notes the chains that come next, and tells them as text.
  std::string Take();
  std::string Outcome() const;
  std::string Text(const Op& op) const;
  std::string Text(const Chain& chain) const;
  // Does to the copy's memory what the kernel would do for `op`.
  void CarryOut(const Op& op, int32_t result);
  const struct statx& StatFor(const Op& op) const;
  // The first byte at or behind `offset` that is no hole, or that is one.
  uint64_t Seek(uint64_t offset, bool for_data) const;

  const Setup setup_;
  // Asked for nothing but the kind of a file system, of descriptors that are not open:
  // none that is known.
  SyscallKernel kernel_{/*slots=*/0};
  // Not a member: on the stack, AddressSanitizer in gcc 12 does not keep its alignment.
  const std::unique_ptr<EngineCounters> counters_;
  BlockPool pool_;
  FileCopy copy_;
  NextChains next_;
  std::map<int, Chain> in_flight_;  // By lane.
  int source_fd_ = -1;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_COPY_SCRIPT_H_
