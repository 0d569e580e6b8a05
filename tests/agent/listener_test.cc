#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agent/connection_acceptor.h"
#include "agent/unix_listener.h"
#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using ::testing::HasSubstr;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(address.sun_path));
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

// Leaves a socket of `type` at `path`, like a program that was killed.
void LeaveSocket(const std::string& path, int type) {
  const int fd = socket(AF_UNIX, type, 0);
  const sockaddr_un address = AddressOf(path);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
}

// Connects to `path` and returns the descriptor, or -1.
int Connect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

mode_t ModeOf(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

std::unique_ptr<UnixListener> Listen(const std::string& path) {
  auto listener = UnixListener::Listen(path, /*make_directory=*/false);
  EXPECT_TRUE(listener.ok()) << listener.status();
  return listener.ok() ? *std::move(listener) : nullptr;
}

absl::Status ListenStatus(const std::string& path) {
  return UnixListener::Listen(path, /*make_directory=*/false).status();
}

TEST(UnixListenerTest, OnlyTheOwnerMayUseTheSocketWhateverTheUmask) {
  const ScratchDirectory directory;
  const mode_t umask_before = umask(0);
  const auto listener = Listen(directory.Path("a.sock"));
  EXPECT_EQ(ModeOf(directory.Path("a.sock")), 0600u);
  // The listener did not change the umask to achieve that: all threads share the umask.
  EXPECT_EQ(umask(umask_before), 0u);
}

TEST(UnixListenerTest, TheModeIsRightFromTheMomentTheFileExists) {
  const ScratchDirectory directory;
  const mode_t umask_before = umask(0);
  const std::string path = directory.Path("a.sock");
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> seen = 0;
  std::thread onlooker([&] {
    while (!stop) {
      struct stat status;
      if (lstat(path.c_str(), &status) != 0) continue;
      ++seen;
      if ((status.st_mode & 07777) != 0600) ++wrong;
    }
  });
  for (int i = 0; i < 2000 || seen == 0; ++i) Listen(path);
  stop = true;
  onlooker.join();
  umask(umask_before);
  EXPECT_EQ(wrong, 0);
}

TEST(UnixListenerTest, ConnectionsAreAccepted) {
  const ScratchDirectory directory;
  const auto listener = Listen(directory.Path("a.sock"));
  const int fd = Connect(directory.Path("a.sock"));
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(UnixListenerTest, TheSocketGoesWithItsListener) {
  const ScratchDirectory directory;
  Listen(directory.Path("a.sock")).reset();
  EXPECT_FALSE(Exists(directory.Path("a.sock")));
}

TEST(UnixListenerTest, AStaleSocketIsReplaced) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("a.sock");
  LeaveSocket(path, SOCK_STREAM);
  EXPECT_EQ(Connect(path), -1);
  const auto listener = Listen(path);
  const int fd = Connect(path);
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(UnixListenerTest, ALiveSocketIsRefusedAndGoesOn) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("a.sock");
  const auto listener = Listen(path);
  const absl::Status status = ListenStatus(path);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "another agent is listening on unix:" + path);
  const int fd = Connect(path);
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(UnixListenerTest, ALiveSocketWithAFullBacklogIsRefused) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("a.sock");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = AddressOf(path);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 0), 0);
  const int waiting = Connect(path);
  ASSERT_GE(waiting, 0);
  EXPECT_EQ(ListenStatus(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Exists(path));
  close(waiting);
  close(fd);
}

TEST(UnixListenerTest, WhatIsNoStreamSocketIsLeftAlone) {
  const ScratchDirectory directory;
  const std::string file = directory.WriteFile("file", "precious");
  EXPECT_EQ(ListenStatus(file).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(ListenStatus(file).message()), HasSubstr("not a socket"));
  EXPECT_EQ(ReadFileOrNone(file), "precious");
  const std::string inside = directory.MakeDirectory("directory");
  EXPECT_FALSE(ListenStatus(inside).ok());
  EXPECT_TRUE(Exists(inside));
  const std::string link = directory.Path("link");
  ASSERT_EQ(symlink("elsewhere", link.c_str()), 0);
  EXPECT_FALSE(ListenStatus(link).ok());
  EXPECT_TRUE(Exists(link));
  const std::string datagram = directory.Path("datagram");
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const sockaddr_un address = AddressOf(datagram);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_FALSE(ListenStatus(datagram).ok());
  EXPECT_TRUE(Exists(datagram));
  close(fd);
}

TEST(UnixListenerTest, AnotherFileAtItsPathIsNotRemoved) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("a.sock");
  auto first = Listen(path);
  ASSERT_EQ(unlink(path.c_str()), 0);
  const auto second = Listen(path);
  first.reset();
  const int fd = Connect(path);
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(UnixListenerTest, OnlyOneOfManyThatStartTogetherListens) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("a.sock");
  for (int round = 0; round < 500; ++round) {
    LeaveSocket(path, SOCK_STREAM);
    std::atomic<int> ready = 0;
    std::vector<std::unique_ptr<UnixListener>> listeners(4);
    std::vector<std::thread> threads;
    for (auto& listener : listeners) {
      threads.emplace_back([&ready, &listener, &path] {
        ++ready;
        while (ready < 4) std::this_thread::yield();
        auto result = UnixListener::Listen(path, /*make_directory=*/false);
        if (result.ok()) listener = *std::move(result);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto listens = [](const auto& listener) { return listener != nullptr; };
    ASSERT_EQ(std::count_if(listeners.begin(), listeners.end(), listens), 1);
  }
}

TEST(UnixListenerTest, AMissingDirectoryIsMadeOnlyWhenAskedFor) {
  const ScratchDirectory directory;
  const std::string path = directory.Path("ringcp/agent.sock");
  const absl::Status status = ListenStatus(path);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(directory.Path("ringcp")));
  const auto listener = UnixListener::Listen(path, /*make_directory=*/true);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(ModeOf(directory.Path("ringcp")), 0700u);
  EXPECT_FALSE(UnixListener::Listen(directory.Path("a/b/c"), true).ok());
}

// Whoever may read a directory can lock it for as long as he likes.
TEST(UnixListenerTest, ALockOnItsDirectoryKeepsNobodyFromListening) {
  const ScratchDirectory directory;
  const int held = open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(held, LOCK_EX), 0);
  EXPECT_TRUE(ListenStatus(directory.Path("a.sock")).ok());
  close(held);
}

TEST(UnixListenerTest, NothingButTheSocketIsLeftInItsDirectory) {
  const ScratchDirectory directory;
  const auto listener = Listen(directory.Path("a.sock"));
  EXPECT_FALSE(Exists(directory.Path("a.sock.lock")));
}

TEST(UnixListenerTest, ALockThatOthersCanOpenIsRefused) {
  const ScratchDirectory directory;
  const std::string lock = directory.WriteFile("a.sock.lock", "");
  ASSERT_EQ(chmod(lock.c_str(), 0644), 0);
  const absl::Status status = ListenStatus(directory.Path("a.sock"));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr(lock));
  EXPECT_TRUE(Exists(lock));
}

TEST(UnixListenerTest, ADirectoryInWhichOthersCanReplaceTheSocketIsRefused) {
  const ScratchDirectory directory;
  const std::string open_directory = directory.MakeDirectory("open");
  const std::string path = open_directory + "/a.sock";
  for (const mode_t mode : {0777, 0770, 0702}) {
    ASSERT_EQ(chmod(open_directory.c_str(), mode), 0);
    const absl::Status status = ListenStatus(path);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << mode;
    EXPECT_THAT(std::string(status.message()), HasSubstr("mkdir -m 700"));
  }
  for (const mode_t mode : {01777, 0755, 0700}) {
    ASSERT_EQ(chmod(open_directory.c_str(), mode), 0);
    EXPECT_TRUE(ListenStatus(path).ok()) << mode;
  }
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory to somebody else";
  ASSERT_EQ(chown(open_directory.c_str(), 65534, 65534), 0);
  EXPECT_EQ(ListenStatus(path).code(), absl::StatusCode::kPermissionDenied);
}

// Hands out, one at a time, the connections that an acceptor accepted.
class Connections {
 public:
  void Add(int fd) {
    MutexLock lock(&mutex_);
    fds_.push_back(fd);
    changed_.NotifyAll();
  }
  int Take() {
    MutexLock lock(&mutex_);
    while (fds_.empty()) changed_.Wait(&mutex_);
    const int fd = fds_.back();
    fds_.pop_back();
    return fd;
  }
  size_t size() {
    MutexLock lock(&mutex_);
    return fds_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<int> fds_ ABSL_GUARDED_BY(mutex_);
};

// What a client of HTTP/2 says first.
constexpr std::string_view kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Connects to `path` as a client of gRPC does. Returns the descriptor.
int ConnectAndGreet(const std::string& path) {
  const int fd = Connect(path);
  EXPECT_EQ(write(fd, kGreeting.data(), kGreeting.size()), kGreeting.size());
  return fd;
}

// Reads what the client of `fd` has said until its greeting is over, and one byte more.
char ReadByteAfterGreeting(int fd) {
  std::array<char, kGreeting.size() + 1> said;
  size_t size = 0;
  while (size < said.size()) {
    const ssize_t got = read(fd, said.data() + size, said.size() - size);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return '\0';
    if (got > 0) size += static_cast<size_t>(got);
  }
  return said.back();
}

// Whether the other side has closed the connection; waits until it has, or speaks.
bool IsClosed(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) <= 0;
}

TEST(ConnectionAcceptorTest, ConnectionsOfEveryListenerAreHandedOn) {
  const ScratchDirectory directory;
  const auto first = Listen(directory.Path("a.sock"));
  const auto second = Listen(directory.Path("b.sock"));
  Connections connections;
  const auto acceptor =
      ConnectionAcceptor::Start({first->fd(), second->fd()}, /*connections_max=*/8,
                                [&connections](int fd) { connections.Add(fd); });
  ASSERT_TRUE(acceptor.ok()) << acceptor.status();
  for (const auto* listener : {first.get(), second.get(), first.get()}) {
    const int client = ConnectAndGreet(listener->path());
    ASSERT_GE(client, 0);
    const int server = connections.Take();
    ASSERT_EQ(write(client, "x", 1), 1);
    // The greeting is left for the connection's new owner.
    EXPECT_EQ(ReadByteAfterGreeting(server), 'x');
    close(server);
    close(client);
  }
}

TEST(ConnectionAcceptorTest, AConnectionBeyondTheLimitWaitsUntilAnotherOneLeaves) {
  const ScratchDirectory directory;
  const auto listener = Listen(directory.Path("a.sock"));
  Connections connections;
  const auto acceptor =
      ConnectionAcceptor::Start({listener->fd()}, /*connections_max=*/2,
                                [&connections](int fd) { connections.Add(fd); });
  ASSERT_TRUE(acceptor.ok()) << acceptor.status();
  int clients[3];
  int servers[3];
  for (int i = 0; i < 2; ++i) {
    clients[i] = ConnectAndGreet(listener->path());
    servers[i] = connections.Take();
  }
  clients[2] = ConnectAndGreet(listener->path());
  ASSERT_GE(clients[2], 0);
  // Closes the first connection by giving its descriptor number to another file.
  const int other = open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT_EQ(connections.size(), 0u);
  ASSERT_EQ(dup2(other, servers[0]), servers[0]);
  servers[2] = connections.Take();
  ASSERT_EQ(write(clients[2], "x", 1), 1);
  EXPECT_EQ(ReadByteAfterGreeting(servers[2]), 'x');
  for (const int fd : clients) close(fd);
  for (const int fd : servers) close(fd);
  close(other);
}

// Each of them would take up the agent's descriptors for as long as it likes.
TEST(ConnectionAcceptorTest, ClientsThatSayNothingMakeWayForThoseThatSpeak) {
  const ScratchDirectory directory;
  const auto listener = Listen(directory.Path("a.sock"));
  Connections connections;
  const auto acceptor =
      ConnectionAcceptor::Start({listener->fd()}, /*connections_max=*/4,
                                [&connections](int fd) { connections.Add(fd); });
  ASSERT_TRUE(acceptor.ok()) << acceptor.status();
  std::vector<int> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(Connect(listener->path()));
  const int client = ConnectAndGreet(listener->path());
  close(connections.Take());
  EXPECT_TRUE(IsClosed(silent[0]));
  EXPECT_TRUE(IsClosed(silent[15]));
  for (const int fd : silent) close(fd);
  close(client);
}

TEST(ConnectionAcceptorTest, WhatIsNoHttp2IsClosedAndNotHandedOn) {
  const ScratchDirectory directory;
  const auto listener = Listen(directory.Path("a.sock"));
  Connections connections;
  const auto acceptor =
      ConnectionAcceptor::Start({listener->fd()}, /*connections_max=*/4,
                                [&connections](int fd) { connections.Add(fd); });
  ASSERT_TRUE(acceptor.ok()) << acceptor.status();
  for (const std::string_view garbage :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"), std::string_view("\0", 1),
        std::string_view("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n")}) {
    const int client = Connect(listener->path());
    ASSERT_EQ(write(client, garbage.data(), garbage.size()), garbage.size());
    EXPECT_TRUE(IsClosed(client)) << garbage;
    close(client);
  }
  EXPECT_EQ(connections.size(), 0u);
}

}  // namespace
}  // namespace ringcp
