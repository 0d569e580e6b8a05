// The part of FileCopy that gives the target its SELinux label (target_label.h).

#include <cerrno>

#include "core/file/file_copy.h"

namespace ringcp {

void FileCopy::OpenLabelled(const Op& open, NextChains* next) {
  if (label().is_required() && !TakeLabel(label().FailureOfSource())) {
    return CloseAll(next);
  }
  state_ = State::kOpenTarget;
  Chain& chain = next->Add(0);
  chain.Add(label().ForNew(source_stat_.stx_mode)).Add(open, label().tie());
}

bool FileCopy::TakeLabelOfNew(int32_t labelled, int32_t opened) {
  if (labelled == -ECANCELED) return true;  // Neither of the two ops has run.
  // What exists keeps its label until it is known what becomes of it.
  if (opened < 0 && !label().is_required()) return true;
  if (opened >= 0 && TargetLabel::WasOutOfResources(labelled)) {
    return TakeLabel(label().SetOnExisting(policy_.kernel, FileRef::Descriptor(opened),
                                           source_stat_.stx_mode));
  }
  return TakeLabel(label().FailureOfNew(labelled));
}

bool FileCopy::LabelExisting() {
  // What this copy has made has its label.
  if (!label().is_set() || target_.is_made() || opening_.makes_pointee()) return true;
  return TakeLabel(
      label().SetOnExisting(policy_.kernel, target_.file(), target_.stat().stx_mode));
}

bool FileCopy::TakeLabel(const std::optional<CopyFailure>& failure) {
  if (!failure.has_value()) return true;
  if (!label().is_required()) {
    attributes_.NoteLabel(*failure);
    return true;
  }
  Fail(*failure);
  return false;
}

}  // namespace ringcp
