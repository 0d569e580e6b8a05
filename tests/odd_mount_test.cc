// Checks that the odd file system is odd where it is asked to be, and nowhere else.

#include "tests/odd_mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/latency_jumps.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class OddMountTest : public testing::Test {
 protected:
  // Returns false if the file system can't be mounted on this machine.
  bool Mount(const std::vector<std::string>& oddities) {
    PrepareWithShell(scratch_.path(),
                     "mkdir backing odd backing/sub; seq 100 >backing/file;"
                     " ln -s file backing/link");
    odd_ = std::make_unique<OddMount>(scratch_.Path("backing"), scratch_.Path("odd"),
                                      oddities);
    return odd_->why_not().empty();
  }

  // The types that the directory lists for its entries.
  std::map<std::string, int> ListedTypes() const {
    std::map<std::string, int> types;
    DIR* const directory = opendir(scratch_.Path("odd").c_str());
    while (const dirent* const entry = readdir(directory)) {
      if (entry->d_name[0] != '.') types[entry->d_name] = entry->d_type;
    }
    closedir(directory);
    return types;
  }

  // Writes to a new file in the mount. Returns the errnos of the write and of the close.
  std::pair<int, int> WriteTo(const std::string& name) const {
    const int fd =
        open(scratch_.Path("odd/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return {errno, 0};
    const int write_error = write(fd, "x", 1) == 1 ? 0 : errno;
    return {write_error, close(fd) == 0 ? 0 : errno};
  }

  struct stat Stat(const std::string& name) const {
    struct stat stat = {};
    EXPECT_EQ(lstat(scratch_.Path("odd/" + name).c_str(), &stat), 0) << name;
    return stat;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<OddMount> odd_;
};

using Types = std::map<std::string, int>;

TEST_F(OddMountTest, WithoutOdditiesItPassesEverythingThrough) {
  if (!Mount({})) GTEST_SKIP() << odd_->why_not();
  EXPECT_EQ(ListedTypes(), (Types{{"file", DT_REG}, {"link", DT_LNK}, {"sub", DT_DIR}}));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("odd/file")),
            ReadFileOrNone(scratch_.Path("backing/file")));
  EXPECT_EQ(WriteTo("new"), (std::pair<int, int>(0, 0)));
  EXPECT_EQ(Stat("new").st_mode & 07777, 0640u & ~022u);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("backing/new")), "x");
}

TEST_F(OddMountTest, ListedTypesLie) {
  if (!Mount({"list-directory-as-fifo", "list-link-as-file", "list-file-as-unknown"})) {
    GTEST_SKIP() << odd_->why_not();
  }
  EXPECT_EQ(ListedTypes(),
            (Types{{"file", DT_UNKNOWN}, {"link", DT_REG}, {"sub", DT_FIFO}}));
  EXPECT_TRUE(S_ISDIR(Stat("sub").st_mode));
  EXPECT_TRUE(S_ISLNK(Stat("link").st_mode));
}

TEST_F(OddMountTest, AFileThatIsSaidToBeEmptyHasItsContents) {
  if (!Mount({"sizes-are-zero", "direct-io"})) GTEST_SKIP() << odd_->why_not();
  EXPECT_EQ(Stat("file").st_size, 0);
  EXPECT_EQ(Stat("file").st_blocks, 0);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("odd/file")).size(), 292u);
}

TEST_F(OddMountTest, CallsFailWhereTheyAreToldTo) {
  if (!Mount({"fail-close=EDQUOT", "fail-chmod=EPERM", "only=bad"})) {
    GTEST_SKIP() << odd_->why_not();
  }
  EXPECT_EQ(WriteTo("bad"), (std::pair<int, int>(0, EDQUOT)));
  EXPECT_EQ(WriteTo("good"), (std::pair<int, int>(0, 0)));
  EXPECT_EQ(chmod(scratch_.Path("odd/good").c_str(), 0600), 0);
  EXPECT_EQ(chmod(scratch_.Path("odd/bad").c_str(), 0600), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST_F(OddMountTest, ReadsFailBehindAnOffset) {
  if (!Mount({"fail-read=EIO@5", "direct-io"})) GTEST_SKIP() << odd_->why_not();
  const int fd = open(scratch_.Path("odd/file").c_str(), O_RDONLY | O_CLOEXEC);
  std::string bytes(5, '\0');
  EXPECT_EQ(pread(fd, bytes.data(), 5, 0), 5);
  EXPECT_EQ(pread(fd, bytes.data(), 5, 5), -1);
  EXPECT_EQ(errno, EIO);
  close(fd);
}

TEST_F(OddMountTest, NamesThatDifferOnlyInCaseAreTheSame) {
  if (!Mount({"ignore-case", "fixed-modes"})) GTEST_SKIP() << odd_->why_not();
  EXPECT_EQ(WriteTo("New"), (std::pair<int, int>(0, 0)));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("odd/NEW")), "x");
  EXPECT_EQ(Stat("new").st_mode & 07777, 0755u);
}

TEST_F(OddMountTest, RequestsTakeAsLongAsAsked) {
  if (!Mount({"latency=20"})) GTEST_SKIP() << odd_->why_not();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Stat("file").st_size, 292);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST(LatencyJumpsTest, ASeedTellsWhichRequestsWait) {
  LatencyJumps jumps(1);
  LatencyJumps same(1);
  LatencyJumps other(2);
  constexpr int kRequests = 10'000;
  int waits = 0;
  int differences = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto kind = static_cast<RequestKind>(i % LatencyJumps::kKinds);
    const auto latency = jumps.Next(kind);
    EXPECT_EQ(same.Next(kind), latency);
    EXPECT_LE(latency, LatencyJumps::kMax);
    differences += latency != other.Next(kind) ? 1 : 0;
    waits += latency > LatencyJumps::kMax / 2 ? 1 : 0;
  }
  EXPECT_GT(differences, kRequests / 100);
  EXPECT_GT(waits, kRequests / 100);
  EXPECT_LT(waits, kRequests / 4);
}

}  // namespace
}  // namespace ringcp
