#include "core/job/questions.h"

#include <utility>

#include "core/base/check.h"
#include "core/kernel/start_thread.h"

namespace ringcp {

Questions::Questions(JobObserver* observer, bool removes)
    : observer_(observer), removes_(removes) {}

Questions::~Questions() = default;

Questions::Desk::~Desk() { RINGCP_CHECK(open_ == 0); }

void Questions::Desk::Ask(Question question) {
  ++open_;
  bool waits_here = false;
  {
    MutexLock lock(&questions_->mutex_);
    waits_here = !questions_->runs_;
    if (!waits_here) {
      questions_->waiting_.push_back({.desk = this, .question = std::move(question)});
      questions_->changed_.NotifyAll();
      return;
    }
  }
  question.is_yes = questions_->Answer(question);
  kernel_->Wake();
  MutexLock lock(&questions_->mutex_);
  answered_.push_back(std::move(question));
}

std::vector<Questions::Question> Questions::Desk::TakeAnswered() {
  std::vector<Question> taken;
  if (open_ == 0) return taken;
  MutexLock lock(&questions_->mutex_);
  taken.swap(answered_);
  open_ -= static_cast<int>(taken.size());
  return taken;
}

std::vector<Questions::Question> Questions::Desk::TakeAll() {
  std::vector<Question> taken;
  if (open_ == 0) return taken;
  MutexLock lock(&questions_->mutex_);
  taken.swap(answered_);
  for (Asked& asked : questions_->waiting_) {
    if (asked.desk != this) continue;
    asked.desk = nullptr;
    taken.push_back(asked.question);
  }
  open_ = 0;
  return taken;
}

void Questions::ExpectRun() {
  MutexLock lock(&mutex_);
  runs_ = true;
}

void Questions::Stop() {
  MutexLock lock(&mutex_);
  stops_ = true;
  runs_ = false;
  changed_.NotifyAll();
}

AskingThread::AskingThread(Questions* questions) : questions_(questions) {
  if (questions == nullptr) return;
  questions->ExpectRun();
  if (!StartThread([questions] { questions->Run(); }, &thread_)) questions->Stop();
}

AskingThread::~AskingThread() {
  if (questions_ != nullptr) questions_->Stop();
  if (thread_.joinable()) thread_.join();
}

void Questions::Run() {
  for (;;) {
    Question question;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && !stops_) changed_.Wait(&mutex_);
      if (stops_) return;
      if (waiting_.front().desk == nullptr) {
        waiting_.pop_front();
        continue;
      }
      question = waiting_.front().question;
    }
    const bool is_yes = Answer(question);
    MutexLock lock(&mutex_);
    Asked asked = std::move(waiting_.front());
    waiting_.pop_front();
    if (asked.desk == nullptr) continue;
    asked.question.is_yes = is_yes;
    asked.desk->answered_.push_back(std::move(asked.question));
    asked.desk->kernel_->Wake();
  }
}

}  // namespace ringcp
