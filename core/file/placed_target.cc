#include "core/file/placed_target.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/removal.h"

namespace ringcp {

void PlacedTarget::Start(const FileCopyPolicy& policy, const FileCopyNames& names) {
  policy_ = &policy;
  names_ = &names;
  file_system_ = names.target_file_system;
  file_ = FileRef();
  follows_link_ = numbers_differ_ = false;
  close_error_ = 0;
  Forget();
}

void PlacedTarget::Forget() {
  state_ = State::kUntouched;
  is_identified_ = false;
  not_identified_ = removal_error_ = 0;
}

void PlacedTarget::NoteMade(FileRef file) {
  state_ = State::kMade;
  file_ = file;
}

void PlacedTarget::NoteOpened(FileRef file, bool follows_link) {
  file_ = file;
  follows_link_ = follows_link;
}

void PlacedTarget::NoteLost(int error_number) {
  file_ = FileRef();
  if (!is_whole()) End(error_number);
}

void PlacedTarget::NoteStat(int32_t result, const struct statx& stat) {
  is_identified_ = result == 0;
  not_identified_ = -result;
  if (is_identified_) stat_ = stat;
}

void PlacedTarget::NoteConfirmed() {
  if (!is_identified_) {
    stat_ = named_;
    return;
  }
  // Only these may have changed since it was opened. The identity stays the open file's,
  // because where inode numbers are made up the name may lead to another file.
  stat_.stx_size = named_.stx_size;
  stat_.stx_nlink = named_.stx_nlink;
}

void PlacedTarget::NoteAnother() { End(ESTALE); }

void PlacedTarget::NoteEmptied() {
  if (state_ == State::kUntouched) state_ = State::kEmptied;
}

void PlacedTarget::NoteWhole() {
  switch (state_) {
    case State::kMade:
      state_ = State::kMadeWhole;
      return;
    case State::kUntouched:
    case State::kEmptied:
      state_ = State::kRewritten;
      return;
    case State::kMadeWhole:
    case State::kRewritten:
    case State::kSpecial:
    case State::kKept:
      return;
    default:
      RINGCP_CHECK(false);
  }
}

void PlacedTarget::NoteNotStored() {
  RINGCP_CHECK(is_whole());
  if (state_ == State::kKept) return;
  state_ = state_ == State::kMadeWhole ? State::kMade : State::kEmptied;
}

int PlacedTarget::removal_error() const {
  const bool is_unknown = state_ == State::kMade && !is_open() && !is_identified_;
  return is_unknown ? not_identified_ : removal_error_;
}

void PlacedTarget::AddStep(Chain* chain) {
  const int directory = names_->target_directory;
  const char* const name = names_->target;
  switch (step()) {
    case Step::kLook:
      if (is_open()) chain->Add(StatDescriptor(file_, &stat_));
      chain->Add(StatAt(directory, name, AT_SYMLINK_NOFOLLOW, &named_), Tie::kHard);
      return;
    case Step::kUnlink:
      chain->Add(UnlinkAt(directory, name, 0));
      return;
    case Step::kEmpty:
      chain->Add(policy_->Resize(file_, 0));
      return;
    case Step::kReopen:
      chain->Add(
          OpenAt(directory, name,
                 O_WRONLY | O_NOCTTY | O_NONBLOCK | (follows_link_ ? 0 : O_NOFOLLOW), 0,
                 FileRef()));
      return;
    case Step::kCompare:
      chain->Add(StatDescriptor(file_, &named_));
      return;
    case Step::kClose:
      AddClose(/*at_once=*/false, Tie::kHard, chain);
      return;
    case Step::kInstall:
    case Step::kDone:
      break;
  }
  RINGCP_CHECK(false);
}

void PlacedTarget::Settle(absl::Span<const int32_t> results) {
  switch (step()) {
    case Step::kLook:
      return SettleLook(results);
    case Step::kUnlink:
      return SettleUnlink(results[0]);
    case Step::kEmpty:
      return SettleEmpty(results[0]);
    case Step::kReopen:
      return SettleReopen(results[0]);
    case Step::kCompare:
      return SettleCompare(results[0]);
    case Step::kClose:
      return SettleClose(results);
    case Step::kInstall:
    case Step::kDone:
      break;
  }
  RINGCP_CHECK(false);
}

void PlacedTarget::End(int removal_error) {
  state_ = State::kEnded;
  removal_error_ = removal_error;
}

void PlacedTarget::SettleLook(absl::Span<const int32_t> results) {
  const int32_t looked = is_open() ? results[0] : 0;
  const int32_t named = results.back();
  if (named == -ENOENT && (!is_open() || looked < 0)) return End(0);
  if (looked < 0 && !is_identified_) return End(-looked);
  is_identified_ = true;
  switch (WhatHasName(named, named_, stat_)) {
    case HasName::kIt:
      state_ = State::kFound;
      return;
    case HasName::kUnknown:
      return End(-named);
    case HasName::kNothing:
    case HasName::kAnother:
      break;
  }
  // The open file is not left half-written either, wherever its name is now, or if each
  // look at it tells another inode number. A closed file was emptied before, or can't be
  // emptied any more.
  if (!is_open() || stat_.stx_nlink == 0) return End(removal_error_);
  state_ = State::kStray;
}

void PlacedTarget::SettleUnlink(int32_t result) {
  const bool is_gone = result == 0 || result == -ENOENT;
  if (!is_gone && is_open()) {
    state_ = State::kResists;
    return;
  }
  // Once it is removed it does not matter that it could not be emptied.
  End(is_gone ? 0 : -result);
}

void PlacedTarget::SettleEmpty(int32_t result) {
  const int error_number = result < 0 ? -result : 0;
  if (state_ != State::kMade && state_ != State::kResists) return End(error_number);
  state_ = State::kAwaitsClosing;
  removal_error_ = error_number;
}

void PlacedTarget::SettleReopen(int32_t result) {
  if (result < 0) return End(result == -ENOENT ? 0 : -result);
  file_ = FileRef::Descriptor(result);
  state_ = State::kReopened;
}

void PlacedTarget::SettleCompare(int32_t result) {
  if (result < 0) return End(-result);
  if (!IsStillTheSame(stat_, named_)) {
    // If each look tells another inode number, this may be the half-written file.
    return End(numbers_differ_ ? ESTALE : 0);
  }
  state_ = State::kEmptied;
}

void PlacedTarget::AddClose(bool at_once, Tie tie, Chain* chain) {
  const auto add = [&](const Op& op) {
    chain->Add(at_once ? AtOnce(op) : op, tie);
    tie = Tie::kHard;
  };
  if (identifies_before_closing()) {
    add(StatDescriptor(file_, &stat_, AT_STATX_DONT_SYNC));
  }
  add(Close(file_));
}

void PlacedTarget::SettleClose(absl::Span<const int32_t> results) {
  if (identifies_before_closing()) {
    is_identified_ = results[0] == 0;
    // If the look failed, a file that has to go can't be told from others later on.
    not_identified_ = -results[0];
  }
  file_ = FileRef();
  if (state_ == State::kAwaitsClosing) state_ = State::kMade;
  // Some file systems tell only when a file is closed that its contents could not be
  // stored.
  if (results.back() < 0 && (is_whole() || is_special())) close_error_ = -results.back();
  if (results.back() < 0 && is_whole()) NoteNotStored();
}

}  // namespace ringcp
