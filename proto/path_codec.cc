#include "proto/path_codec.h"

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

constexpr std::string_view kUriPrefix = "file://";

absl::Status Refuse(const std::string& description) {
  return absl::InvalidArgumentError(description);
}

absl::Status TooLong() {
  return Refuse(absl::StrCat("must be at most ", kPathBytesMax, " bytes long"));
}

// The length of the UTF-8 character that `text` begins with; 0 if it begins with no
// well-formed one. Overlong forms, surrogates and values above U+10FFFF are malformed.
size_t CharacterLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  size_t length;
  // Four of the first bytes narrow the range of the second one.
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) second_min = 0xA0;
    if (first == 0xED) second_max = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) second_min = 0x90;
    if (first == 0xF4) second_max = 0x8F;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  if (byte(1) < second_min || byte(1) > second_max) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// The value of a hexadecimal digit; -1 for any other byte.
int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// The path of a file URI; `text` is what follows "file://".
absl::StatusOr<std::string> DecodeUriPath(std::string_view text) {
  if (!text.starts_with('/')) {
    return Refuse("must be a file URI without a host, such as file:///srv/caf%E9");
  }
  std::string path;
  path.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (byte == '?' || byte == '#') {
      return Refuse("must have '?' and '#' percent-encoded in a file URI");
    }
    if (byte != '%') {
      path.push_back(byte);
      continue;
    }
    if (text.size() - i < 3) return Refuse("must have two hexadecimal digits behind '%'");
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return Refuse("must have two hexadecimal digits behind '%'");
    const char decoded = static_cast<char>(high * 16 + low);
    // No name contains a '/', so a sender who escapes one means something else.
    if (decoded == '/') return Refuse("must not have '/' percent-encoded in a file URI");
    path.push_back(decoded);
    i += 2;
  }
  return path;
}

std::string EncodeUriPath(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri(kUriPrefix);
  for (const char byte : path) {
    // RFC 3986's unreserved characters, and '/', which separates names.
    if (absl::ascii_isalnum(static_cast<unsigned char>(byte)) ||
        std::string_view("-._~/").find(byte) != std::string_view::npos) {
      uri.push_back(byte);
    } else {
      const auto value = static_cast<uint8_t>(byte);
      uri.push_back('%');
      uri.push_back(kDigits[value >> 4]);
      uri.push_back(kDigits[value & 15]);
    }
  }
  return uri;
}

}  // namespace

absl::StatusOr<std::string> PathFromApi(std::string_view text) {
  if (text.empty()) return Refuse("must not be empty");
  if (text.size() > kPathBytesMax) return TooLong();
  std::string path;
  if (text.starts_with('/')) {
    if (!IsUtf8(text)) {
      return Refuse("must be valid UTF-8; other paths are written as file URIs");
    }
    path = std::string(text);
  } else if (text.starts_with(kUriPrefix)) {
    auto decoded = DecodeUriPath(text.substr(kUriPrefix.size()));
    if (!decoded.ok()) return decoded;
    path = *std::move(decoded);
  } else {
    return Refuse("must be an absolute path, such as /srv/data");
  }
  if (path.find('\0') != std::string::npos) return Refuse("must not hold a NUL byte");
  return path;
}

absl::StatusOr<std::string> PathToApi(std::string_view path) {
  if (!path.starts_with('/')) return Refuse("must be an absolute path");
  if (path.find('\0') != std::string_view::npos) {
    return Refuse("must not hold a NUL byte");
  }
  std::string text = IsUtf8(path) ? std::string(path) : EncodeUriPath(path);
  if (text.size() > kPathBytesMax) return TooLong();
  return text;
}

}  // namespace ringcp
