// The addresses an agent listens on and a client connects to. This version has one kind:
// `unix:/path/to.sock` (also written `unix:///path/to.sock`).
//
// Thread-safety: pure functions, but for DefaultAgentAddress(), which reads the
// environment.

#ifndef RINGCP_AGENT_ADDRESS_H_
#define RINGCP_AGENT_ADDRESS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

// Bytes of a socket's path: what sockaddr_un has room for, less the NUL at its end.
inline constexpr size_t kSocketPathBytesMax = 107;

// The path of the socket that `address` names. INVALID_ARGUMENT, with a message for the
// user that begins with the address: not a unix address (TCP is refused: it needs mutual
// TLS, which this version does not have), a relative path, one that is too long.
absl::StatusOr<std::string> SocketPath(std::string_view address);

// `unix:$XDG_RUNTIME_DIR/ringcp/agent.sock`, or `unix:/run/ringcp/agent.sock` for root
// where the variable isn't set. For others without the variable FAILED_PRECONDITION; the
// message says what is missing, and the caller adds which option gives it.
absl::StatusOr<std::string> DefaultAgentAddress();

// The same for a given value of the variable (null when it isn't set) and user. As its
// specification demands, a relative value is ignored.
absl::StatusOr<std::string> DefaultAgentAddress(const char* xdg_runtime_dir, uid_t user);

// What gRPC's clients connect to for the socket at `socket_path`: they take the path of a
// unix address to be percent-encoded.
std::string GrpcTarget(std::string_view socket_path);

}  // namespace ringcp

#endif  // RINGCP_AGENT_ADDRESS_H_
