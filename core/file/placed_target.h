// The target of one copy of contents, from when it is made or opened until it is closed,
// and kept, emptied or removed. It knows what of the target is this copy's work, and so
// how it has to end: when it is done the target is complete, or nothing is left that this
// copy made, and a target that was there before is whole or empty. Where even that can't
// be reached, removal_error() says why.
//
// It does no I/O. Whoever copies tells it what has happened, and when the copy ends
// carries out step() after step(), until that is kDone. A file's copy puts the steps into
// chains, a stream carries them out with EndAtOnce().
//
//   state        what is known                       step, and what follows from it
//   ------------------------------------------------------------------------------------
//   kUntouched   Nothing was made; what was there    open: kClose
//                has its contents still.
//   kSpecial     It is a pipe, a terminal or a       open: kClose
//                device: what was written to it        fails: (told)
//                can't be taken back.
//   kMade        This copy made it; not all of its   in a slot: kInstall
//                contents are in it.                 open: kLook
//                                                      its name leads to it -> kFound
//                                                      it has no name       -> kSettled
//                                                      it has another one   -> kStray
//                                                      can't be told        -> kSettled
//                                                      (!)
//                                                    open, but can't be removed so:
//                                                      kEmpty -> kAwaitsClosing
//                                                    closed: kLook, as above; but
//                                                      it has another name  -> kSettled
//                                                    closed, and nobody knows which file
//                                                      it is: kDone (!)
//   kMadeWhole   ... all of them are.                open: kClose
//                                                      fails -> kMade (told)
//   kEmptied     It was there, and has lost its      open: kEmpty -> kSettled
//                contents by this copy; not all of     fails -> kSettled (!)
//                the new ones are in it.             closed: kReopen -> kReopened
//                                                      it is gone -> kSettled
//                                                      fails -> kSettled (!)
//   kRewritten   ... all of them are.                open: kClose
//                                                      fails -> kEmptied (told)
//   kFound       It is to be removed, and its name   kUnlink -> kSettled
//                has just been seen to lead to it.     fails, open   -> kResists
//                                                      fails, closed -> kSettled (!)
//   kStray       It is to be removed, but has        kEmpty -> kSettled
//                another name by now.                  fails -> kSettled (!)
//   kResists     It can't be removed while it is     kEmpty -> kAwaitsClosing
//                open.
//   kAwaitsClosing                                   kClose -> kMade, which is closed
//                It is empty, and is to be             then
//                removed once it is closed.
//   kReopened    What its name leads to is open.     kCompare: it is it -> kEmptied
//                                                      another   -> kSettled
//                                                      can't be told -> kSettled (!)
//   kSettled     Nothing is left to be done.         open: kClose
//
// (!): removal_error() has the reason. (told): so does close_error().
//
// Why so: A file that is open can't be mistaken for another one, so it is removed while
// it is. Some file systems in user space refuse that, or bring the file back when it is
// closed; there it is emptied, closed, and then removed. That the contents could not be
// stored may be told only by closing; which file it was is then known only if it has been
// looked at before. Until a name is removed it is compared at the latest possible time
// (removal.h).
//
// What has no contents - a link, a pipe, a device, a further hard link, a directory - is
// complete as soon as it has its name. So there is nothing to take back: as in GNU cp it
// stays, also where its owner, its mode or its times can't be set; and so does a file
// that lacks only these.
//
// Thread-safety: belongs to its copy's thread.
// Ownership: borrows the policy and the names; they outlive it. Steps borrow its memory.
// The open file is the caller's to open, its steps' to close.

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
    kMade,
    kMadeWhole,
    kEmptied,
    kRewritten,
    kFound,
    kStray,
    kResists,
    kAwaitsClosing,
    kReopened,
    kSettled,
  };

  enum class Step {
    kInstall,  // The caller's: give it a descriptor instead of its slot, SetFile().
    kLook,     // Which file is it, and which one has its name?
    kUnlink,
    kEmpty,
    kReopen,
    kCompare,
    kClose,
    kDone,
  };

  // All that the next step depends on.
  struct Situation {
    enum class File { kClosed, kInSlot, kOpen };

    State state = State::kUntouched;
    File file = File::kClosed;
    bool is_identified = false;     // It is known which file it is.
    bool removable_if_open = true;  // Its file system removes what is open.
  };
  // The decision, for any situation.
  static Step StepIn(const Situation& situation);

  // Begins with a target of which nothing is made yet. REQUIRES: step() is kDone.
  void Start(const FileCopyPolicy& policy, const FileCopyNames& names);

  // --- What has happened ---
  // This copy made it, under its name.
  void NoteMade(FileRef file);
  // What is there was opened, with what its name leads to if `follows_link`; or once more
  // what this copy has made or emptied.
  void NoteOpened(FileRef file, bool follows_link);
  // It is open otherwise by now.
  void SetFile(FileRef file) { file_ = file; }
  // It was closed, outside of the steps. The copy goes on.
  void NoteClosed() { file_ = FileRef(); }
  // It is closed, and nobody can say any more which file it was, because of `error`.
  void NoteLost(int error_number);
  void NoteSpecial() { state_ = State::kSpecial; }
  // Which file it is: `result` and what a stat of the open file gave.
  void NoteStat(int32_t result, const struct statx& stat);
  // Its name leads to it still, as named() tells.
  void NoteConfirmed();
  // Its file system tells another number of it with each look.
  void NoteNumbersDiffer() { numbers_differ_ = true; }
  // What was in it is lost.
  void NoteEmptied();
  // All its contents are in it; or, of what had been, some could not be stored.
  void NoteWhole();
  void NoteNotStored();
  // What was opened once more is another file by now: what this copy made is out of
  // reach.
  void NoteAnother();
  // What was made is gone, or what was opened, and left as it was, is not wanted any
  // more.
  void Forget();
  // It is on another file system than its directory, or on that again.
  void SetFileSystem(FileSystem* file_system) { file_system_ = file_system; }

  // --- What it is ---
  FileRef file() const { return file_; }
  bool is_open() const { return file_ != FileRef(); }
  FileSystem* file_system() const { return file_system_; }
  bool is_identified() const { return is_identified_; }
  // What the last look at the target told, and the last look at its name. Ops of its copy
  // write there as well: before the target is open, what the name leads to is in stat(),
  // and while it is_identified(), stat() is of the open file and is left alone.
  const struct statx& stat() const { return stat_; }
  const struct statx& named() const { return named_; }
  struct statx* mutable_stat() {
    return &stat_;
  }
  struct statx* mutable_named() {
    return &named_;
  }
  // Whether `stat` is of it. REQUIRES: is_identified().
  bool IsIt(const struct statx& stat) const { return IsStillTheSame(stat_, stat); }
  bool numbers_differ() const { return numbers_differ_; }
  bool is_made() const {
    return state_ == State::kMade || state_ == State::kMadeWhole ||
           state_ == State::kAwaitsClosing;
  }
  bool is_untouched() const { return state_ == State::kUntouched; }
  bool is_special() const { return state_ == State::kSpecial; }
  bool is_whole() const {
    return state_ == State::kMadeWhole || state_ == State::kRewritten;
  }

  // --- The end ---
  // What is to be done next if the copy ends now.
  Step step() const { return StepIn(situation()); }
  // Adds the ops of step(), which is neither kInstall nor kDone, to `chain`.
  void AddStep(Chain* chain);
  // Takes in their results.
  void Settle(absl::Span<const int32_t> results);

  // The step kClose for those who close other files in the same chain: adds its ops, to
  // be carried out at once or not, tied to the op before them by `link`. There are
  // CloseOps() of them, the last of which closes; if that has not run, the file is open
  // still, and nothing is to be settled.
  void AddClose(bool at_once, Link link, Chain* chain);
  void SettleClose(absl::Span<const int32_t> results);
  int CloseOps() const { return identifies_before_closing() ? 2 : 1; }

  // Why closing it has failed where that matters; 0 where it has not.
  int close_error() const { return close_error_; }
  // Why it could not be removed or emptied, as it had to be; 0 where there is none.
  int removal_error() const;

 private:
  Situation situation() const;
  // What fails when it is closed can be looked at no more. So it is looked at before,
  // without asking a server, because only its identity is wanted.
  bool identifies_before_closing() const {
    return is_made() && !is_identified_ && is_open() && !file_.is_slot() &&
           file_system_->tells_errors_at_close();
  }
  void SettleLook(absl::Span<const int32_t> results);
  void SettleUnlink(int32_t result);
  void SettleEmpty(int32_t result);
  void SettleReopen(int32_t result);
  void SettleCompare(int32_t result);
  // Ends with why it could not be removed or emptied, or 0.
  void End(int removal_error);

  const FileCopyPolicy* policy_ = nullptr;
  const FileCopyNames* names_ = nullptr;
  State state_ = State::kSettled;
  FileRef file_;
  FileSystem* file_system_ = nullptr;
  bool follows_link_ = false;  // Its name is a symbolic link that was there.
  bool is_identified_ = false;
  bool numbers_differ_ = false;
  int not_identified_ = 0;  // Why it is not, where that was tried.
  int close_error_ = 0;
  int removal_error_ = 0;
  struct statx stat_ = {};
  struct statx named_ = {};
};

// Inline, because every file's copy asks several times.
inline PlacedTarget::Step PlacedTarget::StepIn(const Situation& situation) {
  using File = Situation::File;
  const bool is_closed = situation.file == File::kClosed;
  switch (situation.state) {
    case State::kUntouched:
    case State::kSpecial:
    case State::kMadeWhole:
    case State::kRewritten:
    case State::kAwaitsClosing:
    case State::kSettled:
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

// Carries out all the steps of `target`, which is in no slot. `carry_out` carries out one
// op: its result.
template <typename CarryOut>
void EndAtOnce(PlacedTarget* target, CarryOut carry_out) {
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
