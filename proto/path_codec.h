// Translates paths between the API's form and the bytes that the kernel takes. The API's
// fields are UTF-8, but a path may hold any bytes: a path that is not valid UTF-8 travels
// as a file URI ("file:///srv/caf%E9", RFC 8089). A plain path begins with '/', so the
// two forms can't be confused, and every path comes back as the same bytes.
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_PATH_CODEC_H_
#define RINGCP_PROTO_PATH_CODEC_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// The most bytes of a path, in either form: sixteen times PATH_MAX. A tree can hold
// longer paths than one system call takes, but a path without any limit is a mistake.
inline constexpr size_t kPathBytesMax = 64 * 1024;

// The bytes of `text`, which is an absolute path in UTF-8 or a file URI without a host.
// INVALID_ARGUMENT, with a message to follow a field's name ("must be …"), if `text` is
// empty, relative, longer than kPathBytesMax, holds a NUL byte, or is invalid UTF-8 in
// the plain form; for a URI also if it has a host, an escape that is broken or forbidden
// ("%zz", "%00", "%2F"), or an unescaped '?' or '#', which would end the path.
absl::StatusOr<std::string> PathFromApi(std::string_view text);

// `path` in the API's form: unchanged if it is valid UTF-8, otherwise as a file URI.
// INVALID_ARGUMENT, as above, if `path` is not absolute, holds a NUL byte, or is longer
// than kPathBytesMax in the API's form.
absl::StatusOr<std::string> PathToApi(std::string_view path);

}  // namespace ringcp

#endif  // RINGCP_PROTO_PATH_CODEC_H_
