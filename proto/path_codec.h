// Paths between the form the API writes them in and the bytes the kernel takes. The API's
// fields are UTF-8, a path is any bytes: one that is not valid UTF-8 travels as a file
// URI
// ("file:///srv/caf%E9", RFC 8089). An absolute path begins with '/', so the two forms
// can't be confused, and every path has a form that comes back as the same bytes.
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_PATH_CODEC_H_
#define RINGCP_PROTO_PATH_CODEC_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// Bytes of a path in either form. Sixteen times PATH_MAX: what one system call takes is
// not the limit of what a tree holds, but a path without any limit is a mistake.
inline constexpr size_t kPathBytesMax = 64 * 1024;

// The bytes of `text`, which is an absolute path in UTF-8 or a file URI without a host.
// INVALID_ARGUMENT, with a message that reads well after a field's name ("must be …"):
// empty, relative, longer than kPathBytesMax, a NUL byte, invalid UTF-8 in the plain
// form; in a URI also another host, a broken or needless escape ("%zz", "%00", "%2F") and
// an unescaped '?' or '#', which would begin something that is no path.
absl::StatusOr<std::string> PathFromApi(std::string_view text);

// `path` as the API writes it: as it is when it is valid UTF-8, else as a file URI.
// INVALID_ARGUMENT as above: `path` is not absolute, holds a NUL byte, or is longer than
// kPathBytesMax in the form it gets.
absl::StatusOr<std::string> PathToApi(std::string_view path);

}  // namespace ringcp

#endif  // RINGCP_PROTO_PATH_CODEC_H_
