// Entries that are neither regular files nor directories, and further names of files:
// each is a task, so that a helper thread may carry it out.

#include <sys/stat.h>

#include "core/base/file_identity.h"
#include "core/job/worker.h"

namespace ringcp {

int Worker::TakeNode(const WaitingEntry& entry, NodeTask::Step step) {
  if (free_nodes_.empty()) {
    free_nodes_.push_back(static_cast<uint32_t>(nodes_.size()));
    nodes_.emplace_back(&work_);
  }
  const uint32_t index = free_nodes_.back();
  free_nodes_.pop_back();
  NodeTask& node = nodes_[index];
  node.is_in_hand = true;
  node.entry = entry;
  node.step = step;
  return static_cast<int>(index);
}

void Worker::BeginNode(const WaitingEntry& entry) {
  const int index = TakeNode(entry, NodeTask::Step::kLook);
  NodeTask& node = nodes_[index];
  if (!entry.looked_at) node.entry.follow = work_.policy.follows_links;
  SubmitNode(index);
}

void Worker::MakeLink(const WaitingEntry& entry, const FileIdentity& id,
                      const std::string& copied_as) {
  const int index = TakeNode(entry, NodeTask::Step::kLink);
  NodeTask& node = nodes_[index];
  node.id = id;
  node.copied_as = copied_as;
  SubmitNode(index);
}

void Worker::MakeNextLink() {
  const FurtherName name = std::move(links_.front());
  links_.pop_front();
  MakeLink(name.entry, name.id, *name.copied_as);
}

void Worker::SubmitNode(int index) {
  NodeTask& node = nodes_[index];
  node.names = NamesOf(node.entry);
  const ChainId id = {kNodes + static_cast<uint32_t>(index)};
  if (kernel_->SubmitTask(id, &node) != Submitted::kQueued) OnNodeEnded(index);
}

void Worker::OnNodeEnded(int index) {
  NodeTask& node = nodes_[index];
  bool copied = false;
  auto next = NodeNext::kEnd;
  if (!node.was_cancelled) {
    if (node.step == NodeTask::Step::kLook) {
      next = DecideNode(&node);
    } else if (node.result.outcome == NodeOutcome::kAsks) {
      Ask(node.entry, node.result.target_mode);
      next = NodeNext::kNothing;
    } else {
      copied = CountNode(node);
    }
  }
  if (next == NodeNext::kTask) return SubmitNode(index);
  if (next == NodeNext::kEnd) {
    EndClaim(&node.entry, copied);
    Release(node.entry);
  }
  node.source.reset();
  node.is_in_hand = false;
  free_nodes_.push_back(static_cast<uint32_t>(index));
}

Worker::NodeNext Worker::DecideNode(NodeTask* node) {
  WaitingEntry& entry = node->entry;
  if (node->look_error != 0) {
    reports_.Failed(entry,
                    {.operation = Operation::kStat, .error_number = node->look_error});
    return NodeNext::kEnd;
  }
  const struct statx& stat = node->source->stat();
  const bool is_node = node->is_node();
  const bool is_other = S_ISREG(stat.stx_mode) || S_ISDIR(stat.stx_mode);
  if (!is_node && !is_other) {
    entry.kind = EntryKind::kStream;
    EndClaim(&entry, /*copied=*/false);
    KeepStream(entry);
    return NodeNext::kNothing;
  }
  if (!is_node && Redirect(entry, stat.stx_mode)) return NodeNext::kNothing;
  if (node->may_have_names()) {
    entry.kind = S_ISLNK(stat.stx_mode) ? EntryKind::kSymlink : EntryKind::kSpecial;
    node->id = IdentityOf(stat);
    const uint32_t links = LinksToMeet(entry, stat.stx_nlink);
    switch (ClaimCopy(node->id, links, &entry, &node->copied_as)) {
      case LinkTable::Claim::kCopy:
        break;
      case LinkTable::Claim::kLink:
        node->source.reset();
        node->step = NodeTask::Step::kLink;
        return NodeNext::kTask;
      case LinkTable::Claim::kWaitForLater:
        questions_.Decide(entry.order);
        [[fallthrough]];
      case LinkTable::Claim::kWait:
        return NodeNext::kNothing;
    }
  }
  if (!is_node) {
    reports_.Failed(entry, {.refusal = Refusal::kSourceReplaced});
    return NodeNext::kEnd;
  }
  node->step = NodeTask::Step::kCopy;
  return NodeNext::kTask;
}

bool Worker::CountNode(const NodeTask& node) {
  const NodeResult& result = node.result;
  const WaitingEntry& entry = node.entry;
  const EntryReports::Old old = {result.old_target, result.backup};
  reports_.OfXattrs(entry, result.xattr_failures);
  reports_.OfRemoval(entry, result.left_behind, result.left_behind_error);
  switch (result.outcome) {
    case NodeOutcome::kCopied:
      reports_.Copied(entry, old);
      return true;
    case NodeOutcome::kSkipped:
    case NodeOutcome::kKeptNewer:
      reports_.Skipped(entry, old);
      return result.outcome == NodeOutcome::kKeptNewer;
    case NodeOutcome::kAsks:
    case NodeOutcome::kFailed:
      break;
  }
  if (result.failure.operation != Operation::kMakeHardLink ||
      work_.policy.makes == Makes::kHardLinks) {
    reports_.Failed(entry, result.failure, old, result.is_made);
  } else {
    reports_.FailedToLink(entry, node.copied_as, result.failure.error_number, old);
  }
  return false;
}

}  // namespace ringcp
