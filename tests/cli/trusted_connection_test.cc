#include "cli/trusted_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

constexpr uid_t kNobody = 65534;

class TrustedConnectionTest : public testing::Test {
 protected:
  ~TrustedConnectionTest() override {
    if (listener_ >= 0) close(listener_);
  }

  // Listens at path_ as the user `uid`.
  void ListenAs(uid_t uid) {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path_.size(), sizeof(address.sun_path));
    std::strcpy(address.sun_path, path_.c_str());
    ASSERT_EQ(
        bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const uid_t self = geteuid();
    ASSERT_TRUE(uid == self || seteuid(uid) == 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    ASSERT_TRUE(uid == self || seteuid(self) == 0);
  }

  // "connected", or why not.
  std::string Connect(std::optional<uid_t> named = std::nullopt) {
    const absl::StatusOr<int> fd = ConnectToTrusted(path_, named);
    if (!fd.ok()) return std::string(fd.status().message());
    close(*fd);
    return "connected";
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_.Path("s");
  int listener_ = -1;
};

TEST_F(TrustedConnectionTest, TheUsersOwnAgentIsTrusted) {
  ListenAs(geteuid());
  EXPECT_EQ(Connect(), "connected");
}

TEST_F(TrustedConnectionTest, SomebodyElsesAgentIsTrustedOnlyIfNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can listen as somebody else";
  ListenAs(kNobody);
  EXPECT_EQ(Connect(),
            "'nobody' listens there, who is neither root nor you; if that is meant, give "
            "--agent-user");
  EXPECT_EQ(Connect(kNobody), "connected");
  EXPECT_TRUE(absl::StrContains(Connect(1), "'nobody' listens there"));
}

TEST_F(TrustedConnectionTest, TellsWhyNobodyCanBeReached) {
  EXPECT_EQ(Connect(), "No such file or directory");
  EXPECT_EQ(ConnectToTrusted(path_, std::nullopt).status().code(),
            absl::StatusCode::kNotFound);
  ListenAs(geteuid());
  close(listener_);
  listener_ = -1;
  EXPECT_EQ(Connect(), "Connection refused");
  EXPECT_EQ(ConnectToTrusted(std::string(200, 'x'), std::nullopt).status().message(),
            "File name too long");
}

TEST_F(TrustedConnectionTest, UsersAreFoundByNameAndByNumber) {
  EXPECT_EQ(*FindUser("root"), 0u);
  EXPECT_EQ(*FindUser("nobody"), kNobody);
  EXPECT_EQ(*FindUser("12345"), 12345u);
  EXPECT_EQ(FindUser("no such user").status().message(),
            "there is no user 'no such user'");
}

}  // namespace
}  // namespace ringcp
