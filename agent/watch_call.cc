#include "agent/watch_call.h"

#include <optional>
#include <utility>

#include "grpcpp/support/status.h"

namespace ringcp {

WatchCall::WatchCall(std::unique_ptr<JobTable::Watch> watch, std::function<void()> on_end)
    : on_end_(std::move(on_end)), watch_(std::move(watch)) {}

WatchCall* WatchCall::Start(std::unique_ptr<JobTable::Watch> watch,
                            std::function<void()> on_end) {
  const std::shared_ptr<WatchCall> call(
      new WatchCall(std::move(watch), std::move(on_end)));
  call->self_ = call;
  {
    MutexLock lock(&call->mutex_);
    call->watch_->Tell(call);
  }
  call->OnNews();
  return call.get();
}

void WatchCall::OnNews() {
  MutexLock lock(&mutex_);
  has_news_ = true;
  SendNext();
}

void WatchCall::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  // A reader that is slow holds no memory meanwhile.
  event_.Clear();
  if (!ok || cancelled_) return EndEarly();
  // Without news there may be errors that the event had no room for.
  if (has_news_ || watch_->has_more_errors()) SendNext();
}

void WatchCall::OnCancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  // An event that is under way fails soon, and then the call ends.
  if (!writing_) EndEarly();
}

void WatchCall::OnDone() {
  {
    MutexLock lock(&mutex_);
    watch_.reset();
  }
  on_end_();
  // The last reference, unless the hub's thread is just calling.
  const std::shared_ptr<WatchCall> self = std::move(self_);
}

void WatchCall::SendNext() {
  if (writing_ || ended_ || cancelled_) return;
  has_news_ = false;
  std::optional<v1::JobEvent> event = watch_->Next();
  if (!event.has_value()) return;
  event_ = *std::move(event);
  if (watch_->ended()) {
    ended_ = true;
    StartWriteAndFinish(&event_, grpc::WriteOptions(), grpc::Status::OK);
  } else {
    writing_ = true;
    StartWrite(&event_);
  }
}

void WatchCall::EndEarly() {
  if (ended_) return;
  ended_ = true;
  Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher went away"));
}

}  // namespace ringcp
