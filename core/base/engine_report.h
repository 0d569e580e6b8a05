// What the engine of a job did, for --debug, the agent and benchmarks. Work on
// directories, links, special files and streams is not counted, because no chains are
// made of it.
//
// Thread-safety: a plain value.

#ifndef RINGCP_CORE_BASE_ENGINE_REPORT_H_
#define RINGCP_CORE_BASE_ENGINE_REPORT_H_

#include <cstdint>
#include <string>

namespace ringcp {

struct EngineReport {
  // The engine that was available: "uring" or "threads". The counters tell which one did
  // the work.
  std::string engine;
  std::string reason;  // Why, in one sentence.
  int workers = 0;
  int64_t chains = 0;       // Of tied ops, handed to the kernel together.
  int64_t sqes = 0;         // Ops queued to io_uring; 0 without it.
  int64_t linked = 0;       // Of the SQEs, those that are tied to the next one.
  int64_t ops_at_once = 0;  // Ops carried out by system calls.
  // Of these, the ops that io_uring has an opcode for here. 0 without io_uring, and with
  // --engine=uring.
  int64_t ops_at_once_with_opcode = 0;
  int64_t polled = 0;         // Of the SQEs, reads and writes queued to be polled.
  int64_t enters = 0;         // io_uring_enter calls; 0 without io_uring.
  int64_t files = 0;          // Files, links and special files made.
  int64_t short_reads = 0;    // Reads that returned less than asked and were continued.
  int64_t short_writes = 0;   // The same for writes.
  int64_t retries = 0;        // After EINTR and EAGAIN.
  int64_t files_at_once = 0;  // Files copied at once, because they were in memory.
  int64_t files_direct = 0;   // Files copied with O_DIRECT.
  // What was under way at a time, of all workers: files, directories and links, on
  // average, of late while the job runs, and of all of its time once it has ended.
  double in_flight = 0;
  // What kept the job from being faster in that time: "the CPU", "the source", "the
  // target" or a limit of ours, by name (job_limit.h). Empty until it is known.
  std::string limited_by;
  // With PageCache::kDrop and kBypass: sources can't be read (targets can't be written)
  // without the page cache, so their contents were dropped from it afterwards.
  bool drops_reads = false;
  bool drops_writes = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_ENGINE_REPORT_H_
