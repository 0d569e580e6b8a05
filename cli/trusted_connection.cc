#include "cli/trusted_connection.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// Room for a user's entry; more than any directory service returns.
constexpr size_t kEntryBytesMax = 64 * 1024;

// "root" or, if the number has no name, "user 12".
std::string NameOf(uid_t uid) {
  std::string room(kEntryBytesMax, '\0');
  passwd entry = {};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, room.data(), room.size(), &found);
  return found != nullptr ? Quote(found->pw_name) : absl::StrCat("user ", uid);
}

absl::Status ConnectError(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(strerror(error_number));
    case EAGAIN:
      return absl::ResourceExhaustedError("too many clients are waiting to be accepted");
    case ENOENT:
    case ECONNREFUSED:
      return absl::NotFoundError(strerror(error_number));
    default:
      return absl::UnavailableError(strerror(error_number));
  }
}

}  // namespace

absl::StatusOr<uid_t> FindUser(const std::string& user) {
  std::string room(kEntryBytesMax, '\0');
  passwd entry = {};
  passwd* found = nullptr;
  getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
  if (found != nullptr) return found->pw_uid;
  uid_t number = 0;
  if (absl::SimpleAtoi(user, &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("there is no user ", Quote(user)));
}

absl::StatusOr<int> ConnectToTrusted(const std::string& path,
                                     std::optional<uid_t> named) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ConnectError(ENAMETOOLONG);
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ConnectError(errno);
  absl::Cleanup close_fd = [fd] { close(fd); };
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ConnectError(errno);
  }
  // Of the process that listens, as it was when it began to (unix(7)).
  ucred listener = {};
  socklen_t size = sizeof(listener);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) {
    return ConnectError(errno);
  }
  const uid_t uid = listener.uid;
  if (uid != 0 && uid != geteuid() && uid != named) {
    return absl::PermissionDeniedError(
        absl::StrCat(NameOf(uid),
                     " listens there, who is neither root nor you; if that "
                     "is meant, give --agent-user"));
  }
  std::move(close_fd).Cancel();
  return fd;
}

}  // namespace ringcp
