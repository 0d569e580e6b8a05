#include "proto/address.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ringcp {
namespace {

constexpr std::string_view kScheme = "unix:";

absl::Status Refuse(std::string_view address, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(address), ": ", reason));
}

}  // namespace

absl::StatusOr<std::string> SocketPath(std::string_view address) {
  if (!address.starts_with(kScheme)) {
    if (address.find(':') != std::string_view::npos &&
        !address.starts_with("unix-abstract:")) {
      return Refuse(address,
                    "TCP needs mutual TLS, which this version does not have; use "
                    "unix:/path");
    }
    return Refuse(address, "not an address; use unix:/path");
  }
  std::string_view path = address.substr(kScheme.size());
  // In unix://authority/path the authority has to be empty.
  if (path.starts_with("//")) path.remove_prefix(2);
  if (!path.starts_with('/')) {
    return Refuse(address, "the socket's path must be absolute, as in unix:/path");
  }
  if (path.find('\0') != std::string_view::npos || path.ends_with('/')) {
    return Refuse(address, "not the path of a socket");
  }
  if (path.size() > kSocketPathBytesMax) {
    return Refuse(address, absl::StrCat("the socket's path must be at most ",
                                        kSocketPathBytesMax, " bytes long"));
  }
  return std::string(path);
}

absl::StatusOr<std::string> DefaultAgentAddress() {
  return DefaultAgentAddress(std::getenv("XDG_RUNTIME_DIR"), geteuid());
}

absl::StatusOr<std::string> DefaultAgentAddress(const char* xdg_runtime_dir, uid_t user) {
  if (xdg_runtime_dir != nullptr && xdg_runtime_dir[0] == '/') {
    return absl::StrCat("unix:", absl::StripSuffix(xdg_runtime_dir, "/"),
                        "/ringcp/agent.sock");
  }
  if (user == 0) return "unix:/run/ringcp/agent.sock";
  return absl::FailedPreconditionError(
      "XDG_RUNTIME_DIR is not set, so there is no default address");
}

}  // namespace ringcp
