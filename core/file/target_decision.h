// Decides what becomes of a target, for everything that can be copied. The question says
// what is to be put there, which options hold, and what is there; the answer is a fate.
// The rules are GNU cp's. They are the rows of one table (target_rules.cc), in GNU cp's
// order, and the first row that holds decides.
//
// The caller looks at what is there, and carries the fate out. The question says for each
// fact which values are still possible. As long as a fact leaves open whether a row
// holds, the answer is to look at that fact (Fate::kLook) and to ask again. So the caller
// looks at no more than the decision needs. After making the target has failed with
// EEXIST, it need not look to know that something is there.
//
// The alternative was one function for each kind of copy, which looks at things as it
// goes along. Each function would be easier to follow by itself. But all of them would
// repeat GNU cp's order, an option for all kinds would be a branch in each of them
// instead of one row, and they could not be tested without a file system.
//
// Thread-safety: plain values and pure functions.

#ifndef RINGCP_CORE_FILE_TARGET_DECISION_H_
#define RINGCP_CORE_FILE_TARGET_DECISION_H_

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>

#include "core/base/enum_set.h"
#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/file/target_facts.h"

namespace ringcp {

// The facts that a caller can look at. Opening is none of them: Fate::kOverwrite says
// when to try it.
enum class Fact { kNone, kThere, kNames, kAge, kRelation };

struct TargetQuestion {
  CopyKind kind = CopyKind::kContents;
  EnumSet<Condition> conditions = {};
  // The values that are still possible, by what the caller has seen so far.
  EnumSet<There> there = EnumSet<There>::All();
  EnumSet<Names> names = EnumSet<Names>::All();
  EnumSet<Age> age = EnumSet<Age>::All();
  EnumSet<Relation> relation = EnumSet<Relation>::All();
  Opening opening = Opening::kNotTried;
  // FileSystem::time_unit() of the target.
  int64_t time_unit = 0;

  // Making the target has failed, because something has its name.
  void NoteThatItExists() {
    there = EnumSet<There>::AllBut(There::kNothing);
    opening = Opening::kNotTried;
  }
  // Opening the existing target has failed.
  void NoteFailedOpening(int error_number);

  // Whether a look at the target follows symbolic links, because the copy would write to
  // the file that they lead to; and the flags for a stat that does so, or does not.
  bool looks_through_links() const;
  int look_flags() const { return looks_through_links() ? 0 : AT_SYMLINK_NOFOLLOW; }
  // A stat with look_flags() has ended with `result` and, if that is 0, given `stat`. If
  // it followed symbolic links, ENOENT is taken to mean a symbolic link to nowhere.
  void NoteLook(int32_t result, const struct statx& stat);
  // The same; also notes how the target is related to `source`, a source of contents, and
  // which is older.
  void NoteLook(int32_t result, const struct statx& stat, const struct statx& source);
  // Notes whether the target is older than `source`.
  void NoteAge(int32_t result, const struct statx& stat, const struct statx& source);
};

struct TargetDecision {
  Fate fate = Fate::kLook;
  // How the removal of the old target is reported, for kReplace and kLinkOver.
  OldTarget old_target = OldTarget::kKept;
  Refusal refusal = Refusal::kNone;
  Fact look = Fact::kNone;
};

TargetDecision DecideTarget(const TargetQuestion& question);

// Asks until the answer is not to look: `look` looks at a fact and adds what it has seen
// to `question`.
template <typename Look>
TargetDecision DecideTargetByLooking(const TargetQuestion& question, Look look) {
  TargetDecision decision = DecideTarget(question);
  for (; decision.fate == Fate::kLook; decision = DecideTarget(question)) {
    look(decision.look);
  }
  return decision;
}

// Decides anew on a target that is open now, because its name may lead to another file
// than when the copy decided to open it. The fate is kOverwrite, kAsStream or kRefuse.
TargetDecision DecideOpenTarget(CopyKind kind, const struct statx& source,
                                const struct statx& target);

// The failure of a copy whose target's fate is kRefuse, kFailToMake or kFailToLook.
// `make` is the op that was to make or open the target; `error_number` is the error of
// the last op on the target that failed.
CopyFailure FailureOf(const TargetDecision& decision, Operation make, int error_number);

// What has to be asked before copying `names`.
TargetQuestion QuestionAbout(CopyKind kind, const FileCopyPolicy& policy,
                             const FileCopyNames& names);

// The relations that are possible by the stats of two files, which followed symbolic
// links.
EnumSet<Relation> RelationOf(const struct statx& source, const struct statx& target);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_DECISION_H_
