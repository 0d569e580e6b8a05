// Chooses whether tasks are carried out by a kernel's own thread or by its helper
// threads, depending on how many of the last ones spent their time waiting. Whoever
// carries a task out tells, so nobody has to wait just to find out.
//
// Why not as soon as one waits: two threads that make directories wait for each other's
// locks now and then, on any file system. To hand such tasks over only makes more threads
// wait for the same locks.
//
// Thread-safety: any thread may call all methods. A note that is lost because two threads
// take notes together does not matter.

#ifndef RINGCP_CORE_KERNEL_TASK_CHOOSER_H_
#define RINGCP_CORE_KERNEL_TASK_CHOOSER_H_

#include <atomic>

#include "core/kernel/kernel.h"
#include "core/kernel/waited.h"

namespace ringcp {

class TaskChooser {
 public:
  // A task that waited weighs as much as so many that did not.
  static constexpr int kShortWeight = 2;
  static constexpr int kLongWeight = 4;
  // Tasks are handed over once waiting outweighs not waiting by so much: after two long
  // waits in a row, but not after one for a file system's journal.
  static constexpr int kEnough = 8;
  // That ends after so many tasks in a row that don't wait.
  static constexpr int kMost = 64;

  // Whether helper threads are to carry out tasks.
  bool hands_over() const { return hands_over_.load(std::memory_order_relaxed); }

  // Carries out `task` on this thread, and notes whether it waited.
  void Run(Kernel* kernel, Task* task);

  void Note(Waited waited);

 private:
  // Of waiting against not waiting: 0 to kMost. Where the first task of all waits for
  // long, nothing is in memory, so at the beginning one is enough, or two short waits.
  std::atomic<int> balance_ = kEnough - kLongWeight;
  std::atomic<bool> hands_over_ = false;
};

// A kernel's choosers: many short tasks that don't wait, links to files say, must not
// hide that the few long ones do, nor the other way round.
struct TaskChoosers {
  TaskChooser& For(const Task& task) { return task.is_short() ? for_short : for_long; }

  TaskChooser for_long;
  TaskChooser for_short;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_TASK_CHOOSER_H_
