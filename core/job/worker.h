// One thread's share of a job: takes entries from the walk, keeps many copies in flight
// through its own kernel, and sees each of them to its end.
//
// A worker does what it can in steps and waits between them, in one place. So a test can
// drive any number of workers on one thread, in whatever order it likes.
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
#include "core/base/job_limit.h"
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
#include "core/job/entry_reports.h"
#include "core/job/node_task.h"
#include "core/job/shared_work.h"
#include "core/job/wait_control.h"
#include "core/job/walk_tasks.h"
#include "core/job/worker_limits.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/link_table.h"
#include "core/tree/walk.h"

namespace ringcp {

class Worker {
 public:
  // Copies started in a row before settled chains are handled. Copies that are carried
  // out at once end immediately and never fill the flights, so they need this limit.
  static constexpr int kStartsMax = 64;
  // How long blocks of a large file are copied at once in a row before settled chains are
  // handled: at least one block, and some 16 blocks of 256 KiB from memory.
  static constexpr std::chrono::milliseconds kRowTime{2};
  // Copies in flight of one directory's files while others are being read: the kernel
  // makes the entries of one directory one after another, so more would only wait.
  static constexpr int kCopiesOfDirectory = 8;
  // How long a worker idles before it checks whether the job was cancelled.
  static constexpr absl::Duration kPollInterval = absl::Milliseconds(100);
  // How long a worker with nothing else to do waits to be woken because another copy has
  // ended, before it checks by itself.
  static constexpr absl::Duration kTargetPollInterval = absl::Milliseconds(10);
  // Of a wait that was shorter nobody asks what it was for.
  static constexpr std::chrono::microseconds kLongWait{100};
  // How often a file is tried that can't be opened while others are open. Other workers
  // and programs have files open, too, so there are pauses between the tries, of two
  // seconds in all.
  static constexpr int kOpensAloneMax = 40;
  static constexpr std::chrono::milliseconds kOpensAlonePause{50};

  // REQUIRES: everything pointed to outlives the worker; `kernel` was made by the thread
  // that will call Run(), and has a slot for each copy in flight; `pool` has the blocks
  // that `limits` ask for.
  Worker(const SharedWork& work, Kernel* kernel, const WorkerLimits& limits,
         BlockPool* pool, EngineCounters* counters);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Copies until neither the walk nor any other worker has something left for this one,
  // or the job is cancelled. Returns OK, or why the ring has failed. After a failure the
  // walk is stopped, and both the worker and its pool must be kept, because the kernel
  // may still write to them.
  absl::Status Run();

  // Run() in parts, for a caller that drives several workers in turn: while (Step())
  // Wait();
  //
  // Does what can be done now; only calls that are made at once may wait. Returns false
  // when nothing is left to do.
  bool Step();
  // How long to idle before the next step, unless a chain settles or the kernel is woken
  // earlier; zero if there is more to do.
  absl::Duration idle_max() const { return idle_max_; }
  // Idles, and collects the chains that have settled.
  void Wait();

 private:
  // What a worker does, one phase after the other.
  enum class Phase {
    kEntries,  // What the walk yields.
    kAlone,    // Files that can't be opened while others are: see OpensAlone().
    kStreams,  // Its own entries' last: nobody knows when a pipe or a terminal ends.
    kHelp,     // Other workers' large files.
    kEnded,
  };

  // A copy in flight and the entry that it copies.
  struct Flight {
    Flight(BlockPool* pool, EngineCounters* counters) : copy(pool, counters) {}
    FileCopy copy;
    WaitingEntry entry;
    bool active = false;
    bool has_place = false;  // Its directory is in made_in_.
  };

  // Copies blocks of another worker's file.
  struct Help {
    Help(BlockPool* pool, EngineCounters* counters)
        : source(counters), sink(counters), pump(pool, &source, &sink) {}
    FileSource source;
    FileSink sink;
    BlockPump pump;
  };

  // The id of a chain names the copy and the lane that the chain belongs to.
  static ChainId IdOf(int index, int lane) {
    return {static_cast<uint32_t>(index * kLanesMax + lane)};
  }
  static int IndexOf(ChainId id) { return static_cast<int>(id.value) / kLanesMax; }
  static int LaneOf(ChainId id) { return static_cast<int>(id.value) % kLanesMax; }
  // Tasks are named by their indices, behind all that chains are named by.
  static constexpr uint32_t kReadings = uint32_t{1} << 29;
  static constexpr uint32_t kNodes = uint32_t{1} << 30;
  static constexpr uint32_t kLeavings = uint32_t{1} << 31;

  // Each of these continues one phase, and returns true when that phase is over.
  bool CopyEntries();
  bool CopyAlone();
  bool CopyStreams();
  bool HelpOthers();
  // Whether `copy`, which failed, is to be tried again while no other file is open. CIFS
  // refuses to open a file under one name while it is open under another name, with
  // EINVAL: its client has one lease key for each inode, and servers don't accept that
  // key for a second path.
  bool OpensAlone(const FileCopy& copy) const;
  // Gives up what it can, once the job was cancelled or the ring has failed.
  void StopIfCancelled();
  // Handles the chains that have settled, and continues copies that have waited.
  void TakeInSettled();
  bool idle() const {
    return kernel_->chains_in_flight() == 0 && backlog_.empty() && awaiting_.empty() &&
           awaiting_targets_.empty() && blocks_at_once_.empty() && to_copy_.empty() &&
           links_.empty() && held_back_.empty() && readings_in_hand() == 0 &&
           questions_.open() == 0;
  }
  void BeginToHelp();
  // Copies more blocks of the file that this worker helps with; true if none are left.
  bool CopyItsBlocks();
  // Starts copies until enough are in flight, or kStartsMax were started.
  void Fill();
  // A batch that has entries left: of a directory that has few in flight, if there is
  // one; among these the one with the fewest for each entry that is left, so that they
  // end together. nullptr if there is none, or if all have enough in flight and others
  // are being read meanwhile.
  WalkBatch* NextBatch();
  void NoteCopiedFrom();
  // Has another piece of a directory be read, unless enough are in hand, or there is
  // nothing to be read by now. Whether there is one more then.
  bool Read();
  bool may_read() const {
    const bool many = kernel_->helps_with_tasks() && !work_.policy.interactive;
    const int most = many ? wait_limits_.directories : 1;
    return more_to_walk_ && readings_in_hand() < most;
  }
  int readings_in_hand() const;
  int tasks_in_flight() const;  // Of helper threads.
  bool TakeIn(const ReadingTask& reading);
  void OnTaskEnded(ChainId id);
  // Gives the entries that are left back.
  void DropEntries(ReadingTask* reading);
  int flights_in_hand() const {
    return static_cast<int>(flights_.size() - free_flights_.size());
  }
  int nodes_in_hand() const {
    return static_cast<int>(nodes_.size() - free_nodes_.size());
  }
  int copies_in_flight() const { return flights_in_hand() + nodes_in_hand(); }
  // False while a large file is copied at once, because other copies beside it would only
  // slow it down. Meanwhile threads with nothing to do get half of the batch.
  bool may_start() const {
    if (!blocks_at_once_.empty()) return false;
    const int in_flight = copies_in_flight();
    return in_flight < limits_.copies_in_flight && in_flight < wait_limits_.copies &&
           (in_flight < limits_.copies_in_flight_warm || !at_once_chooser_.is_warm() ||
            wait_limits_.kernel.calls_wait);
  }
  // Begins with an entry: starts a flight, submits a node, or keeps a stream for later.
  void Begin(const WaitingEntry& entry);
  // Starts the copy of the entry in flights_[index]; TakeFlight() gives the index.
  void StartFlight(int index);
  int TakeFlight();
  void BeginNode(const WaitingEntry& entry);
  // Makes the target of `entry`, a name of the file `id`, a hard link to `copied_as`, the
  // copy of that file.
  void MakeLink(const WaitingEntry& entry, const FileIdentity& id,
                const std::string& copied_as);
  // Begins with the first of links_.
  void MakeNextLink();
  int TakeNode(const WaitingEntry& entry, NodeTask::Step step);  // Its index.
  void SubmitNode(int index);
  void OnNodeEnded(int index);
  // What follows when a node was looked at.
  enum class NodeNext {
    kTask,
    kEnd,      // Of the entry, which has failed.
    kNothing,  // The entry waits elsewhere.
  };
  NodeNext DecideNode(NodeTask* node);
  // Counts and tells what has come of it. Returns whether it was copied.
  bool CountNode(const NodeTask& node);
  // Begins anew with an entry whose file, of `mode`, may not be of the kind that is
  // listed. False if the entry has been looked at before.
  bool Redirect(const WaitingEntry& entry, mode_t mode);
  // Looks at an entry that was taken for a regular file but is none, or can't be opened,
  // and redirects it. False if that can't help: it has been looked at before, can't be
  // looked at, or is what it was taken for.
  bool LookAgain(const WaitingEntry& entry);
  // Streams are copied last, but what is asked about them has its turn.
  void KeepStream(const WaitingEntry& entry);
  void OnStreamEnded(const WaitingEntry& entry, const StreamCopy& copy);
  // Has the user be asked about the target of `entry`, whose st_mode is `mode`. If the
  // answer is yes, TakeInAnswers() adds the entry to to_copy_.
  void Ask(const WaitingEntry& entry, mode_t mode);
  void TakeInAnswers();
  void DropAsked(WaitingEntry* entry);

  void OnSettled(const ChainResults& settled);
  // Hands the next chains of the copy in flights_[index] to the kernel, and deals with
  // its pauses and its end.
  void Continue(int index);
  // Hands the chains in next_ to the kernel, and so on with what follows from chains that
  // the kernel carries out at once.
  void Submit(int index);
  // Whether `chain`, which is in next_, is not to be handed to the kernel now, because it
  // would make a file: it is held back, or dropped, and next_ has what follows.
  bool HoldsBack(ChainId id, const Chain& chain);
  // Whether one more file of `directory` may be made beside those that are.
  bool MayMake(const Directory* directory) const;
  // Gives the place of flights_[index] back if its target is not being made any more.
  void NoteMade(int index);
  // Goes on with the copies that were held back, as far as there is room.
  void MakeHeldBack();
  // Tells its copy that `chain` has not been carried out.
  void Drop(ChainId id, const Chain& chain);
  void DropHeldBack();
  // Continues the large files that are copied at once.
  void CopyBlocksAtOnce();
  void CopyBlocksAtOnce(int index, int lane, Chain chain);
  // Carries out at once a chain that copies a block. Returns false if the block was not
  // in memory, so that the chain was queued instead. Sets *was_read if that came to light
  // too late: the thread has already read the block from a device.
  bool RunBlock(ChainId id, const Chain& chain, ChainResults* settled, bool* was_read);
  // Decides about a file that has several links; its chains are in next_.
  void OnMultiplyLinked(int index);
  // Lets each waiting copy try to continue; one that still can't waits again.
  void TryAgain(void (FileCopy::*go_on)(NextChains*), std::vector<int>* waiting);
  void OnDone(int index);
  void QueueChains(int index);
  void QueueBacklog();

  // Whether `entry`, which has turned out to be the file `id` with `links` links, is to
  // be copied; see LinkTable. If the entry has a claim on another file, which had this
  // name before, it loses that claim.
  LinkTable::Claim ClaimCopy(const FileIdentity& id, uint32_t links, WaitingEntry* entry,
                             std::string* copied_as);
  // Ends the claim of `entry`, if any, and deals with the entries that waited for it.
  void EndClaim(WaitingEntry* entry, bool copied);

  // Fills `entry` in for `found`, which is in `batch`.
  void TakeEntry(const WalkBatch& batch, const WalkEntry& found, WaitingEntry* entry);
  FileCopyNames NamesOf(const WaitingEntry& entry) const;
  // Whether the link table has to know the file even if it has one link: symbolic links
  // named as sources are followed and may lead to it, too.
  bool OffersLinks(const WaitingEntry& entry) const {
    return entry.directory->names_sources() && work_.policy.offer_named_links;
  }
  // How often a file with `links` links may be met at most, as `entry` and as others.
  uint32_t LinksToMeet(const WaitingEntry& entry, uint64_t links) const {
    const bool any_number = work_.policy.offer_all_links || OffersLinks(entry) ||
                            work_.policy.may_meet_names_again || work_.policy.interactive;
    return any_number ? LinkTable::kAnyNumber : static_cast<uint32_t>(links);
  }
  void Release(const WaitingEntry& entry);
  // Keeps `entry`, with its hold, for when others are done.
  void PutAside(const WaitingEntry& entry, std::deque<WaitingEntry>* entries);
  // Gives back a hold on a directory, and has it be left if that was the last one.
  void Release(Directory* directory);
  // Adds what the kernel has counted since the last call to counters_.
  void CountKernel();
  // Notes what the time since the last wait, and the wait that began at `wait_begin` with
  // `in_flight` chains and tasks, `by_helpers` of them by helper threads, were spent on.
  void CountTime(SteadyTime wait_begin, int in_flight, int by_helpers);
  // What did not let more be under way in that wait, if it was a limit of ours.
  std::optional<JobLimit> LimitOf(int in_flight, int by_helpers) const;
  // Whether to give up: the job was cancelled, or the ring has failed.
  bool cancelled() const {
    return ring_failed_ || work_.cancelled->load(std::memory_order_relaxed);
  }

  SharedWork work_;
  TargetClaims::Desk claims_;
  Questions::Desk questions_;
  Kernel* const kernel_;
  const WorkerLimits limits_;
  EngineCounters* const counters_;
  BlockPool* const pool_;
  EntryReports reports_;
  std::deque<Flight> flights_;  // As many as there were in flight together.
  std::vector<int> free_flights_;
  AtOnceChooser at_once_chooser_;
  bool would_have_waited_ = false;  // A call was queued instead, since this was reset.
  Phase phase_ = Phase::kEntries;
  absl::Duration idle_max_ = absl::ZeroDuration();
  bool stopping_ = false;  // StopIfCancelled() has stopped what there was.
  bool ring_failed_ = false;
  std::optional<SteadyTime> step_begin_;  // When the last wait ended, or all began.
  KernelCounters ring_counted_;           // What counters_ has of it already.
  WaitAccount waits_;
  // Chains that each copy a block of a large file and are to be carried out at once,
  // after other copies have been handled.
  std::deque<std::pair<ChainId, Chain>> blocks_at_once_;
  // Fill() has stopped although there is more to start or to read.
  bool more_to_start_ = false;
  // The walk may have something for this worker.
  bool more_to_walk_ = true;
  // One for each directory that entries are taken from: a single one while directories
  // are read without waiting.
  std::deque<ReadingTask> readings_;
  size_t next_reading_ = 0;                    // The first to be looked at.
  std::vector<const Directory*> copied_from_;  // Of each copy in flight, by NextBatch().
  WaitControl::Limits wait_limits_;
  // The last reading has found nothing, and nothing has ended since.
  bool nothing_yet_ = false;
  std::deque<NodeTask> nodes_;
  std::vector<uint32_t> free_nodes_;
  std::deque<LeavingTask> leavings_;
  std::vector<uint32_t> free_leavings_;
  std::vector<int> awaiting_;  // Flights that wait for a helper to leave.
  // Flights that wait because other copies write to their targets.
  std::vector<int> awaiting_targets_;
  // Entries to begin with before the walk's next ones: names of a file that could not be
  // copied by another of its names, entries that are not what the directory lists, and
  // files to be opened alone.
  std::vector<WaitingEntry> to_copy_;
  std::deque<FurtherName> links_;  // To be made before any other entry is begun with.
  // Streams, to be copied when all other entries are.
  std::deque<WaitingEntry> streams_;
  std::unique_ptr<StreamCopy> stream_;  // Copies the first of them, once begun.
  // Entries that could not be opened while others were open: see OpensAlone(). They are
  // for the next round.
  std::deque<WaitingEntry> to_open_alone_;
  // What is left of the present round, how many rounds were begun, and when the next one
  // may begin.
  std::deque<WaitingEntry> alone_;
  int opens_alone_ = 0;
  SteadyTime next_alone_;
  bool copies_alone_ = false;  // An entry of the round is being copied.
  bool opens_again_ = true;    // An entry that fails again gets one more try.
  // The other worker's file that this one helps with, and what copies its blocks.
  SharedFile* helped_ = nullptr;
  std::optional<Help> help_;
  bool helps_at_once_ = false;
  NextChains next_;
  // Chains that the kernel had no room for.
  std::deque<std::pair<ChainId, Chain>> backlog_;
  std::vector<const Directory*> made_in_;  // Of each target that is being made.
  // Chains that make files, while enough of the same directory are being made.
  std::deque<std::pair<ChainId, Chain>> held_back_;
  std::vector<const Directory*> has_room_;  // Of which one more may be made since.
  int waits_to_hold_back_ = 0;              // Since the last long one; see WorkerLimits.
  std::vector<ChainResults> settled_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WORKER_H_
