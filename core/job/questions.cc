#include "core/job/questions.h"

#include <utility>

#include "core/base/check.h"
#include "core/kernel/start_thread.h"

namespace ringcp {

Questions::Questions(JobObserver* observer, const std::atomic<bool>* cancelled,
                     bool removes)
    : observer_(observer), cancelled_(cancelled), removes_(removes) {}

Questions::~Questions() = default;

bool Questions::Answer(const Question& question) {
  MutexLock lock(&asking_);
  return !cancelled_->load(std::memory_order_relaxed) &&
         observer_->OnAsk(question.target, question.mode, removes_);
}

Questions::Desk::~Desk() { RINGCP_CHECK(open_ == 0); }

uint64_t Questions::Desk::Begin() {
  if (questions_ == nullptr) return 0;
  undecided_.emplace(++begun_, std::nullopt);
  return begun_;
}

void Questions::Desk::Decide(uint64_t order) {
  const auto found = undecided_.find(order);
  if (found == undecided_.end() || found->second.has_value()) return;
  undecided_.erase(found);
  HandOver();
}

void Questions::Desk::Ask(Question question) {
  ++open_;
  // An entry that has been decided on before asks behind all that are begun by now.
  const uint64_t order =
      undecided_.contains(question.entry.order) ? question.entry.order : ++begun_;
  undecided_[order] = std::move(question);
  HandOver();
}

void Questions::Desk::HandOver() {
  while (!undecided_.empty() && undecided_.begin()->second.has_value()) {
    Question question = *std::move(undecided_.begin()->second);
    undecided_.erase(undecided_.begin());
    {
      MutexLock lock(&questions_->mutex_);
      if (questions_->runs_) {
        questions_->waiting_.push_back({.desk = this, .question = std::move(question)});
        questions_->changed_.NotifyAll();
        continue;
      }
    }
    question.is_yes = questions_->Answer(question);
    kernel_->Wake();
    MutexLock lock(&questions_->mutex_);
    answered_.push_back(std::move(question));
  }
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
  for (auto& [order, question] : undecided_) {
    if (question.has_value()) taken.push_back(*std::move(question));
  }
  undecided_.clear();
  if (open_ == 0) return taken;
  MutexLock lock(&questions_->mutex_);
  taken.insert(taken.end(), answered_.begin(), answered_.end());
  answered_.clear();
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
  if (questions_ == nullptr) return;
  questions_->Stop();
  // If the workers have given up, nobody waits for the answer that is being waited for.
  questions_->observer_->OnStopAsking();
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
