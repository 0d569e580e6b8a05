// The addresses an agent listens on and a client connects to. This version has one kind:
// `unix:/path/to.sock` (also written `unix:///path/to.sock`).
//
// Thread-safety: pure functions, except that DefaultAgentAddress() reads the environment.

#ifndef RINGCP_PROTO_ADDRESS_H_
#define RINGCP_PROTO_ADDRESS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// The most bytes of a socket's path: the room in sockaddr_un, less the NUL at the end.
inline constexpr size_t kSocketPathBytesMax = 107;

// The path of the socket that `address` names. INVALID_ARGUMENT, with a message for the
// user that begins with the address, if `address` is no unix address (TCP is refused,
// because it needs mutual TLS, which this version does not have) or its path is relative
// or too long.
absl::StatusOr<std::string> SocketPath(std::string_view address);

// `unix:$XDG_RUNTIME_DIR/ringcp/agent.sock`; for root without the variable
// `unix:/run/ringcp/agent.sock`. FAILED_PRECONDITION for other users without the
// variable: the message says what is missing, and the caller adds the option that
// provides it.
absl::StatusOr<std::string> DefaultAgentAddress();

// The same for a given user and value of the variable (null if it isn't set). A relative
// value is ignored, as the variable's specification demands.
absl::StatusOr<std::string> DefaultAgentAddress(const char* xdg_runtime_dir, uid_t user);

}  // namespace ringcp

#endif  // RINGCP_PROTO_ADDRESS_H_
