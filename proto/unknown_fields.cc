#include "proto/unknown_fields.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace ringcp {

void RefuseUnknownFields(const google::protobuf::Message& message,
                         const std::string& name, FieldViolations* violations) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) {
    violations->Add(name.empty() ? "request" : name,
                    absl::StrCat("must not hold field number ", unknown.field(0).number(),
                                 ", which this version does not know"));
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* const field : fields) {
    using google::protobuf::FieldDescriptor;
    // No map of the API holds messages.
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) {
      continue;
    }
    const std::string below = absl::StrCat(name, name.empty() ? "" : ".", field->name());
    if (!field->is_repeated()) {
      RefuseUnknownFields(reflection.GetMessage(message, field), below, violations);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      RefuseUnknownFields(reflection.GetRepeatedMessage(message, field, i),
                          absl::StrCat(below, "[", i, "]"), violations);
    }
  }
}

absl::Status RefuseUnknownFields(const google::protobuf::Message& request) {
  FieldViolations violations;
  RefuseUnknownFields(request, /*name=*/"", &violations);
  return violations.ToStatus();
}

}  // namespace ringcp
