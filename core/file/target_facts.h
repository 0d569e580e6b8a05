// What the rules about targets know of (target_rules.h): the facts that they ask for, and
// the fates that they know.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_TARGET_FACTS_H_
#define RINGCP_CORE_FILE_TARGET_FACTS_H_

namespace ringcp {

// What is to be put under the target's name.
enum class CopyKind {
  kContents,      // The contents of a regular file.
  kStream,        // Contents that come from, or go to, a pipe, a terminal or a device.
  kLink,          // A symbolic link.
  kNode,          // A pipe, a device, a socket.
  kNameOfFile,    // A further name of a regular file that has been copied: a hard link.
  kNameOfNode,    // A further name of a symbolic link or node that has been copied.
  kHardLink,      // -l: a further name of the source itself.
  kLinkToSource,  // -s: a symbolic link to the source.
  kDirectory,
  kParent,  // A directory above what is copied (--parents).
};

// Options, and circumstances of the target.
enum class Condition {
  kForce,
  kKeepExisting,  // --update=none, none-fail
  kMustReplace,   // --update=none-fail: a target that is kept is an error.
  kOnlyOlder,     // --update=older
  kKeepTimes,     // --preserve=timestamps
  kRemoveDestination,
  kAsks,        // -i, and the user has not been asked about this target yet.
  kMayReplace,  // -i, and the answer was yes.
  kBackup,      // --backup
  kKeepLinks,   // --preserve=links
  kAttributesOnly,
  kWritesThroughDanglingLinks,  // POSIXLY_CORRECT
  kFollowsLinks,                // FileCopyNames::follows_links_here
  kMakesHardLinks,              // -l; only for kDirectory.
  kSourceIsRegular,             // Only for kHardLink, kLinkToSource and kStream.
  kInNewDirectory,              // This job made the directory and all that is in it.
  kRemoved,                     // This copy has already removed an old target.
};

// What has the target's name. TargetQuestion::looks_through_links() says whether that is
// a symbolic link itself or what the link leads to.
enum class There {
  kNothing,
  kRegular,
  kDirectory,
  kLink,  // A symbolic link, which is not followed.
  kSocket,
  kSpecial,       // A pipe or a device.
  kDangling,      // A symbolic link to nowhere.
  kLoop,          // A symbolic link that leads to itself.
  kClosedStream,  // A standard stream that the process was started without.
  kUnknown,       // It can't be looked at.
};

// How many hard links has the existing target?
enum class Names { kOne, kSeveral };

// Is the existing target older than the source?
enum class Age { kOlder, kNotOlder };

// How is the existing target related to the source?
enum class Relation {
  kOtherFile,
  kSameEntry,      // Both are the same entry of the same directory.
  kOtherName,      // The target is another hard link to the source's file.
  kLeadsToSource,  // The target is a symbolic link to the source's file.
  kBehindSource,   // The source is a symbolic link to the target's file.
  kNameOfCopy,     // The target is what a hard link to it is to be made of.
};

// How did opening the existing target end?
enum class Opening {
  kNotTried,
  kOpen,
  kRefused,  // It failed because of what the target is: see RemovingMayHelp().
  kFailed,
};

enum class Fate {
  kLook,         // Look at the fact TargetDecision::look, and ask again.
  kCreate,       // Nothing is there: make the target.
  kOverwrite,    // Open it, and write to it; if opening fails, ask again.
  kReplace,      // Remove it by its name, and make a new one.
  kMakePointee,  // Make the file that the symbolic link leads to.
  kLinkOver,     // Make the hard link under another name, and rename it to this one.
  kUse,          // It already is what is wanted: a directory, or a hard link to the copy.
  kAsStream,     // Copy the file as CopyKind::kStream.
  kSkip,
  kAsk,         // Ask the user whether it may be replaced; if not, skip it.
  kKeepNewer,   // Skip it, but a further name of the source becomes a hard link to it.
  kRefuse,      // Fail with TargetDecision::refusal.
  kFailToMake,  // Fail with the error of the op that tried to make or open the target.
  kFailToLook,  // Fail with the error of the op that tried to look at the target.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_FACTS_H_
