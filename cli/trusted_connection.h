// A connection to an agent's unix socket, made only if the one who listens there may be
// trusted with what a client sends: root, the user himself, or a user that he names.
//
// Thread-safety: may be called by any thread.

#ifndef RINGCP_CLI_TRUSTED_CONNECTION_H_
#define RINGCP_CLI_TRUSTED_CONNECTION_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace ringcp {

// The number of the user called `user`, which may also be a number. INVALID_ARGUMENT if
// there is none.
absl::StatusOr<uid_t> FindUser(const std::string& user);

// Connects to the socket at `path`. Returns the descriptor, which does not block. `named`
// is trusted besides. Messages say the reason only.
// NOT_FOUND: nobody listens there. RESOURCE_EXHAUSTED: too many are waiting to be
// accepted. UNAVAILABLE: it can't be connected to for another reason. PERMISSION_DENIED:
// somebody who is not trusted does, and nothing was sent to him; or the user may not
// connect.
absl::StatusOr<int> ConnectToTrusted(const std::string& path, std::optional<uid_t> named);

}  // namespace ringcp

#endif  // RINGCP_CLI_TRUSTED_CONNECTION_H_
