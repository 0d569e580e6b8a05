// The part of ContentsCopy that leaves the copy to the server that has both files.

#include "core/base/check.h"
#include "core/file/contents_copy.h"
#include "core/kernel/file_system_table.h"

namespace ringcp {

bool ContentsCopy::may_copy_on_server() const {
  // Two file systems may be on one server, but who can't tell that had better not ask:
  // two servers would each hand the contents to Linux, which copies more slowly than
  // blocks on several lanes.
  return policy_->reflink == Reflink::kAuto && policy_->sparse == Sparse::kAuto &&
         !policy_->leaves_cache() && source_.size() > block_size_bytes_ &&
         files_.source_file_system == files_.target_file_system &&
         files_.target_file_system->may_copy_on_server();
}

void ContentsCopy::CopyBytes(NextChains* next) {
  if (!may_copy_on_server()) return CopyBlocks(next);
  is_on_server_ = true;
  control_->at_once = false;  // The server takes its time.
  server_.Reset();
  if (source_.has_holes()) return FindPieces(0, next);
  CopyOnServer(0, source_.end(), next);
}

void ContentsCopy::CopyOnServer(uint64_t begin, uint64_t end, NextChains* next) {
  server_.Start(begin, end);
  AskServer(next);
}

void ContentsCopy::AskServer(NextChains* next) {
  state_ = State::kCopyRange;
  Chain& chain = next->Add(0);
  if (!server_has_copied()) chain.Add(WriteBack(files_.source));
  chain.Add(server_.CopyPiece(files_.source, files_.target, policy_->kernel->Now()));
}

void ContentsCopy::OnCopyRange(absl::Span<const int32_t> results, NextChains* next) {
  // If the source could not be written back, the server was not asked.
  const int32_t result = results[0] < 0 ? results[0] : results.back();
  const bool is_refusal = !server_has_copied() && result == results.back();
  if (result > 0) {
    route_.server = ContentsRoute::Means::kYes;
    retries_ = 0;
    target_.blocks().Count(result);
    server_.OnCopied(static_cast<uint32_t>(result), policy_->kernel->Now());
  }
  if (control_->stopped) return Done(Outcome::kStopped);
  if (ShouldRetry(result, &retries_, counters_)) return AskServer(next);
  if (result > 0 && server_.offset() < server_.end()) return AskServer(next);
  if (result > 0) return source_.has_holes() ? FindPiece(next) : OnEndReached(next);
  if (is_refusal && FileSystem::RefusesAllServerCopies(-result)) {
    files_.target_file_system->NoteServerCopiesRefused();
  }
  LeaveServer(next);
}

void ContentsCopy::LeaveServer(NextChains* next) {
  const uint64_t begin = server_.offset();
  is_on_server_ = false;
  if (!server_has_copied()) route_.server = ContentsRoute::Means::kUnsupported;
  retries_ = 0;
  if (source_.has_holes()) return FindPieces(begin, next);
  if (begin == 0) return CopyBlocks(next);
  CopyRange(begin, server_.end(), next);
}

}  // namespace ringcp
