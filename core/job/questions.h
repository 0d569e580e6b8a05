// Asks the user about targets that exist (-i), one question at a time, on a thread of its
// own, while the worker goes on with other files.
//
// A copy that meets such a target ends there, having changed nothing. Its entry waits
// here for the answer; if that is yes, its worker begins with it anew. To keep the copy
// itself waiting, with its files open, was the alternative: every kind of copy would need
// one more state, and each question a descriptor or two.
//
// Answers may come from a script, so questions are asked in the order in which the walk
// yields the entries: a question waits until all earlier entries have been decided on.
// For that there is one worker (worker_count.h).
//
// Thread-safety: any thread may call the methods of Questions. A Desk belongs to one
// thread.

#ifndef RINGCP_CORE_JOB_QUESTIONS_H_
#define RINGCP_CORE_JOB_QUESTIONS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/job_observer.h"
#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "core/tree/link_table.h"

namespace ringcp {

class Questions {
 public:
  // Once so many entries of one worker wait for answers, it begins with no others. A user
  // answers one in a second; more would take memory, and keep directories open.
  static constexpr int kOpenMax = 64;

  struct Question {
    WaitingEntry entry;
    std::string target;  // As a user would write it.
    mode_t mode = 0;     // The target's st_mode.
    bool is_yes = false;
  };

  // Where one worker asks. REQUIRES: `questions` and the thread's `kernel` outlive the
  // desk; nothing is open when it is destroyed.
  class Desk {
   public:
    // `questions`: nullptr if nothing is ever asked.
    Desk(Questions* questions, Kernel* kernel) : questions_(questions), kernel_(kernel) {}
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // The worker begins with an entry. Returns the entry's place in the order of
    // questions (WaitingEntry::order): 0 if nothing is ever asked.
    uint64_t Begin();
    // The entry with this place asks nothing, or not before all others have been decided
    // on. May be called several times.
    void Decide(uint64_t order);
    // Asks when it is the entry's turn, and has the kernel woken when there is an answer.
    // REQUIRES: `questions` was not nullptr.
    void Ask(Question question);
    // Takes out the questions that have been answered.
    std::vector<Question> TakeAnswered();
    // Takes all questions back, answered or not. From then on the kernel may be
    // destroyed.
    std::vector<Question> TakeAll();
    // Questions that have not been taken out yet.
    int open() const { return open_; }
    bool full() const { return open_ >= kOpenMax; }

   private:
    friend class Questions;
    // Hands over the questions whose turn it is.
    void HandOver();

    Questions* const questions_;
    Kernel* const kernel_;
    uint64_t begun_ = 0;
    // Of the entries begun, those that have not been decided on, and those behind them
    // that ask.
    std::map<uint64_t, std::optional<Question>> undecided_;
    int open_ = 0;
    // Guarded by questions_->mutex_:
    std::vector<Question> answered_;
  };

  // `cancelled`: the job's. `removes`: a target for which the answer is yes may be
  // removed. REQUIRES: `observer` and `cancelled` outlive this.
  Questions(JobObserver* observer, const std::atomic<bool>* cancelled, bool removes);
  ~Questions();
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

 private:
  friend class AskingThread;
  struct Asked {
    Desk* desk;  // nullptr: nobody wants the answer any more.
    Question question;
  };

  // Asks until Stop() is called.
  void Run();
  void ExpectRun();
  void Stop();
  bool Answer(const Question& question);

  JobObserver* const observer_;
  const std::atomic<bool>* const cancelled_;
  const bool removes_;

  Mutex asking_;  // Held while the user is asked.
  Mutex mutex_;
  CondVar changed_;
  bool runs_ ABSL_GUARDED_BY(mutex_) = false;
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  // The first one is the one that the user is being asked, if any.
  std::deque<Asked> waiting_ ABSL_GUARDED_BY(mutex_);
};

// Asks, from its construction to its destruction. Without it, or if no thread can be
// started, workers wait for each answer when they ask.
class AskingThread {
 public:
  // `questions`: nullptr for no thread. REQUIRES: they outlive it; when it is destroyed
  // no worker is left.
  explicit AskingThread(Questions* questions);
  ~AskingThread();
  AskingThread(const AskingThread&) = delete;
  AskingThread& operator=(const AskingThread&) = delete;

 private:
  Questions* const questions_;
  std::thread thread_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_QUESTIONS_H_
