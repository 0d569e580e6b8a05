#include "core/file/target_decision.h"

#include <cerrno>

#include "core/base/check.h"
#include "core/base/enum_set.h"
#include "core/base/file_age.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/target_rules.h"
#include "core/kernel/standard_streams.h"

namespace ringcp {
namespace {

// Whether a row holds, as far as the facts are known.
struct Match {
  bool is_possible = true;
  Fact open = Fact::kNone;  // The first fact that leaves open whether it holds.

  template <typename Value>
  void Try(Fact fact, EnumSet<Value> wanted, EnumSet<Value> possible) {
    if (!wanted.Meets(possible)) is_possible = false;
    if (!wanted.Contains(possible) && open == Fact::kNone) open = fact;
  }
};

Match TryRow(const TargetRule& row, const TargetQuestion& question) {
  Match match;
  match.is_possible =
      row.kinds.Contains(question.kind) && question.conditions.Contains(row.with) &&
      !question.conditions.Meets(row.without) && row.opening.Contains(question.opening);
  match.Try(Fact::kThere, row.there, question.there);
  match.Try(Fact::kNames, row.names, question.names);
  match.Try(Fact::kAge, row.age, question.age);
  match.Try(Fact::kRelation, row.relation, question.relation);
  return match;
}

There TypeOf(const struct statx& stat) {
  switch (stat.stx_mode & S_IFMT) {
    case S_IFREG:
      return There::kRegular;
    case S_IFDIR:
      return There::kDirectory;
    case S_IFLNK:
      return There::kLink;
    case S_IFSOCK:
      return There::kSocket;
    default:
      return There::kSpecial;
  }
}

There ThereByName(int32_t result, const struct statx& stat) {
  if (result == 0) return TypeOf(stat);
  return result == -ENOENT ? There::kNothing : There::kUnknown;
}

There ThereThroughLinks(int32_t result, const struct statx& stat) {
  switch (result) {
    case 0:
      return IsClosedStream(stat) ? There::kClosedStream : TypeOf(stat);
    case -ENOENT:
      return There::kDangling;
    case -ELOOP:
      return There::kLoop;
    default:
      return There::kUnknown;
  }
}

}  // namespace

bool TargetQuestion::looks_through_links() const {
  return kThroughLinks.Contains(kind) &&
         !conditions.Meets({Condition::kRemoveDestination, Condition::kBackup});
}

void TargetQuestion::NoteFailedOpening(int error_number) {
  opening = RemovingMayHelp(error_number) ? Opening::kRefused : Opening::kFailed;
}

void TargetQuestion::NoteLook(int32_t result, const struct statx& stat) {
  there =
      looks_through_links() ? ThereThroughLinks(result, stat) : ThereByName(result, stat);
  names = result == 0 && stat.stx_nlink > 1 ? Names::kSeveral : Names::kOne;
}

void TargetQuestion::NoteLook(int32_t result, const struct statx& stat,
                              const struct statx& source) {
  NoteLook(result, stat);
  NoteAge(result, stat, source);
  relation = looks_through_links() ? RelationOf(source, stat) : EnumSet<Relation>::All();
}

void TargetQuestion::NoteAge(int32_t result, const struct statx& stat,
                             const struct statx& source) {
  age = result == 0 &&
                !IsOlder(stat, source, conditions.Meets(Condition::kKeepTimes), time_unit)
            ? Age::kNotOlder
            : Age::kOlder;
}

TargetDecision DecideTarget(const TargetQuestion& question) {
  TargetDecision decision;
  for (const TargetRule& row : TargetRules()) {
    const Match match = TryRow(row, question);
    if (!match.is_possible) continue;
    if (match.open != Fact::kNone) {
      decision.look = match.open;
    } else {
      decision = {.fate = row.fate, .old_target = row.old_target, .refusal = row.refusal};
    }
    return decision;
  }
  RINGCP_CHECK(false);  // The last row holds for every question.
  return decision;
}

TargetDecision DecideOpenTarget(CopyKind kind, const struct statx& source,
                                const struct statx& target) {
  TargetQuestion question = {.kind = kind};
  question.opening = Opening::kOpen;
  question.NoteLook(/*result=*/0, target, source);
  return DecideTarget(question);
}

CopyFailure FailureOf(const TargetDecision& decision, Operation make, int error_number) {
  if (decision.fate == Fate::kRefuse) return RefusedTarget(decision.refusal);
  return TargetFailure(decision.fate == Fate::kFailToLook ? Operation::kStat : make,
                       error_number);
}

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
  add(Condition::kAsks, policy.interactive && !names.may_replace);
  add(Condition::kMayReplace, policy.interactive && names.may_replace);
  add(Condition::kBackup, policy.backup != Backup::kNone);
  add(Condition::kKeepLinks, policy.preserve.links);
  add(Condition::kAttributesOnly, policy.attributes_only);
  add(Condition::kWritesThroughDanglingLinks, policy.writes_through_dangling_links);
  add(Condition::kFollowsLinks, names.follows_links_here);
  add(Condition::kInNewDirectory, names.target_directory_created);
  return question;
}

EnumSet<Relation> RelationOf(const struct statx& source, const struct statx& target) {
  return SameFile(source, target) ? kSameFile : EnumSet<Relation>(Relation::kOtherFile);
}

}  // namespace ringcp
