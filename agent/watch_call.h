// One call of WatchJob: sends a job's events to a client, one after the other, but no
// faster than the hub tells of news. While an event is under way to a slow reader, the
// versions that pass are skipped.
//
// Thread-safety: gRPC and the hub's thread call it at the same time. It owns itself: it
// is gone when gRPC has ended the call.

#ifndef RINGCP_AGENT_WATCH_CALL_H_
#define RINGCP_AGENT_WATCH_CALL_H_

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "agent/job_table.h"
#include "agent/watch_hub.h"
#include "core/base/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

class WatchCall final : public grpc::ServerWriteReactor<v1::JobEvent>, public Watcher {
 public:
  // Begins to send what `watch` has. `on_end` is called once, when the call has ended.
  static WatchCall* Start(std::unique_ptr<JobTable::Watch> watch,
                          std::function<void()> on_end);

  void OnNews() override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchCall(std::unique_ptr<JobTable::Watch> watch, std::function<void()> on_end);

  // Sends the next event, if there is one and none is under way.
  void SendNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the call for a client that went away.
  void EndEarly() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void()> on_end_;
  // Keeps this alive until OnDone().
  std::shared_ptr<WatchCall> self_;

  Mutex mutex_;
  std::unique_ptr<JobTable::Watch> watch_ ABSL_GUARDED_BY(mutex_);
  v1::JobEvent event_;  // gRPC reads it until OnWriteDone(), the last one until OnDone().
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // There was news while an event was under way.
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  // gRPC was told how the call ends, and takes nothing more.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_WATCH_CALL_H_
