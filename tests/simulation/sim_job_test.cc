// Jobs in simulated worlds that once showed a fault of the engine.

#include "tests/simulation/sim_job.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/simulation/sim_tree.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {
namespace {

SimJobOptions OneWorker() {
  SimJobOptions options;
  options.workers = 1;
  options.limits.block_bytes = 4096;
  options.limits.copies_in_flight = 2;
  options.limits.extra_blocks = 1;
  return options;
}

// Both attempts to open the target fail, and do not say what the target is.
TEST(SimJobTest, ADirectoryThatCanNotBeOpenedIsNotCopiedOverAsIfItWereAFile) {
  SimWorld world({});
  MakeSimDirectory(world.files(), "/source");
  MakeSimFile(world.files(), "/source/file", "contents");
  MakeSimDirectory(world.files(), "/target");
  world.SetFaults([](const SimOpContext& context) -> SimFault {
    const bool is_target = context.op->kind == OpKind::kOpenAt &&
                           std::string(context.op->open.name) == "/target";
    return is_target ? SimFault{SimFault::Kind::kFails, EACCES, 0} : SimFault{};
  });
  CopyRequest request;
  request.sources = {"/source"};
  request.target = "/target";
  request.options = OptionsFor("r");
  const SimJobResult result = RunSimJob(&world, request, OneWorker());
  EXPECT_EQ(result.status.message(), "target '/target': Permission denied");
  EXPECT_EQ(FindSim(*world.files(), "/target/file"), nullptr);
  EXPECT_EQ(result.leaks, "");
}

// A file system in user space may answer what it likes.
TEST(SimJobTest, ADirectoryWhoseMakingIsAnsweredLikeACancelledOpIsNamed) {
  SimWorld world({});
  MakeSimDirectory(world.files(), "/source");
  MakeSimDirectory(world.files(), "/source/name");
  MakeSimFile(world.files(), "/source/name/file", "contents");
  world.SetFaults([](const SimOpContext& context) -> SimFault {
    const bool is_it = context.op->kind == OpKind::kMakeDirectory &&
                       std::string(context.op->name.name) == "name";
    return is_it ? SimFault{SimFault::Kind::kFails, ECANCELED, 0} : SimFault{};
  });
  CopyRequest request;
  request.sources = {"/source"};
  request.target = "/target";
  request.options = OptionsFor("r");
  const SimJobResult result = RunSimJob(&world, request, OneWorker());
  ASSERT_EQ(result.errors.size(), 1);
  EXPECT_EQ(result.errors[0].message,
            "cannot create directory '/target/name': the kernel had no thread or no "
            "memory for it "
            "(see ulimit -u)");
}

// A job over a world whose target has a file where the source has a directory, with
// --backup.
class SimBackupTest : public testing::Test {
 protected:
  SimBackupTest() {
    MakeSimDirectory(world_.files(), "/source");
    MakeSimDirectory(world_.files(), "/source/name");
    MakeSimFile(world_.files(), "/source/name/file", "new");
    MakeSimDirectory(world_.files(), "/target");
    MakeSimDirectory(world_.files(), "/target/source");
    MakeSimFile(world_.files(), "/target/source/name", "contents");
  }

  // Lets the `nth` op of `kind` that has the name "name" in the target fail. Returns the
  // messages, one a line.
  std::string Messages(OpKind kind, int nth, int error_number) {
    int tries = 0;
    world_.SetFaults([=, &tries](const SimOpContext& context) -> SimFault {
      const Op& op = *context.op;
      if (op.kind != kind) return {};
      const char* const name = kind == OpKind::kOpenAt ? op.open.name : op.name.name;
      const bool is_it = std::string(name) == "name" && ++tries == nth;
      return is_it ? SimFault{SimFault::Kind::kFails, error_number, 0} : SimFault{};
    });
    CopyRequest request;
    request.sources = {"/source"};
    request.target = "/target";
    request.options = OptionsFor("r");
    request.options.backup = Backup::kSimple;
    const SimJobResult result = RunSimJob(&world_, request, OneWorker());
    EXPECT_EQ(result.leaks, "");
    std::string messages;
    for (const FileError& error : result.errors) {
      absl::StrAppend(&messages, error.message, "\n");
    }
    return messages;
  }

  std::string Contents(const std::string& path) {
    const InodePtr file = FindSim(*world_.files(), path);
    return file == nullptr ? "none" : file->contents.ToString();
  }

  SimWorld world_{{}};
};

// What had the directory's name is under another name by then.
TEST_F(SimBackupTest, GetsItsNameBackIfTheDirectoryCanNotBeMade) {
  EXPECT_EQ(Messages(OpKind::kMakeDirectory, 2, ENOSPC),
            "cannot create directory '/target/source/name': No space left on device\n");
  EXPECT_EQ(Contents("/target/source/name"), "contents");
  EXPECT_EQ(Contents("/target/source/name~"), "none");
}

TEST_F(SimBackupTest, GetsItsNameBackIfTheDirectoryIsSaidToExistOnceMore) {
  EXPECT_EQ(Messages(OpKind::kMakeDirectory, 2, EEXIST),
            "cannot create directory '/target/source/name': File exists\n");
  EXPECT_EQ(Contents("/target/source/name"), "contents");
  EXPECT_EQ(Contents("/target/source/name~"), "none");
}

TEST_F(SimBackupTest, IsNamedIfTheDirectoryThatTookItsNameCanNotBeOpened) {
  // The first open is that of the source.
  EXPECT_EQ(Messages(OpKind::kOpenAt, 2, EIO),
            "cannot access '/target/source/name': Input/output error\n"
            "cannot un-backup '/target/source/name': File exists\n");
  EXPECT_EQ(Contents("/target/source/name~"), "contents");
}

}  // namespace
}  // namespace ringcp
