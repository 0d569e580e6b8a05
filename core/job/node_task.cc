#include "core/job/node_task.h"

#include <sys/stat.h>

#include "core/file/hard_link.h"
#include "core/kernel/call_side.h"
#include "core/tree/directory.h"
#include "core/tree/target_directory.h"

namespace ringcp {

void NodeTask::Run(Kernel* kernel) {
  was_cancelled = work->cancelled->load(std::memory_order_relaxed);
  if (was_cancelled) return source.reset();
  if (step == Step::kLink) return MakeLink(kernel);
  if (step == Step::kLook) {
    source.emplace(kernel);
    look_error = source->Open(names);
    if (look_error != 0) return;
    if (!is_node() || may_have_names()) return;
    step = Step::kCopy;
  }
  result = Make();
  source.reset();
}

NodeResult NodeTask::Make() const {
  const OnSide on_side(Side::kTarget);
  switch (work->policy.makes) {
    case Makes::kCopies:
      break;
    case Makes::kHardLinks:
      return MakeHardLinkToSource(work->policy, names, *source);
    case Makes::kSymbolicLinks:
      return MakeLinkToSource(work->policy, names, *source,
                              SourcePath(*entry.directory, entry.source_name));
  }
  return CopyNode(work->policy, names, *source);
}

bool NodeTask::is_node() const {
  const mode_t mode = source->stat().stx_mode;
  if (S_ISDIR(mode)) return false;
  const bool has_contents =
      S_ISREG(mode) || (work->policy.copy_contents && !S_ISLNK(mode));
  return work->policy.makes != Makes::kCopies || !has_contents;
}

bool NodeTask::may_have_names() const {
  return work->policy.preserve.links && work->policy.makes != Makes::kHardLinks &&
         (source->stat().stx_nlink > 1 || work->policy.offer_all_links ||
          names.offers_links || entry.claimed.has_value());
}

void NodeTask::MakeLink(Kernel* kernel) {
  const OnSide on_side(Side::kTarget);
  const std::string here = TargetPathBelowTop(*entry.directory);
  const size_t slash = copied_as.rfind('/');
  const std::string existing_name = copied_as.substr(slash + 1);
  const std::string existing_in =
      slash == std::string::npos ? "" : copied_as.substr(0, slash);
  // Most hard links to a file are in one directory.
  const bool neighbours = existing_in == here;
  const int existing_directory =
      neighbours ? entry.directory->target->fd
                 : OpenParentBeneath(work->policy, kernel, work->walk->top()->target->fd,
                                     copied_as);
  if (existing_directory < 0) {
    result = {};
    result.failure = TargetFailure(Operation::kMakeHardLink, -existing_directory);
    return;
  }
  const CopyKind kind = entry.kind == EntryKind::kRegular   ? CopyKind::kContents
                        : entry.kind == EntryKind::kSymlink ? CopyKind::kLink
                                                            : CopyKind::kNode;
  result = MakeHardLink(work->policy, names,
                        {.source = id,
                         .kind = kind,
                         .directory = existing_directory,
                         .name = existing_name.c_str()});
  if (!neighbours) kernel->Close(existing_directory);
}

}  // namespace ringcp
