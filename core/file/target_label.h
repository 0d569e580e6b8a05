// The SELinux label ("context") of a target: its source's (-a, --preserve=context), that
// which the system's policy says for its name (-Z), or one that the user named
// (--context). A new target has it from the beginning, and an existing one gets it before
// it gets new contents, so that nobody can read them under a label that lets him. Unless
// an existing target has to be opened with O_TRUNC, it still has its old contents then.
//
// What follows from a failure is as in GNU cp: the copy ends if the label is required
// (--preserve=context, --context), and goes on otherwise, with a warning or without.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_TARGET_LABEL_H_
#define RINGCP_CORE_FILE_TARGET_LABEL_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "core/file/copy_policy.h"
#include "core/file/source_attributes.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"

namespace ringcp {

class TargetLabel {
 public:
  // `source`: what was read of the source; nullptr if nothing was. All three outlive
  // this.
  TargetLabel(const FileCopyPolicy& policy, const FileCopyNames& names,
              const SourceAttributes* source)
      : policy_(policy), names_(names), source_(source) {}

  // Whether the job decides on labels at all. Otherwise nothing below is to be called.
  bool is_set() const { return policy_.preserve.context != Context::kNone; }
  // Whether the copy has to end after a failure.
  bool is_required() const;

  // Why the source's label is not known, as far as the user is told; nothing if it is, or
  // is not asked for. If the label is required, nothing is to be made then.
  std::optional<CopyFailure> FailureOfSource() const;

  // The op that comes right before the one that makes a target of the type of `mode`, in
  // the same chain, tied to it by tie().
  Op ForNew(mode_t mode) const;
  Tie tie() const { return is_required() ? Tie::kSoft : Tie::kHard; }
  // What the user is told if that had `result`; nothing if the target has its label, or
  // if the failure is not worth a word.
  std::optional<CopyFailure> FailureOfNew(int32_t result) const;

  // Whether that failed because the process, or the system, had too little of something.
  // The system permits the label then, and GNU cp would hardly have failed. So it is told
  // in any case, and tried once more by SetOnExisting() where the target is open.
  static bool WasOutOfResources(int32_t result);

  // Carries out both, on the calling thread. Returns the result of `make`; nothing if
  // that was not tried, because the label is required and could not be said. What is to
  // be told of the label is in *failure.
  std::optional<int32_t> Make(Kernel* kernel, mode_t mode, const Op& make,
                              std::optional<CopyFailure>* failure) const;

  // Gives the label to the existing target `file`, whose st_mode is `mode`. Returns what
  // the user is told. It may wait: labels are set on the thread that asks. REQUIRES: no
  // slot.
  std::optional<CopyFailure> SetOnExisting(Kernel* kernel, FileRef file,
                                           mode_t mode) const;

 private:
  bool is_by_policy() const {
    return policy_.preserve.context == Context::kReplaced && policy_.label == nullptr;
  }
  // With -a, of which nothing else is left if a label is named besides.
  bool is_silent() const {
    return policy_.preserve.context == Context::kTried ||
           (is_by_policy() && policy_.preserve.xattrs == Xattrs::kTried);
  }
  // Whether a failure with `error_number` is told.
  bool IsTold(int error_number) const;

  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const SourceAttributes* const source_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_LABEL_H_
