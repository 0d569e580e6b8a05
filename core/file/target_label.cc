#include "core/file/target_label.h"

#include <cerrno>
#include <string>

#include "core/kernel/security_labels.h"

namespace ringcp {
namespace {

// Whether a label can't be had because there are none here, or none for this name.
bool SaysNothing(int error_number) {
  return error_number == EOPNOTSUPP || error_number == ENODATA;
}

}  // namespace

bool TargetLabel::WasOutOfResources(int32_t result) {
  return result == -EMFILE || result == -ENFILE || result == -ENOMEM;
}

bool TargetLabel::is_required() const {
  return policy_.preserve.context == Context::kRequired ||
         (policy_.preserve.context == Context::kReplaced && !is_by_policy());
}

bool TargetLabel::IsTold(int error_number) const {
  if (is_required() || policy_.attributes_only || WasOutOfResources(-error_number)) {
    return true;
  }
  return !is_silent() && !SaysNothing(error_number);
}

Op TargetLabel::ForNew(mode_t mode) const {
  if (is_by_policy()) {
    return LabelNextByPolicy(names_.target_directory, names_.target, mode);
  }
  if (policy_.label != nullptr) return LabelNext(policy_.label);
  return LabelNext(source_ != nullptr ? source_->label().c_str() : "");
}

std::optional<CopyFailure> TargetLabel::FailureOfSource() const {
  if (!policy_.preserve.keeps_label()) return std::nullopt;
  const bool is_known = source_ != nullptr && source_->has_looked_at_label();
  const int error_number = is_known ? source_->label_error() : ENODATA;
  if (error_number == 0 || !IsTold(error_number)) return std::nullopt;
  return CopyFailure{.operation = Operation::kGetLabel, .error_number = error_number};
}

std::optional<CopyFailure> TargetLabel::FailureOfNew(int32_t result) const {
  std::optional<CopyFailure> failure = FailureOfSource();
  if (failure.has_value() || result >= 0) return failure;
  const int error_number = -result;
  if (is_by_policy()) {
    // As in GNU cp, with -a too.
    if (SaysNothing(error_number)) return std::nullopt;
    return TargetFailure(Operation::kLabelNextByPolicy, error_number);
  }
  if (!IsTold(error_number)) return std::nullopt;
  failure = TargetFailure(Operation::kLabelNext, error_number);
  failure->attribute = policy_.label != nullptr ? policy_.label : source_->label();
  return failure;
}

std::optional<int32_t> TargetLabel::Make(Kernel* kernel, mode_t mode, const Op& make,
                                         std::optional<CopyFailure>* failure) const {
  failure->reset();
  if (!is_set()) return kernel->Do(make);
  if (is_required()) *failure = FailureOfSource();
  if (!failure->has_value()) *failure = FailureOfNew(kernel->Do(ForNew(mode)));
  if (failure->has_value() && is_required()) return std::nullopt;
  return kernel->Do(make);
}

std::optional<CopyFailure> TargetLabel::SetOnExisting(Kernel* kernel, FileRef file,
                                                      mode_t mode) const {
  if (policy_.label != nullptr) return std::nullopt;  // As in GNU cp.
  std::optional<CopyFailure> failure = FailureOfSource();
  if (failure.has_value()) return failure;
  int32_t result = 0;
  if (is_by_policy()) {
    result = kernel->Do(SetDefaultLabel(file, mode));
  } else if (source_ != nullptr && !source_->label().empty()) {
    const std::string& label = source_->label();
    result = kernel->Do(SetXattr(file, kLabelAttribute, label.c_str(),
                                 static_cast<uint32_t>(label.size() + 1)));
  }
  if (result >= 0 || !IsTold(-result)) return std::nullopt;
  return TargetFailure(Operation::kSetLabel, -result);
}

}  // namespace ringcp
