// What the engine of a job did.
//
// Thread-safety: a plain value.

#ifndef RINGCP_CORE_BASE_ENGINE_REPORT_H_
#define RINGCP_CORE_BASE_ENGINE_REPORT_H_

#include <cstdint>
#include <string>

namespace ringcp {

// What the engine did, for --debug, the agent and benchmarks. What is done to
// directories, links, special files and streams is not counted: no chains are made of it.
struct EngineReport {
  // "uring" or "threads": what was there to copy with. What copied is told by the
  // counters.
  std::string engine;
  std::string reason;  // Why, in one sentence.
  int workers = 0;
  int64_t chains = 0;       // Of linked ops, handed to the ring together.
  int64_t sqes = 0;         // Ops queued to io_uring; 0 without it.
  int64_t linked = 0;       // Of the SQEs, those that are tied to the next one.
  int64_t ops_at_once = 0;  // Ops made by system calls.
  // Of these, those that io_uring could have made here: 0 with --engine=uring. Without
  // io_uring 0 as well.
  int64_t ops_at_once_with_opcode = 0;
  int64_t polled = 0;         // Of the SQEs, reads and writes that were to be polled.
  int64_t enters = 0;         // io_uring_enter calls; 0 without io_uring.
  int64_t files = 0;          // Files, links and special files made.
  int64_t short_reads = 0;    // Reads that returned less than asked and were continued.
  int64_t short_writes = 0;   // Writes likewise.
  int64_t retries = 0;        // EINTR and EAGAIN.
  int64_t files_at_once = 0;  // Files copied by calls at once, being in memory.
  int64_t files_direct = 0;   // Files copied with O_DIRECT.
  // With PageCache::kDrop and kBypass: sources, targets can't be read or written without
  // the page cache, and were dropped from it.
  bool drops_reads = false;
  bool drops_writes = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_ENGINE_REPORT_H_
