// One thread's share of a job: takes entries from the walk, keeps many copies in flight
// on its own ring, and sees each of them to its end.
//
// Limits, and why:
//  - kCopiesInFlightMax files at a time: enough that each io_uring_enter submits and
//    collects work for dozens of files. While sources come from memory, only
//    kCopiesInFlightWarm of them: so their blocks stay in the CPU's cache.
//  - kBlockBytes per read and write: a file up to this size is one chain.
//  - kBlockMemoryMax over all workers of a job, for its blocks: what peak memory is made
//    of. With many workers, or larger blocks, each keeps fewer files in flight.
//
// A worker does what can be done in steps, and waits in between, in one place. So a test
// can drive any number of them on one thread, in whatever order it likes.
//
// Thread-safety: a worker belongs to one thread, the one that made its kernel.

#ifndef RINGCP_CORE_JOB_WORKER_H_
#define RINGCP_CORE_JOB_WORKER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/copy_options.h"
#include "core/base/engine_counters.h"
#include "core/base/file_identity.h"
#include "core/base/mutex.h"
#include "core/file/at_once_chooser.h"
#include "core/file/block_pump.h"
#include "core/file/file_copy.h"
#include "core/file/file_sink.h"
#include "core/file/file_source.h"
#include "core/file/next_chains.h"
#include "core/file/reporter.h"
#include "core/file/shared_file.h"
#include "core/file/stream_copy.h"
#include "core/file/target_claims.h"
#include "core/job/made_names.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/link_table.h"
#include "core/tree/walk.h"

namespace ringcp {

// What the workers of a job share. All of it is made for several threads.
struct SharedWork {
  FileCopyPolicy policy;
  Walk* walk = nullptr;
  LinkTable* links = nullptr;
  SharedFiles* shared_files = nullptr;
  TargetClaims* claims = nullptr;
  Reporter* reporter = nullptr;
  // Where to note which named sources were copied; nullptr: nobody asks.
  MadeNames* made_names = nullptr;
  const std::atomic<bool>* cancelled = nullptr;
  // How files are copied while they are in memory.
  CallsAtOnce warm_calls = CallsAtOnce::kAll;
};

class Worker {
 public:
  static constexpr int kCopiesInFlightMax = 64;
  static constexpr int kCopiesInFlightWarm = 32;  // 3 % faster than with 64.
  // Copies started in a row. Those carried out at once have ended then, and chains that
  // have settled meanwhile are to be seen to.
  static constexpr int kStartsMax = 64;
  // How long blocks of a large file are copied at once in a row, before chains that have
  // settled are seen to: one block at least, some 16 blocks of 256 KiB from memory.
  static constexpr std::chrono::milliseconds kRowTime{2};
  // One, where the size of blocks was asked for: with 16 workers and blocks of 4 MiB they
  // take 128 MiB, else at most kBlockMemoryMax.
  static constexpr int kCopiesInFlightMin = 8;
  // Blocks lent to large files for more lanes than one.
  static constexpr int kExtraBlocks = 16;
  static constexpr int kExtraBlocksShare = 4;  // At most one in so many blocks is lent.
  static constexpr uint32_t kBlockBytes = 256 * 1024;
  static constexpr int64_t kBlockMemoryMax = int64_t{64} * 1024 * 1024;
  // How long a worker idles before it looks whether the job was cancelled.
  static constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

  // Ordinary descriptors that a copy in flight may have.
  static constexpr int kFilesPerCopy = 2;
  // How long a worker with nothing else to do waits for another copy to end, before it
  // looks itself.
  static constexpr absl::Duration kTargetPollInterval = absl::Milliseconds(10);
  // How often a file is opened that can't be while others are, with pauses, because
  // other workers and programs have files open, too: for two seconds.
  static constexpr int kOpensAloneMax = 40;
  static constexpr std::chrono::milliseconds kOpensAlonePause{50};

  // How much one of `workers` workers does at a time.
  struct Limits {
    int copies_in_flight = kCopiesInFlightMax;
    int copies_in_flight_warm = kCopiesInFlightWarm;  // While sources are in memory.
    int extra_blocks = kExtraBlocks;
    uint32_t block_bytes = kBlockBytes;
  };
  // What follows from `tuning` when the process may have `files_max` files open, of which
  // the copies in flight take at most a quarter.
  static Limits LimitsFor(const Tuning& tuning, int workers, int files_max);

  // REQUIRES: all that is pointed to outlives the worker; `kernel` was made by the thread
  // that will call Run(), and has a slot for each copy in flight; `pool` has the
  // blocks of `limits`.
  Worker(const SharedWork& work, Kernel* kernel, const Limits& limits, BlockPool* pool,
         EngineCounters* counters);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Copies until neither the walk nor any other worker has something to do for it, or the
  // job is cancelled. OK, or why the ring has failed: then the walk is stopped, and the
  // kernel may still touch this worker and its pool, both of which must be kept.
  absl::Status Run();

  // Run() in parts, for whoever drives several workers in turn: while (Step()) Wait().
  //
  // Does what can be done without waiting for anything but what calls at once wait for.
  // False when nothing is left to do.
  bool Step();
  // How long to idle before the next step, unless something settles or the kernel is
  // woken before; zero: there is more to do.
  absl::Duration idle_max() const { return idle_max_; }
  // Idles, and collects what has settled.
  void Wait();

 private:
  // What a worker does, one after the other.
  enum class Phase {
    kEntries,  // What the walk has.
    kAlone,    // What could not be opened while others were open: see OpensAlone().
    kStreams,  // Last of its own, because nobody knows when a pipe or a terminal ends.
    kHelp,     // Other workers' large files.
    kEnded,
  };

  // A copy in flight and the entry it is for.
  struct Flight {
    Flight(BlockPool* pool, EngineCounters* counters) : copy(pool, counters) {}
    FileCopy copy;
    WaitingEntry entry;
    bool active = false;
  };

  // What copies blocks of another worker's file.
  struct Help {
    Help(BlockPool* pool, EngineCounters* counters)
        : source(counters), sink(counters), pump(pool, &source, &sink) {}
    FileSource source;
    FileSink sink;
    BlockPump pump;
  };

  // Chains are named by the copy and the lane that they belong to.
  static ChainId IdOf(int index, int lane) {
    return {static_cast<uint32_t>(index * kLanesMax + lane)};
  }
  static int IndexOf(ChainId id) { return static_cast<int>(id.value) / kLanesMax; }
  static int LaneOf(ChainId id) { return static_cast<int>(id.value) % kLanesMax; }

  // Each goes on with one phase; true when that is over.
  bool CopyEntries();
  bool CopyAlone();
  bool CopyStreams();
  bool HelpOthers();
  // Whether `copy`, which failed, is to be tried with no other file open: CIFS opens a
  // file under one name only, as long as another name of it is open, and says EINVAL for
  // the other (the client has one lease key for an inode, which servers refuse for a
  // second path).
  bool OpensAlone(const FileCopy& copy) const;
  // Gives up what it can: the job was cancelled.
  void StopCopies();
  // Takes in what has happened meanwhile.
  void TakeInSettled();
  bool idle() const {
    return kernel_->chains_in_flight() == 0 && backlog_.empty() && awaiting_.empty() &&
           awaiting_targets_.empty() && blocks_at_once_.empty() && to_copy_.empty();
  }
  void BeginToHelp();
  // Goes on with blocks of the file that is helped with; true when there are no more.
  bool CopyItsBlocks();

  // Starts copies until as many are in flight as should be, or kStartsMax.
  void Fill();
  // Not while a large file is copied at once: that would only be slower with others
  // beside it, and whoever has nothing to do gets half of the batch meanwhile.
  bool may_start() const {
    if (!blocks_at_once_.empty()) return false;
    const int in_flight = static_cast<int>(flights_.size() - free_flights_.size());
    return !free_flights_.empty() &&
           (in_flight < limits_.copies_in_flight_warm || !at_once_chooser_.is_warm());
  }
  // Begins with an entry: starts a flight, or copies a node at once.
  void Begin(const WaitingEntry& entry);
  // Starts the copy of the entry that is in flights_[index]. TakeFlight() gives an index.
  void StartFlight(int index);
  int TakeFlight();
  void CopyNodeEntry(WaitingEntry entry);
  // Begins anew with an entry that is not of the kind that its directory lists. False:
  // it has been looked at before, or is what it was said to be.
  bool Redirect(const WaitingEntry& entry, mode_t mode);
  // Looks at what was said to be a regular file and is none, or can't be opened;
  // as Redirect().
  bool LookAgain(const WaitingEntry& entry);
  void OnStreamEnded(const WaitingEntry& entry, const StreamCopy& copy);

  void OnSettled(const ChainResults& settled);
  // Hands what the copy of flights_[index] wants next to the kernel, and sees to its
  // pauses and its end.
  void Continue(int index);
  // Whether this thread has given up its CPU in order to wait, and for what.
  AtOnceChooser::Wait WaitSinceLastCall();
  // Hands what is in next_ to the kernel, and what follows from what that carries out.
  void Submit(int index);
  // Goes on with those large files that are copied at once.
  void CopyBlocksAtOnce();
  void CopyBlocksAtOnce(int index, int lane, Chain chain);
  // Carries out a chain, marked AtOnce(), that reads a block of a file said to be in
  // memory. False if it was not, and the chain was queued instead; *was_read if that was
  // seen too late, because the thread has read from a device.
  bool RunBlock(ChainId id, const Chain& chain, ChainResults* settled, bool* was_read);
  // Decides about a file that has several links; what follows is in next_.
  void OnMultiplyLinked(int index);
  // Has each of the copies that wait try to go on; those that can't wait again.
  void TryAgain(void (FileCopy::*go_on)(NextChains*), std::vector<int>* waiting);
  void OnDone(int index);
  void QueueChains(int index);
  void QueueBacklog();

  // Links `entry`, a name of the file `id`, to its copy, which is `copied_as`.
  void Link(const WaitingEntry& entry, const FileIdentity& id,
            const std::string& copied_as);
  // Whether `entry`, which has turned out to be the file `id` with so many `links`, is
  // the one to be copied; see LinkTable. A claim on another file, which had this name
  // before, is given back.
  LinkTable::Claim ClaimCopy(const FileIdentity& id, uint32_t links, WaitingEntry* entry,
                             std::string* copied_as);
  // Ends the claim that `entry` holds, if it does, and sees to whoever waited for it.
  void SettleClaim(WaitingEntry* entry, bool copied);

  // What an entry of the batch comes to.
  void TakeEntry(const WalkEntry& found, WaitingEntry* entry) const;
  FileCopyNames NamesOf(const WaitingEntry& entry) const;
  // Whether the link table is to know of the file although it may have a single link:
  // named symbolic links are followed, and may lead to it as well.
  bool OffersLinks(const WaitingEntry& entry) const {
    return entry.directory->is_top() && work_.policy.offer_named_links;
  }
  // How often a file with so many links is met at most, as `entry` and others.
  uint32_t LinksToMeet(const WaitingEntry& entry, uint64_t links) const {
    const bool any_number = work_.policy.offer_all_links || OffersLinks(entry) ||
                            work_.policy.may_meet_names_again;
    return any_number ? LinkTable::kAnyNumber : static_cast<uint32_t>(links);
  }
  // Warns if the copy of `entry` has found out that there is no polling.
  void WarnIfNotPolled(const WaitingEntry& entry, const FileCopy& copy);
  // Counts what was copied, and tells so; also that what was there was removed.
  void CountDone(const WaitingEntry& entry, OldTarget old_target);
  void TellRemoved(const WaitingEntry& entry);
  void CountFailed(const WaitingEntry& entry, const CopyFailure& failure);
  // A half-written target is still there because of `error_number`, unless that is 0.
  void TellOfRemoval(const WaitingEntry& entry, int error_number);
  void Release(const WaitingEntry& entry) {
    work_.walk->Release(kernel_, entry.directory);
  }
  // Adds what the ring has counted to counters_.
  void CountKernel();
  // Whether to give up: the job was cancelled, or the ring has failed.
  bool cancelled() const {
    return ring_failed_ || work_.cancelled->load(std::memory_order_relaxed);
  }

  SharedWork work_;
  TargetClaims::Desk claims_;
  Kernel* const kernel_;
  const Limits limits_;
  EngineCounters* const counters_;
  BlockPool* const pool_;
  std::deque<Flight> flights_;
  std::vector<int> free_flights_;
  AtOnceChooser at_once_chooser_;
  Phase phase_ = Phase::kEntries;
  absl::Duration idle_max_ = absl::ZeroDuration();
  bool stopping_ = false;  // StopCopies() was called.
  bool ring_failed_ = false;
  KernelCounters ring_counted_;  // Those in counters_ already.
  ThreadWaits waits_seen_;
  // Copies whose next chain is to be carried out at once, but not before other copies
  // have been seen to.
  std::deque<std::pair<ChainId, Chain>> blocks_at_once_;
  // Fill() has left off although there is more to start or to read.
  bool more_to_start_ = false;
  // The walk may have something for this worker.
  bool more_to_walk_ = true;
  WalkBatch batch_;
  std::vector<int> awaiting_;  // Flights that wait for a helper to leave.
  // Flights whose targets other copies write to.
  std::vector<int> awaiting_targets_;
  // Entries that a link's failure gave back to be copied, and those that are not what
  // they were said to be.
  std::vector<WaitingEntry> to_copy_;
  // Entries to be copied when all others are.
  std::deque<WaitingEntry> streams_;
  std::unique_ptr<StreamCopy> stream_;  // Of the first of them, if it is on its way.
  // Entries that could not be opened while others were open: see OpensAlone().
  std::deque<WaitingEntry> to_open_alone_;
  // Those of a round, how many rounds there were, and when the next one may begin.
  std::deque<WaitingEntry> alone_;
  int opens_alone_ = 0;
  SteadyTime next_alone_;
  bool copies_alone_ = false;  // One of them is on its way.
  bool opens_again_ = true;    // They are tried once more, if they fail again.
  // The other worker's file that this one helps with, and its blocks.
  SharedFile* helped_ = nullptr;
  std::optional<Help> help_;
  bool helps_at_once_ = false;
  NextChains next_;
  // Chains that the ring had no room for.
  std::deque<std::pair<ChainId, Chain>> backlog_;
  std::vector<ChainResults> settled_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WORKER_H_
