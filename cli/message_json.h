// Messages of the API as JSON in protobuf's mapping: lowerCamelCase keys, 64-bit numbers
// as strings, and every field except absent messages.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_MESSAGE_JSON_H_
#define RINGCP_CLI_MESSAGE_JSON_H_

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace ringcp {

// `message` as one object on one line, without a newline.
std::string MessageJson(const google::protobuf::Message& message);

// `text`, which is UTF-8, as a JSON string with its quotes.
std::string JsonString(std::string_view text);

}  // namespace ringcp

#endif  // RINGCP_CLI_MESSAGE_JSON_H_
