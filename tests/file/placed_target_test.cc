// What becomes of a copy's target: the table of its steps row by row, and every way in
// which an end can go, on a target in memory.

#include "core/file/placed_target.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/file/copy_policy.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

using State = PlacedTarget::State;
using Step = PlacedTarget::Step;
using Situation = PlacedTarget::Situation;
using File = Situation::File;

// What holds for all situations that it names; what it does not name may be anything.
struct Row {
  std::initializer_list<State> states;
  std::initializer_list<File> files;
  std::optional<bool> is_identified = std::nullopt;
  std::optional<bool> removable_if_open = std::nullopt;
  Step step = Step::kDone;

  bool Holds(const Situation& situation) const {
    const auto names = [](const auto& list, auto value) {
      for (const auto& named : list) {
        if (named == value) return true;
      }
      return false;
    };
    return names(states, situation.state) && names(files, situation.file) &&
           is_identified.value_or(situation.is_identified) == situation.is_identified &&
           removable_if_open.value_or(situation.removable_if_open) ==
               situation.removable_if_open;
  }
};

constexpr std::initializer_list<File> kAnyOpen = {File::kInSlot, File::kOpen};
constexpr std::initializer_list<State> kAsItIs = {
    State::kUntouched, State::kSpecial,       State::kKept, State::kMadeWhole,
    State::kRewritten, State::kAwaitsClosing, State::kEnded};

TEST(PlacedTargetTest, EverySituationHasOneStep) {
  const Row rows[] = {
      // Kept, or seen to.
      {.states = kAsItIs, .files = kAnyOpen, .step = Step::kClose},
      {.states = kAsItIs, .files = {File::kClosed}, .step = Step::kDone},
      // Made, and half-written: to be removed.
      {.states = {State::kMade}, .files = {File::kInSlot}, .step = Step::kInstall},
      {.states = {State::kMade},
       .files = {File::kOpen},
       .removable_if_open = true,
       .step = Step::kLook},
      {.states = {State::kMade},
       .files = {File::kOpen},
       .removable_if_open = false,
       .step = Step::kEmpty},
      {.states = {State::kMade},
       .files = {File::kClosed},
       .is_identified = true,
       .step = Step::kLook},
      {.states = {State::kMade},
       .files = {File::kClosed},
       .is_identified = false,
       .step = Step::kDone},
      {.states = {State::kFound},
       .files = {File::kClosed, File::kInSlot, File::kOpen},
       .step = Step::kUnlink},
      {.states = {State::kStray, State::kResists},
       .files = kAnyOpen,
       .step = Step::kEmpty},
      {.states = {State::kStray, State::kResists},
       .files = {File::kClosed},
       .step = Step::kDone},
      // Was there, and half-written: to be emptied.
      {.states = {State::kEmptied}, .files = kAnyOpen, .step = Step::kEmpty},
      {.states = {State::kEmptied}, .files = {File::kClosed}, .step = Step::kReopen},
      {.states = {State::kReopened}, .files = kAnyOpen, .step = Step::kCompare},
      {.states = {State::kReopened}, .files = {File::kClosed}, .step = Step::kDone},
  };
  for (int state = 0; state <= static_cast<int>(State::kEnded); ++state) {
    for (const File file : {File::kClosed, File::kInSlot, File::kOpen}) {
      for (const bool is_identified : {false, true}) {
        for (const bool removable_if_open : {false, true}) {
          const Situation situation = {.state = static_cast<State>(state),
                                       .file = file,
                                       .is_identified = is_identified,
                                       .removable_if_open = removable_if_open};
          int holding = 0;
          for (const Row& row : rows) {
            if (!row.Holds(situation)) continue;
            ++holding;
            EXPECT_EQ(PlacedTarget::StepIn(situation), row.step)
                << state << " " << static_cast<int>(file);
          }
          EXPECT_EQ(holding, 1) << state << " " << static_cast<int>(file);
        }
      }
    }
  }
}

// --- Ends ---

constexpr int kFd = 5;
constexpr int kReopenedFd = 6;
constexpr uint64_t kInode = 11;

// File systems of all kinds.
FileSystem* Local() {
  static FileSystem file_system(/*device=*/1, LocalKind());
  return &file_system;
}
FileSystem* Nfs() {
  static FileSystem file_system(/*device=*/2, NfsKind());
  return &file_system;
}
FileSystem* Overlay() {
  static FileSystem file_system(/*device=*/3, OverlayKind());
  return &file_system;
}
FileSystem* Other() {
  static FileSystem file_system(/*device=*/4, OtherKind());
  return &file_system;
}

// How a copy leaves its target when it ends.
enum class Left { kUntouched, kSpecial, kMade, kMadeWhole, kEmptied, kRewritten };

struct Case {
  Left left = Left::kMade;
  FileSystem* file_system = Local();
  bool is_closed = false;       // By the caller, who goes on, and then fails.
  bool is_moved = false;        // Somebody else has given it another name.
  bool is_gone = false;         // ... or removed it.
  bool somebody_elses = false;  // ... and put a file in its place.
  bool numbers_differ = false;
  bool is_half_written() const { return left == Left::kMade || left == Left::kEmptied; }
  bool is_made() const { return left == Left::kMade || left == Left::kMadeWhole; }
};

// A target in memory, and its end. Which of the ops fail is chosen from outside: the next
// number of `choices` says with which of the errors, 0 with none.
class World {
 public:
  World(const Case& made, std::vector<int>* choices) : case_(made), choices_(choices) {
    names_.target = "T";
    names_.target_file_system = made.file_system;
    target_.Start(policy_, names_);
    has_name_ = !made.is_moved && !made.is_gone;
    has_contents_ = made.left != Left::kUntouched && made.left != Left::kSpecial;
    const FileRef file = FileRef::Descriptor(kFd);
    if (made.is_made()) {
      target_.NoteMade(file);
    } else {
      target_.NoteOpened(file, /*follows_link=*/false);
      if (made.left == Left::kSpecial) {
        target_.NoteSpecial();
      } else {
        target_.NoteStat(0, Stat(kInode));
      }
      if (made.left == Left::kEmptied || made.left == Left::kRewritten) {
        target_.NoteEmptied();
      }
    }
    if (made.left == Left::kMadeWhole || made.left == Left::kRewritten) {
      target_.NoteWhole();
    }
    if (made.numbers_differ) target_.NoteNumbersDiffer();
    if (made.is_closed) {  // Who lets it go has looked at it.
      if (made.left != Left::kSpecial) target_.NoteStat(0, Stat(kInode));
      target_.NoteClosed();
    }
    is_open_ = !made.is_closed;
  }

  void End() {
    EndBy(&target_, [&](const Op& op) { return CarryOut(op); });
  }

  const PlacedTarget& target() const { return target_; }
  const std::vector<std::string>& history() const { return history_; }
  bool is_open() const { return is_open_; }
  bool has_name() const { return has_name_; }
  bool has_contents() const { return has_contents_; }
  bool somebody_elses_is_lost() const { return somebody_elses_is_lost_; }
  int close_error() const { return close_error_; }
  bool is_asked_too_often() const { return history_.size() > 20; }

 private:
  static struct statx Stat(uint64_t inode) {
    struct statx stat = {};
    stat.stx_ino = inode;
    stat.stx_mode = S_IFREG | 0600;
    stat.stx_nlink = 1;
    return stat;
  }

  // 0, or an error that is chosen.
  int32_t Choose(const std::string& op, std::initializer_list<int> errors) {
    history_.push_back(op);
    if (is_asked_too_often()) return -EIO;
    if (next_ == choices_->size()) choices_->push_back(0);
    limits_.push_back(static_cast<int>(errors.size()));
    const int choice = (*choices_)[next_++];
    return choice == 0 ? 0 : -*(errors.begin() + choice - 1);
  }

  int32_t CarryOut(const Op& op) {
    switch (op.kind) {
      case OpKind::kStatx: {
        if (op.stat.name != nullptr && *op.stat.name != '\0') return StatName(op);
        const int32_t result = Choose("fstat", {EIO});
        if (result == 0) {
          *op.stat.result = Stat(Number(is_another_open_ ? kInode + 1 : kInode));
          if (case_.is_gone) op.stat.result->stx_nlink = 0;
        }
        return result;
      }
      case OpKind::kUnlinkAt: {
        EXPECT_TRUE(has_name_ || case_.somebody_elses);
        const int32_t result = Choose("unlink", {EBUSY});
        if (result != 0) return result;
        if (!has_name_) somebody_elses_is_lost_ = true;
        has_name_ = false;
        return 0;
      }
      case OpKind::kFtruncate: {
        EXPECT_TRUE(is_open_);
        const int32_t result = Choose("empty", {EINVAL});
        if (result == 0 && !is_another_open_) has_contents_ = false;
        if (result == 0 && is_another_open_) somebody_elses_is_lost_ = true;
        return result;
      }
      case OpKind::kOpenAt: {
        EXPECT_FALSE(is_open_);
        if (!has_name_ && !case_.somebody_elses) return -ENOENT;
        const int32_t result = Choose("open", {EACCES});
        if (result != 0) return result;
        is_open_ = true;
        is_another_open_ = !has_name_;
        return kReopenedFd;
      }
      case OpKind::kClose: {
        EXPECT_TRUE(is_open_);
        is_open_ = false;
        const int32_t result = Choose("close", {ENOSPC});
        if (close_error_ == 0) close_error_ = -result;
        return result;
      }
      default:
        ADD_FAILURE() << "what for?";
        return -EINVAL;
    }
  }

  int32_t StatName(const Op& op) {
    const int32_t result = Choose("lstat", {EIO});
    if (result != 0) return result;
    if (!has_name_ && !case_.somebody_elses) return -ENOENT;
    *op.stat.result = Stat(has_name_ ? Number(kInode) : kInode + 1);
    return 0;
  }

  // Where each look gives another number, this look's.
  uint64_t Number(uint64_t inode) {
    return case_.numbers_differ ? inode + 100 + history_.size() : inode;
  }

 public:
  // How many errors there were to choose from, each time.
  const std::vector<int>& limits() const { return limits_; }

 private:
  const Case case_;
  std::vector<int>* const choices_;
  std::vector<int> limits_;
  size_t next_ = 0;
  FileCopyPolicy policy_;
  FileCopyNames names_;
  PlacedTarget target_;
  std::vector<std::string> history_;
  bool is_open_ = true;
  bool is_another_open_ = false;
  bool has_name_ = true;
  bool has_contents_ = true;
  bool somebody_elses_is_lost_ = false;
  int close_error_ = 0;
};

// Calls `check` with the end of `made` for every choice of the ops that fail.
template <typename Check>
void ForEachEnd(const Case& made, Check check) {
  std::vector<int> choices;
  for (;;) {
    World world(made, &choices);
    world.End();
    std::string trace = absl::StrCat(
        "left ", static_cast<int>(made.left), " file system ", made.file_system->device(),
        made.is_closed ? " closed" : "", made.is_moved ? " moved" : "",
        made.is_gone ? " gone" : "", made.somebody_elses ? " somebody else's" : "",
        made.numbers_differ ? " numbers differ" : "", ":");
    for (size_t i = 0; i < world.history().size(); ++i) {
      absl::StrAppend(&trace, " ", world.history()[i],
                      i < choices.size() && choices[i] != 0 ? "!" : "");
    }
    SCOPED_TRACE(trace);
    check(world);
    if (testing::Test::HasFailure()) return;
    // The next choice: the last number that can grow does, those behind it are dropped.
    choices.resize(world.limits().size());
    while (!choices.empty() && choices.back() == world.limits()[choices.size() - 1]) {
      choices.pop_back();
    }
    if (choices.empty()) return;
    ++choices.back();
  }
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const Left left : {Left::kUntouched, Left::kSpecial, Left::kMade, Left::kMadeWhole,
                          Left::kEmptied, Left::kRewritten}) {
    for (FileSystem* const file_system : {Local(), Other(), Nfs(), Overlay()}) {
      for (int bits = 0; bits < 16; ++bits) {
        Case made = {.left = left,
                     .file_system = file_system,
                     .is_closed = (bits & 1) != 0,
                     .is_moved = (bits & 2) != 0,
                     .is_gone = (bits & 4) != 0,
                     .somebody_elses = (bits & 8) != 0};
        if (made.is_moved && made.is_gone) continue;
        if (made.somebody_elses && !made.is_moved && !made.is_gone) continue;
        cases.push_back(made);
        made.numbers_differ = true;
        if (file_system == Other()) cases.push_back(made);
      }
    }
  }
  return cases;
}

// Of every end that there is: the promise of placed_target.h.
TEST(PlacedTargetTest, WhateverFailsItIsWholeOrGoneOrEmptyOrThatIsTold) {
  int ends = 0;
  for (const Case& made : AllCases()) {
    ForEachEnd(made, [&](const World& world) {
      ++ends;
      EXPECT_FALSE(world.is_asked_too_often());
      EXPECT_FALSE(world.is_open());
      EXPECT_FALSE(world.somebody_elses_is_lost());
      const PlacedTarget& target = world.target();
      const bool matters = made.left != Left::kUntouched && !made.is_half_written();
      EXPECT_EQ(target.close_error(), matters ? world.close_error() : 0);
      if (made.left == Left::kUntouched || made.left == Left::kSpecial) {
        EXPECT_LE(world.history().size(), 1u);
        EXPECT_EQ(target.removal_error(), 0);
        return;
      }
      const bool is_half_written = made.is_half_written() || target.close_error() != 0;
      if (!is_half_written) {
        EXPECT_EQ(target.removal_error(), 0);
        EXPECT_EQ(world.has_name(), !made.is_moved && !made.is_gone);
        EXPECT_TRUE(world.has_contents());
        return;
      }
      if (target.removal_error() != 0) return;
      if (!world.has_name() || !world.has_contents()) return;
      // Only by its name can it be reached once it is closed. So it stays where it is
      // taken for another one, or was not looked at because the file system was believed
      // to tell no error by then.
      EXPECT_TRUE(made.is_made());
      EXPECT_TRUE(made.is_closed || target.close_error() != 0);
      EXPECT_TRUE(made.numbers_differ || made.file_system == Local());
    });
    if (HasFailure()) return;
  }
  EXPECT_GT(ends, 900);
}

// One row of the table: the steps that an end takes, and with what `choices` they fail.
struct End {
  std::string steps = {};
  int removal_error = 0;
  int close_error = 0;
  friend bool operator==(const End&, const End&) = default;
  friend std::ostream& operator<<(std::ostream& stream, const End& end) {
    return stream << end.steps << " removal " << end.removal_error << " close "
                  << end.close_error;
  }
};

End EndOf(const Case& made, std::vector<int> choices = {}) {
  World world(made, &choices);
  world.End();
  End end = {.removal_error = world.target().removal_error(),
             .close_error = world.target().close_error()};
  for (const std::string& step : world.history()) {
    absl::StrAppend(&end.steps, end.steps.empty() ? "" : " ", step);
  }
  return end;
}

TEST(PlacedTargetTest, WhatIsCompleteIsOnlyClosed) {
  EXPECT_EQ(EndOf({.left = Left::kMadeWhole}), (End{"close"}));
  EXPECT_EQ(EndOf({.left = Left::kRewritten}), (End{"close"}));
  EXPECT_EQ(EndOf({.left = Left::kUntouched}), (End{"close"}));
  EXPECT_EQ(EndOf({.left = Left::kUntouched}, {1}), (End{"close"}));
}

TEST(PlacedTargetTest, WhatWasMadeAndIsHalfWrittenIsRemovedWhileItIsOpen) {
  EXPECT_EQ(EndOf({.left = Left::kMade}), (End{"fstat lstat unlink close"}));
  // Where it can't be, once it is closed; and if it can't be then either, it is empty.
  EXPECT_EQ(EndOf({.left = Left::kMade}, {0, 0, 1}),
            (End{"fstat lstat unlink empty close lstat unlink"}));
  EXPECT_EQ(EndOf({.left = Left::kMade}, {0, 0, 1, 0, 0, 0, 1}),
            (End{"fstat lstat unlink empty close lstat unlink", EBUSY}));
  // In user space it is not tried while it is open, and looked at before it is closed.
  EXPECT_EQ(EndOf({.left = Left::kMade, .file_system = Other()}),
            (End{"empty fstat close lstat unlink"}));
}

TEST(PlacedTargetTest, UnderAnotherNameItIsEmptied) {
  EXPECT_EQ(EndOf({.left = Left::kMade, .is_moved = true, .somebody_elses = true}),
            (End{"fstat lstat empty close"}));
  EXPECT_EQ(EndOf({.left = Left::kMade, .is_moved = true}),
            (End{"fstat lstat empty close"}));
  EXPECT_EQ(EndOf({.left = Left::kMade, .is_gone = true}), (End{"fstat lstat close"}));
}

TEST(PlacedTargetTest, WhatCanNotBeLookedAtStaysWhichIsTold) {
  EXPECT_EQ(EndOf({.left = Left::kMade}, {1}), (End{"fstat lstat close", EIO}));
  EXPECT_EQ(EndOf({.left = Left::kMade}, {0, 1}), (End{"fstat lstat close", EIO}));
  EXPECT_EQ(EndOf({.left = Left::kMade, .file_system = Other()}, {0, 1}),
            (End{"empty fstat close", EIO}));
}

TEST(PlacedTargetTest, WhatWasThereIsEmptied) {
  EXPECT_EQ(EndOf({.left = Left::kEmptied}), (End{"empty close"}));
  EXPECT_EQ(EndOf({.left = Left::kEmptied}, {1}), (End{"empty close", EINVAL}));
  EXPECT_EQ(EndOf({.left = Left::kEmptied, .is_closed = true}),
            (End{"open fstat empty close"}));
  // Another file that has its name by now is left.
  EXPECT_EQ(EndOf({.left = Left::kEmptied,
                   .is_closed = true,
                   .is_moved = true,
                   .somebody_elses = true}),
            (End{"open fstat close"}));
  // It may be that one where each look tells another number.
  EXPECT_EQ(EndOf({.left = Left::kEmptied,
                   .file_system = Other(),
                   .is_closed = true,
                   .numbers_differ = true}),
            (End{"open fstat close", ESTALE}));
}

TEST(PlacedTargetTest, WhatCouldNotBeStoredIsHalfWritten) {
  FileSystem* const nfs = Nfs();
  EXPECT_EQ(EndOf({.left = Left::kMadeWhole, .file_system = nfs}, {0, 1}),
            (End{"fstat close lstat unlink", 0, ENOSPC}));
  EXPECT_EQ(EndOf({.left = Left::kMadeWhole, .file_system = nfs}, {1, 1}),
            (End{"fstat close", EIO, ENOSPC}));
  EXPECT_EQ(EndOf({.left = Left::kRewritten, .file_system = nfs}, {1}),
            (End{"close open fstat empty close", 0, ENOSPC}));
  EXPECT_EQ(EndOf({.left = Left::kSpecial}, {1}), (End{"close", 0, ENOSPC}));
}

TEST(PlacedTargetTest, WhatGotNoDescriptorStaysAndIsToldIfItIsHalfWritten) {
  for (const bool is_whole : {false, true}) {
    const FileCopyPolicy policy;
    FileCopyNames names;
    names.target_file_system = Local();
    PlacedTarget target;
    target.Start(policy, names);
    target.NoteMade(FileRef::Slot(3));
    if (is_whole) target.NoteWhole();
    EXPECT_EQ(target.step(), is_whole ? Step::kClose : Step::kInstall);
    target.NoteLost(EMFILE);
    EXPECT_EQ(target.step(), Step::kDone);
    EXPECT_EQ(target.removal_error(), is_whole ? 0 : EMFILE);
  }
}

TEST(PlacedTargetTest, ACopyMayBeginAnew) {
  const FileCopyPolicy policy;
  FileCopyNames names;
  names.target_file_system = Other();
  PlacedTarget target;
  target.Start(policy, names);
  target.NoteMade(FileRef::Descriptor(kFd));
  target.NoteStat(-ENOMEM, {});
  target.NoteClosed();
  // If it ended now nobody could say which file it was.
  EXPECT_EQ(target.step(), Step::kDone);
  EXPECT_EQ(target.removal_error(), ENOMEM);
  target.Forget();
  EXPECT_EQ(target.removal_error(), 0);
  EXPECT_TRUE(target.is_untouched());
  target.NoteMade(FileRef::Descriptor(kFd));
  target.NoteWhole();
  EXPECT_TRUE(target.is_whole());
  target.NoteNotStored();
  EXPECT_FALSE(target.is_whole());
  EXPECT_TRUE(target.is_made());
}

// Where numbers of inodes are made up, a name may lead to another file of the same
// number.
TEST(PlacedTargetTest, ALookAtItsNameTellsItsSizeButNotWhichFileItIs) {
  const FileCopyPolicy policy;
  FileCopyNames names;
  names.target_file_system = Other();
  PlacedTarget target;
  target.Start(policy, names);
  target.NoteOpened(FileRef::Descriptor(kFd), /*follows_link=*/false);
  struct statx opened = {};
  opened.stx_mask = STATX_BTIME;
  opened.stx_ino = kInode;
  opened.stx_btime.tv_sec = 1;
  target.NoteStat(0, opened);
  struct statx* const named = target.mutable_named();
  *named = opened;
  named->stx_btime.tv_sec = 2;
  named->stx_size = 7;
  named->stx_nlink = 3;
  target.NoteConfirmed();
  EXPECT_EQ(target.stat().stx_size, 7u);
  EXPECT_EQ(target.stat().stx_nlink, 3u);
  EXPECT_TRUE(target.IsIt(opened));
  EXPECT_FALSE(target.IsIt(*named));
}

// A copy that was cut short in its last op says so once more.
TEST(PlacedTargetTest, ThatItIsWholeMayBeNotedTwice) {
  FileCopyPolicy policy;
  FileCopyNames names;
  names.target = "T";
  names.target_file_system = Local();
  PlacedTarget target;
  target.Start(policy, names);
  target.NoteMade(FileRef::Descriptor(kFd));
  for (int i = 0; i < 2; ++i) {
    target.NoteWhole();
    EXPECT_TRUE(target.is_whole());
    EXPECT_TRUE(target.is_made());
  }
}

}  // namespace
}  // namespace ringcp
