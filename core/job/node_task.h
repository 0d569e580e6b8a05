// Copies an entry that is neither a regular file nor a directory, makes a link to an
// entry (-l, -s), or one more name of a file that was copied: a task that a helper thread
// may carry out.
//
// Thread-safety: while the task is under way, the thread that carries it out may change
// it, but for `entry` and `is_in_hand`, and nobody else; otherwise it is the worker's.

#ifndef RINGCP_CORE_JOB_NODE_TASK_H_
#define RINGCP_CORE_JOB_NODE_TASK_H_

#include <memory>
#include <optional>
#include <string>

#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"
#include "core/file/node_copy.h"
#include "core/job/shared_work.h"
#include "core/kernel/kernel.h"
#include "core/tree/link_table.h"

namespace ringcp {

// A further name of the file `id`, which was copied under another name, to the path
// `copied_as` below the target's top.
struct FurtherName {
  WaitingEntry entry;
  FileIdentity id;
  std::shared_ptr<const std::string> copied_as;
};

struct NodeTask : Task {
  enum class Step {
    kLook,  // Look at the source, and go on with kCopy unless the worker has to decide.
    kCopy,
    kLink,
  };

  // REQUIRES: `shared_work` outlives the task.
  explicit NodeTask(const SharedWork* shared_work) : work(shared_work) {}

  // Takes the step that is to be taken, if the job was not cancelled. What has come of it
  // is in `was_cancelled`, `look_error` (of kLook) and `result`.
  void Run(Kernel* kernel) override;
  bool is_short() const override { return true; }

  // Whether the source, which was looked at, is for this task: it is no directory, and,
  // unless links are made, nothing whose contents are copied.
  bool is_node() const;
  // Whether the source, which was looked at, may have other names that are copied as well
  // or were already: then the worker decides what is to become of it.
  bool may_have_names() const;

  const SharedWork* const work;
  bool is_in_hand = false;  // Else free.
  WaitingEntry entry;
  FileCopyNames names;  // Of `entry`.
  Step step = Step::kLook;
  // Of kLink: the file, and the path of its copy below the target's top.
  FileIdentity id;
  std::string copied_as;

  bool was_cancelled = false;
  int look_error = 0;  // Or an errno.
  std::optional<NodeSource> source;
  NodeResult result;

 private:
  // A copy of the source, or a link to it, as the options say.
  NodeResult Make() const;
  void MakeLink(Kernel* kernel);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_NODE_TASK_H_
