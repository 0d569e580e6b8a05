// GNU cp's rules about what becomes of a target, as the rows of one table.
// target_decision.h says how they are asked; nobody else looks at them.
//
// Thread-safety: a constant table.

#ifndef RINGCP_CORE_FILE_TARGET_RULES_H_
#define RINGCP_CORE_FILE_TARGET_RULES_H_

#include "absl/types/span.h"
#include "core/base/enum_set.h"
#include "core/file/copy_policy.h"
#include "core/file/target_facts.h"

namespace ringcp {

// A rule. It holds if every fact that it names is so; all other facts don't matter.
struct TargetRule {
  EnumSet<CopyKind> kinds = EnumSet<CopyKind>::All();
  EnumSet<Condition> with = {};
  EnumSet<Condition> without = {};
  EnumSet<There> there = EnumSet<There>::All();
  EnumSet<Names> names = EnumSet<Names>::All();
  EnumSet<Age> age = EnumSet<Age>::All();
  EnumSet<Relation> relation = EnumSet<Relation>::All();
  EnumSet<Opening> opening = EnumSet<Opening>::All();

  Fate fate = Fate::kLook;
  OldTarget old_target = OldTarget::kKept;
  Refusal refusal = Refusal::kNone;
};

// Copies to a target that is a symbolic link go to what the link leads to.
inline constexpr EnumSet<CopyKind> kThroughLinks = {
    CopyKind::kContents, CopyKind::kStream, CopyKind::kNameOfFile};

// The two are one file.
inline constexpr EnumSet<Relation> kSameFile = {
    Relation::kSameEntry, Relation::kOtherName, Relation::kLeadsToSource,
    Relation::kBehindSource};

// In GNU cp's order: the first one that holds decides. The last one holds always.
absl::Span<const TargetRule> TargetRules();

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_RULES_H_
