// What has to be asked about a target, by the options.

#include "core/file/target_decision.h"

namespace ringcp {

TargetQuestion QuestionAbout(CopyKind kind, const FileCopyPolicy& policy,
                             const FileCopyNames& names) {
  TargetQuestion question = {.kind = kind};
  if (names.target_file_system != nullptr) {
    question.time_unit = names.target_file_system->time_unit();
  }
  const auto add = [&](Condition condition, bool holds) {
    if (holds) question.conditions.Add(condition);
  };
  add(Condition::kForce, policy.force);
  add(Condition::kKeepExisting, KeepsExisting(policy.update));
  add(Condition::kMustReplace, policy.update == Update::kNoneFail);
  add(Condition::kOnlyOlder, policy.update == Update::kOlder);
  add(Condition::kKeepTimes, policy.preserve.timestamps);
  add(Condition::kRemoveDestination, policy.remove_destination);
  add(Condition::kBackup, policy.backup != Backup::kNone);
  add(Condition::kKeepLinks, policy.preserve.links);
  add(Condition::kAttributesOnly, policy.attributes_only);
  add(Condition::kWritesThroughDanglingLinks, policy.writes_through_dangling_links);
  add(Condition::kFollowsLinks, names.follows_links_here);
  add(Condition::kInNewDirectory, names.target_directory_created);
  return question;
}

}  // namespace ringcp
