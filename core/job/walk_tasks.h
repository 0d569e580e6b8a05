// What a worker has helper threads do with directories, where that has to be waited for.
//
// Thread-safety: while a task is under way it belongs to the thread that carries it out,
// but for has_begun; else to the worker.

#ifndef RINGCP_CORE_JOB_WALK_TASKS_H_
#define RINGCP_CORE_JOB_WALK_TASKS_H_

#include <atomic>

#include "core/kernel/kernel.h"
#include "core/tree/walk.h"

namespace ringcp {

// A piece of a directory: on its way, or read, with what is left of it.
struct ReadingTask : Task {
  explicit ReadingTask(Walk* read_walk) : walk(read_walk) {}
  void Run(Kernel* kernel) override {
    has_begun = true;
    result = walk->Next(kernel, may_wait, &batch);
  }

  Walk* const walk;
  bool may_wait = false;
  bool is_under_way = false;
  // The task has begun, so that the walk knows what it has taken.
  std::atomic<bool> has_begun = false;
  bool has_entries() const { return !is_under_way && !batch.entries().empty(); }
  bool is_in_hand() const { return is_under_way || has_entries(); }
  Walk::Result result = Walk::Result::kNothingYet;
  WalkBatch batch;
};

// A directory in which everything is done is left.
struct LeavingTask : Task {
  explicit LeavingTask(Walk* left_walk) : walk(left_walk) {}
  void Run(Kernel* kernel) override { walk->Leave(kernel, directory); }

  Walk* const walk;
  Directory* directory = nullptr;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WALK_TASKS_H_
