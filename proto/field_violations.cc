#include "proto/field_violations.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"

namespace ringcp {

void FieldViolations::Add(std::string_view field, std::string_view description) {
  ++count_;
  if (count_ > kViolationsMax) return;
  auto* violation = told_.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
}

absl::Status FieldViolations::ToStatus() const {
  if (empty()) return absl::OkStatus();
  const auto& first = told_.field_violations(0);
  std::string message = absl::StrCat(first.field(), ": ", first.description());
  if (count_ > 1) absl::StrAppend(&message, " (and ", count_ - 1, " more)");
  absl::Status status = absl::InvalidArgumentError(message);
  google::protobuf::Any packed;
  packed.PackFrom(told_);
  status.SetPayload(packed.type_url(), absl::Cord(packed.value()));
  return status;
}

absl::Status FieldViolation(std::string_view field, std::string_view description) {
  FieldViolations violations;
  violations.Add(field, description);
  return violations.ToStatus();
}

}  // namespace ringcp
