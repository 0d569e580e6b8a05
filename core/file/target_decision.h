// What is to become of a target: one decision for all that is copied. It goes from what
// is to be put there, the options, and what is there, to a fate. The rules are GNU cp's,
// the rows of one table (target_decision.cc), in GNU cp's order: the first row that holds
// decides.
//
// Whoever copies something looks at what is there, and carries the fate out. A question
// says of each fact which values are still possible. As long as that leaves open whether
// a row holds, the decision is to look at the fact (Fate::kLook) and to ask again. So
// nobody looks at more than the decision takes, and a call that failed because something
// is there has told that much.
//
// The other shape would be one function of conditions for each kind of copy, which looks
// at things as it goes along. Each of them is easier to follow by itself. But they all
// repeat GNU cp's order, an option that concerns all kinds is a branch in each of them
// instead of one row, and nobody can go through them without a file system.
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

namespace ringcp {

// What is to be put under the target's name.
enum class CopyKind {
  kContents,    // Those of a regular file.
  kStream,      // What comes out of a pipe, or goes into a device.
  kLink,        // A symbolic link.
  kNode,        // A pipe, a device, a socket.
  kNameOfFile,  // A further name of a regular file that has been copied: a hard link.
  kNameOfNode,  // A further name of a link or node that has been copied.
  kDirectory,
};

// What does not change while one target is decided on: options, and where it is.
enum class Condition {
  kForce,
  kNoClobber,
  kRemoveDestination,
  kKeepLinks,                   // --preserve=links
  kWritesThroughDanglingLinks,  // POSIXLY_CORRECT
  kFollowsLinks,                // Links are followed where the source is found.
  kInNewDirectory,              // What is there was put there by this job.
  kRemoved,                     // This copy has removed what was there once.
};

// What is there, as TargetQuestion::looks_through_links() has one look.
enum class There {
  kNothing,
  kRegular,
  kDirectory,
  kLink,  // A symbolic link, which is not followed.
  kSocket,
  kSpecial,       // A pipe or a device.
  kDangling,      // A link to nowhere.
  kLoop,          // A link that leads to itself.
  kClosedStream,  // A link to a standard stream that the process was started without.
  kUnknown,       // It can't be looked at.
};

// How many names has it?
enum class Names { kOne, kSeveral };

// What is it to the source?
enum class Relation {
  kOtherFile,
  kSameEntry,      // Both names are one.
  kOtherName,      // A hard link to what is copied.
  kLeadsToSource,  // A link to the source's file.
  kBehindSource,   // The source is a link, and leads to it.
  kNameOfCopy,     // Of a further name: it is a hard link to the copy already.
};

// What has come of opening it?
enum class Opening {
  kNotTried,
  kOpen,
  kRefused,  // It can't be opened for what it is: RemovingMayHelp().
  kFailed,
};

// What there is to look at. Opening is not: Fate::kOverwrite says when to try.
enum class Fact { kNone, kThere, kNames, kRelation };

struct TargetQuestion {
  CopyKind kind = CopyKind::kContents;
  EnumSet<Condition> conditions = {};
  // What is possible, as far as one has looked.
  EnumSet<There> there = EnumSet<There>::All();
  EnumSet<Names> names = EnumSet<Names>::All();
  EnumSet<Relation> relation = EnumSet<Relation>::All();
  Opening opening = Opening::kNotTried;

  // Making the target has failed because something has its name.
  void NoteThatItExists() {
    there = EnumSet<There>::AllBut(There::kNothing);
    opening = Opening::kNotTried;
  }
  // Opening what is there has failed.
  void NoteFailedOpening(int error_number);

  // Whether the target is looked at as what its name leads to: only contents go where
  // links lead. And the flags of a stat that does so, or not.
  bool looks_through_links() const;
  int look_flags() const { return looks_through_links() ? 0 : AT_SYMLINK_NOFOLLOW; }
  // Such a stat has ended with `result` and, if that is 0, given `stat`. That what a name
  // leads to does not exist is taken to mean that it is a link to nowhere.
  void NoteLook(int32_t result, const struct statx& stat);
  // The same, and what it tells of the target's relation to the source of contents.
  void NoteLook(int32_t result, const struct statx& stat, const struct statx& source);
};

enum class Fate {
  kLook,         // Look at TargetDecision::look, and ask again.
  kCreate,       // Nothing is there: make it.
  kOverwrite,    // Open it, and write to it; if it can't be opened, ask again.
  kReplace,      // Remove it by its name, and make a new one.
  kMakePointee,  // Make what the link leads to.
  kLinkOver,     // Make the link under another name, and rename it to this one.
  kUse,          // It is what it is to be: a directory, a hard link.
  kAsStream,     // Copy the file as CopyKind::kStream.
  kSkip,
  kRefuse,      // With TargetDecision::refusal.
  kFailToMake,  // As the op that tried to make or open it.
  kFailToLook,  // As the op that tried to look at it.
};

struct TargetDecision {
  Fate fate = Fate::kLook;
  // What is told of a target that is removed: kReplace, kLinkOver.
  OldTarget old_target = OldTarget::kKept;
  Refusal refusal = Refusal::kNone;
  Fact look = Fact::kNone;
};

TargetDecision DecideTarget(const TargetQuestion& question);

// Decides at once: `look` looks at a fact and adds what it tells to `question`.
template <typename Look>
TargetDecision DecideTargetByLooking(const TargetQuestion& question, Look look) {
  TargetDecision decision = DecideTarget(question);
  for (; decision.fate == Fate::kLook; decision = DecideTarget(question)) {
    look(decision.look);
  }
  return decision;
}

// What becomes of a target that is open by now: something else may have come under its
// name since that was decided on. kOverwrite, kAsStream or kRefuse.
TargetDecision DecideOpenTarget(CopyKind kind, const struct statx& source,
                                const struct statx& target);

// What fails with a fate of kRefuse, kFailToMake or kFailToLook: `make` is the op that
// was to make it or open it, `error_number` that of the last op on the target that
// failed.
CopyFailure FailureOf(const TargetDecision& decision, Operation make, int error_number);

// The conditions for copying `names`.
EnumSet<Condition> ConditionsOf(const FileCopyPolicy& policy, const FileCopyNames& names);

// As far as the stats of two files tell, links followed.
EnumSet<Relation> RelationOf(const struct statx& source, const struct statx& target);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_DECISION_H_
