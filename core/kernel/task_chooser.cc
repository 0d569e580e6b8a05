#include "core/kernel/task_chooser.h"

#include <algorithm>

namespace ringcp {

void TaskChooser::Run(Kernel* kernel, Task* task) {
  // The CPU time that comes with the waits is as old as the last tick.
  const ThreadWaits before = kernel->Waits();
  const absl::Duration cpu_before = kernel->ThreadCpuTime();
  const SteadyTime start = kernel->Now();
  task->Run(kernel);
  const auto time = kernel->Now() - start;
  if (time < kSlowCallMin) return Note(Waited::kNot);
  // A task may make many calls, so that it takes long without waiting. One that needs its
  // CPU for most of its time is not worth handing over.
  const auto off_cpu =
      time - absl::ToChronoNanoseconds(kernel->ThreadCpuTime() - cpu_before);
  Note(2 * off_cpu < time ? Waited::kNot : WaitedFor(off_cpu, before, kernel->Waits()));
}

void TaskChooser::Note(Waited waited) {
  const bool handed_over = hands_over();
  // Where there are more threads than CPUs, a thread may be away for long because of the
  // others. So long waits of helper threads weigh no more than short ones.
  const int weight = waited == Waited::kNot                    ? -1
                     : waited == Waited::kLong && !handed_over ? kLongWeight
                                                               : kShortWeight;
  int balance = std::clamp(balance_.load(std::memory_order_relaxed) + weight, 0, kMost);
  const bool begins = !handed_over && balance >= kEnough;
  if (begins) balance = kMost;
  balance_.store(balance, std::memory_order_relaxed);
  if (begins || balance == 0) hands_over_.store(begins, std::memory_order_relaxed);
}

}  // namespace ringcp
