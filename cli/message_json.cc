#include "cli/message_json.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

namespace ringcp {

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  // This fails only for an Any of an unknown type, and the API has no Any.
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";
}

std::string JsonString(std::string_view text) {
  google::protobuf::StringValue value;
  value.set_value(text.data(), text.size());
  return MessageJson(value);
}

}  // namespace ringcp
