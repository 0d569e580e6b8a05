// The target of one copy of contents, from when it is made or opened until it is closed,
// and kept, emptied or removed. It knows what this copy has done to the target, and so
// how the target has to end: It is complete, or nothing that this copy made is left, and
// a target that was there before is whole or empty. If even that can't be reached,
// removal_error() says why.
//
// It does no I/O. Whoever copies tells it what has happened, and when the copy ends,
// carries out step() after step(), until that is kDone. A file's copy puts the steps into
// chains, and a stream carries them out with EndBy().
//
//   state        what is known about the target      step, and the state after it
//   ------------------------------------------------------------------------------------
//   kUntouched   This copy made nothing. What was    open: kClose
//                there has its contents still.
//   kSpecial     It is a pipe, a terminal or a       open: kClose
//                device: nothing that was written      fails: (close)
//                can be taken back.
//   kKept        It was there, and keeps its         open: kClose
//                contents (--attributes-only).         fails: (close)
//   kMade        This copy made it. Some of its      in a slot: kInstall
//                contents are still missing.         open: kLook
//                                                      its name leads to it -> kFound
//                                                      it has no name       -> kEnded
//                                                      it has another name  -> kStray
//                                                      the look fails -> kEnded (!)
//                                                    open, on a file system that does not
//                                                      remove open files:
//                                                      kEmpty -> kAwaitsClosing
//                                                    closed: kLook, as above, but
//                                                      it has another name  -> kEnded
//                                                    closed, and nobody knows which file
//                                                      it is: kDone (!)
//   kMadeWhole   This copy made it, and it is        open: kClose
//                complete.                             fails -> kMade (close)
//   kEmptied     It was there. This copy emptied     open: kEmpty -> kEnded
//                it, and some of the new contents      fails -> kEnded (!)
//                are still missing.                  closed: kReopen -> kReopened
//                                                      it is gone -> kEnded
//                                                      fails -> kEnded (!)
//   kRewritten   It was there, and has all of the    open: kClose
//                new contents.                         fails -> kEmptied (close)
//   kFound       It has to be removed, and its name  kUnlink -> kEnded
//                has just been seen to lead to it.     fails, open   -> kResists
//                                                      fails, closed -> kEnded (!)
//   kStray       It has to be removed, but its name  kEmpty -> kEnded
//                leads elsewhere by now.               fails -> kEnded (!)
//   kResists     It can't be removed while it is     kEmpty -> kAwaitsClosing
//                open.
//   kAwaitsClosing                                   kClose -> kMade, which is then
//                It is empty, and has to be            closed
//                removed once it is closed.
//   kReopened    What its name leads to is open.     kCompare: the same file -> kEmptied
//                                                      another file -> kEnded
//                                                      the look fails -> kEnded (!)
//   kEnded       Nothing is left to be done.         open: kClose
//
// (!): removal_error() has the reason. (close): close_error() has the reason.
//
// Why: An open file can't be mistaken for another one, so a file that has to go is
// removed while it is open. Some file systems in user space refuse that, or bring the
// file back when it is closed. There the file is emptied, closed, and then removed.
// Closing may be the first call to tell that contents could not be stored, and after it
// the file can be recognized only if it was looked at before. A name is compared as late
// as possible before it is removed (removal.h).
//
// A target without contents (a link, a pipe, a device, a further hard link, a directory)
// is complete as soon as it has its name. So there is nothing to take back: as in GNU cp
// it stays even if its owner, mode or times can't be set. So does a file that lacks only
// these.
//
// Thread-safety: belongs to its copy's thread.
// Ownership: borrows the policy and the names; they outlive it. Steps borrow its memory.
// The caller opens the file, and the steps close it.

#ifndef RINGCP_CORE_FILE_PLACED_TARGET_H_
#define RINGCP_CORE_FILE_PLACED_TARGET_H_

#include <sys/stat.h>

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"

namespace ringcp {

class PlacedTarget {
 public:
  enum class State {
    kUntouched,
    kSpecial,
    kKept,
    kMade,
    kMadeWhole,
    kEmptied,
    kRewritten,
    kFound,
    kStray,
    kResists,
    kAwaitsClosing,
    kReopened,
    kEnded,
  };

  enum class Step {
    kInstall,  // The caller gives it a descriptor instead of its slot, and calls
               // SetFile().
    kLook,     // Which file is open, and which one has the name?
    kUnlink,
    kEmpty,
    kReopen,
    kCompare,
    kClose,
    kDone,
  };

  // Everything that the next step depends on.
  struct Situation {
    enum class File { kClosed, kInSlot, kOpen };

    State state = State::kUntouched;
    File file = File::kClosed;
    bool is_identified = false;     // It is known which file it is.
    bool removable_if_open = true;  // Its file system removes open files.
  };
  // The decision, for any situation.
  static Step StepIn(const Situation& situation);

  // Begins with a target that is neither made nor opened. REQUIRES: step() is kDone.
  void Start(const FileCopyPolicy& policy, const FileCopyNames& names);

  // --- What has happened ---
  // This copy made it, and it is open as `file`.
  void NoteMade(FileRef file);
  // An existing target was opened: the file that its name, a link, leads to if
  // `follows_link`. Or what this copy has made or emptied was opened once more.
  void NoteOpened(FileRef file, bool follows_link);
  // It is open as another `file` now.
  void SetFile(FileRef file) { file_ = file; }
  // The caller closed it, and the copy goes on.
  void NoteClosed() { file_ = FileRef(); }
  // It is closed, and because of this error nobody can find out which file it was.
  void NoteLost(int error_number);
  void NoteSpecial() { state_ = State::kSpecial; }
  // Nothing is to be written to it.
  void NoteWithoutContents() {
    state_ = state_ == State::kMade ? State::kMadeWhole : State::kKept;
  }
  // A stat of the open file had this result, and tells which file it is if that is 0.
  void NoteStat(int32_t result, const struct statx& stat);
  // A look at its name, which is in named(), has shown that it still leads to this file.
  void NoteConfirmed();
  // Its file system tells another inode number with each look.
  void NoteNumbersDiffer() { numbers_differ_ = true; }
  // Its old contents are gone.
  void NoteEmptied();
  // All of the new contents are in it. Or they were, but some could not be stored.
  void NoteWhole();
  void NoteNotStored();
  // The name was opened once more, and leads to another file by now: what this copy made
  // or emptied is out of reach.
  void NoteAnother();
  // What this copy made is gone, or what it opened, and left as it was, is not its target
  // any more.
  void Forget();
  // Its file system; at first that of its directory.
  void SetFileSystem(FileSystem* file_system) { file_system_ = file_system; }

  // --- What it is ---
  FileRef file() const { return file_; }
  bool is_open() const { return file_ != FileRef(); }
  FileSystem* file_system() const { return file_system_; }
  bool is_identified() const { return is_identified_; }
  // The stats of the last look at the target and of the last look at its name. The copy's
  // own ops write there as well. Before the target is open, the copy keeps in stat() what
  // the name leads to. While is_identified(), stat() is the open file's, and only a stat
  // of that file may overwrite it.
  const struct statx& stat() const { return stat_; }
  const struct statx& named() const { return named_; }
  struct statx* mutable_stat() {
    return &stat_;
  }
  struct statx* mutable_named() {
    return &named_;
  }
  // Whether `stat` is of the same file. REQUIRES: is_identified().
  bool IsIt(const struct statx& stat) const { return IsStillTheSame(stat_, stat); }
  bool numbers_differ() const { return numbers_differ_; }
  bool is_made() const {
    return state_ == State::kMade || state_ == State::kMadeWhole ||
           state_ == State::kAwaitsClosing;
  }
  bool is_untouched() const { return state_ == State::kUntouched; }
  bool is_special() const { return state_ == State::kSpecial; }
  bool is_whole() const {
    return state_ == State::kMadeWhole || state_ == State::kRewritten ||
           state_ == State::kKept;
  }

  // --- The end ---
  // The next thing to do if the copy ends now.
  Step step() const { return StepIn(situation()); }
  // Adds the ops of step(), which is neither kInstall nor kDone, to `chain`.
  void AddStep(Chain* chain);
  // Takes in the results of these ops.
  void Settle(absl::Span<const int32_t> results);

  // The step kClose for callers that close other files in the same chain. Adds its ops,
  // marked AtOnce() or not, tied to the op before them by `tie`. There are CloseOps() of
  // them, and the last one closes the file. If that op has not run, the file is still
  // open, and SettleClose() must not be called.
  void AddClose(bool at_once, Tie tie, Chain* chain);
  void SettleClose(absl::Span<const int32_t> results);
  int CloseOps() const { return identifies_before_closing() ? 2 : 1; }

  // Why closing it failed, if that matters; otherwise 0.
  int close_error() const { return close_error_; }
  // Why it could not be removed or emptied although it had to be; otherwise 0.
  int removal_error() const;

 private:
  Situation situation() const;
  // A file whose closing fails can't be looked at any more. So it is looked at before it
  // is closed. No server is asked, because only the identity is wanted.
  bool identifies_before_closing() const {
    return is_made() && !is_identified_ && is_open() && !file_.is_slot() &&
           file_system_->tells_errors_at_close();
  }
  void SettleLook(absl::Span<const int32_t> results);
  void SettleUnlink(int32_t result);
  void SettleEmpty(int32_t result);
  void SettleReopen(int32_t result);
  void SettleCompare(int32_t result);
  // Nothing is left to be done. `removal_error`: why it could not be removed or emptied,
  // or 0.
  void End(int removal_error);

  const FileCopyPolicy* policy_ = nullptr;
  const FileCopyNames* names_ = nullptr;
  State state_ = State::kEnded;
  FileRef file_;
  FileSystem* file_system_ = nullptr;
  bool follows_link_ = false;  // Its name is a symbolic link.
  bool is_identified_ = false;
  bool numbers_differ_ = false;
  int not_identified_ = 0;  // Why a try to identify it failed.
  int close_error_ = 0;
  int removal_error_ = 0;
  struct statx stat_ = {};
  struct statx named_ = {};
};

// Inline, because each file's copy asks several times.
inline PlacedTarget::Step PlacedTarget::StepIn(const Situation& situation) {
  using File = Situation::File;
  const bool is_closed = situation.file == File::kClosed;
  switch (situation.state) {
    case State::kUntouched:
    case State::kSpecial:
    case State::kKept:
    case State::kMadeWhole:
    case State::kRewritten:
    case State::kAwaitsClosing:
    case State::kEnded:
      return is_closed ? Step::kDone : Step::kClose;
    case State::kMade:
      if (is_closed) return situation.is_identified ? Step::kLook : Step::kDone;
      if (situation.file == File::kInSlot) return Step::kInstall;
      return situation.removable_if_open ? Step::kLook : Step::kEmpty;
    case State::kFound:
      return Step::kUnlink;
    case State::kEmptied:
      return is_closed ? Step::kReopen : Step::kEmpty;
    case State::kStray:
    case State::kResists:
      return is_closed ? Step::kDone : Step::kEmpty;
    case State::kReopened:
      return is_closed ? Step::kDone : Step::kCompare;
  }
  return Step::kDone;
}

inline PlacedTarget::Situation PlacedTarget::situation() const {
  using File = Situation::File;
  return {.state = state_,
          .file = !is_open()        ? File::kClosed
                  : file_.is_slot() ? File::kInSlot
                                    : File::kOpen,
          .is_identified = is_identified_,
          .removable_if_open =
              file_system_ != nullptr && !file_system_->may_keep_what_is_open()};
}

// Carries out all the steps of `target`. `carry_out` carries out one op and returns its
// result. REQUIRES: the target is in no slot.
template <typename CarryOut>
void EndBy(PlacedTarget* target, CarryOut carry_out) {
  while (target->step() != PlacedTarget::Step::kDone) {
    Chain chain;
    target->AddStep(&chain);
    std::array<int32_t, Chain::kOpsMax> results;
    for (int i = 0; i < chain.size(); ++i) results[i] = carry_out(chain[i]);
    target->Settle(absl::MakeConstSpan(results.data(), chain.size()));
  }
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_PLACED_TARGET_H_
