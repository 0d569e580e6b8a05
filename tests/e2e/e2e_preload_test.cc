// Tests ringcp where LD_PRELOAD is set: under fakeroot, with which packages are built,
// and with libraries that stand in for the C library's calls.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {
namespace {

constexpr uid_t kNobody = 65534;
// In builds with AddressSanitizer: its run time then does not insist on being first.
constexpr char kAnyOrder[] = "ASAN_OPTIONS=verify_asan_link_order=0";

// A tree that only root can make, and fakeroot pretends to. Files that it knows nothing
// of are root's.
constexpr char kStage[] = R"(
  mkdir -p stage/usr/bin stage/usr/share/doc stage/dev stage/shut
  echo program > stage/usr/bin/program; chmod 4755 stage/usr/bin/program
  echo games > stage/usr/bin/games; chown 5:60 stage/usr/bin/games
  chmod 2755 stage/usr/bin/games
  ln stage/usr/bin/program stage/usr/bin/second-name
  ln -s program stage/usr/bin/link; ln -s nowhere stage/usr/bin/dangling
  chown -h 9:9 stage/usr/bin/dangling
  mknod stage/dev/null c 1 3; chmod 666 stage/dev/null
  mknod stage/dev/disk b 8 1; chown 0:6 stage/dev/disk; chmod 660 stage/dev/disk
  mknod stage/dev/pipe p; chown 3:4 stage/dev/pipe; mkfifo stage/dev/real-pipe
  echo text > stage/usr/share/doc/read-only; chmod 444 stage/usr/share/doc/read-only
  echo secret > stage/usr/share/doc/secret; chmod 0 stage/usr/share/doc/secret
  chown 7:7 stage/usr/share/doc/secret
  head -c 3000000 /dev/zero > stage/usr/share/doc/large; chown 1:1 stage/usr/share/doc/large
  chown 8:8 stage/usr/share; chmod 2775 stage/usr/share
  touch stage/shut/file; chmod 555 stage/shut
  find stage -exec touch -h -d '2001-09-09 01:46:40.123456789 UTC' {} +
)";

class FakerootTest : public testing::Test {
 protected:
  FakerootTest() {
    chmod(scratch_.path().c_str(), 0755);
    const std::string programs = scratch_.MakeDirectory("ringcp");
    for (const std::string name : {"ringcp", "ringcp-dynamic"}) {
      std::filesystem::copy_file(ProgramPath("cli/" + name),
                                 absl::StrCat(programs, "/", name));
    }
    std::filesystem::create_symlink("ringcp", programs + "/cp");
  }

  // Runs `script` as an ordinary user under fakeroot, with GNU cp or ringcp as cp, and
  // returns the lines that it has written, sorted.
  std::vector<std::string> Run(const std::string& directory, const std::string& script,
                               bool with_ringcp) {
    const std::string files = scratch_.MakeDirectory(directory);
    Subprocess::Options options;
    options.program = "/usr/bin/fakeroot";
    options.arguments = {"fakeroot", "--", "sh", "-ec",
                         absl::StrCat("umask 027\n", kStage, script)};
    options.environment = {
        absl::StrCat("PATH=", with_ringcp ? scratch_.Path("ringcp:") : "",
                     "/usr/bin:/bin"),
        kAnyOrder};
    options.directory = files;
    if (geteuid() == 0) {
      PrepareWithShell(files, "chown nobody:nogroup .");
      options.user = kNobody;
    }
    const Subprocess::Result result = RunProgram(options);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    std::vector<std::string> lines =
        absl::StrSplit(result.output, '\n', absl::SkipEmpty());
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  // Runs `script` with both programs, expects the same lines of them, and returns these.
  std::vector<std::string> ExpectTheSame(const std::string& script) {
    const std::vector<std::string> expected = Run("gnu", script, /*with_ringcp=*/false);
    std::vector<std::string> actual = Run("our", script, /*with_ringcp=*/true);
    EXPECT_EQ(absl::StrJoin(actual, "\n"), absl::StrJoin(expected, "\n"));
    return actual;
  }

  struct Ends {
    std::string_view begin;
    std::string_view end;
  };

  // Expects that there is a line with each of these beginnings and ends.
  static void ExpectLines(const std::vector<std::string>& lines,
                          const std::vector<Ends>& expected) {
    for (const Ends& ends : expected) {
      EXPECT_TRUE(std::any_of(lines.begin(), lines.end(),
                              [&](const std::string& line) {
                                return line.starts_with(ends.begin) &&
                                       line.ends_with(ends.end);
                              }))
          << ends.begin << " ... " << ends.end << " is not in\n"
          << absl::StrJoin(lines, "\n");
    }
  }

  ScratchDirectory scratch_;
};

TEST_F(FakerootTest, APackageIsTheOneThatGnuCpMakes) {
  ExpectLines(ExpectTheSame(R"(
    cp -a stage package
    mkdir package/DEBIAN; chmod 755 package/DEBIAN
    printf '%s\n' 'Package: small' 'Version: 1' 'Architecture: all' \
      'Maintainer: nobody <nobody@localhost>' 'Description: small' > package/DEBIAN/control
    dpkg-deb --build package small.deb > /dev/null
    dpkg-deb -c small.deb)"),
              {{"-rwsr-xr-x root/root", "./usr/bin/program"},
               {"-rwxr-sr-x games/games", "./usr/bin/games"},
               {"hrwsr-xr-x root/root", "link to ./usr/bin/program"},
               {"lrwxrwxrwx news/news", "./usr/bin/dangling -> nowhere"},
               {"crw-rw-rw- root/root", "1,3 2001-09-09 01:46 ./dev/null"},
               {"brw-rw---- root/disk", "8,1 2001-09-09 01:46 ./dev/disk"},
               {"prw-r----- sys/adm", "./dev/pipe"}});
}

// `%t` and `%n`: times and numbers of links.
constexpr char kList[] =
    "\n(cd copy; find . -printf '%p %y %m %U:%G %s %t %n %l\\n'; stat -c '%n %t,%T' "
    "dev/*)";

TEST_F(FakerootTest, ATreeIsTheOneThatGnuCpMakes) {
  ExpectLines(ExpectTheSame(absl::StrCat("cp -a stage copy", kList)),
              {{"./usr/bin/games f 2755 5:60 ", " 1 "},
               {"./usr/share/doc/secret f 0 7:7 ", " 1 "},
               {"dev/disk ", "8,1"}});
}

TEST_F(FakerootTest, WhatIsThereIsReplacedAsByGnuCp) {
  // A removed file's inode number may be a new one's: fakeroot has to hear of removals.
  ExpectTheSame(absl::StrCat(R"(
    cp -a stage copy; chown -R 11:12 copy
    cp -a --remove-destination stage/. copy
    cp -b stage/usr/bin/games copy/usr/bin/program
    cp -af stage/usr/share/doc/. copy/usr/share/doc
    cp -p stage/usr/bin/program copy/shut/file
    find copy -name '*~' -exec touch -d @1 {} +
    touch -d @1 copy/usr/bin copy/usr/bin/program)",
                             kList));
}

// fakeroot's mknod() empties a file that has the name already, or waits for a pipe's
// reader.
TEST_F(FakerootTest, WhatStandsInTheWayOfANodeIsNotEmptied) {
  ExpectLines(ExpectTheSame(R"(
    mkdir copy; cd copy; mkfifo p pipe; mknod device c 1 3
    for i in 1 2 3 4 5 6 7 8; do echo data > $i; ln $i $i.name; done
    ln -s 7.target link; echo data > 7.target; ln -s nowhere dangling
    cp -an p 1; cp -an device 2; cp -au p 3
    cp -a --backup=simple p 4; cp -a --backup=numbered device 5
    cp -avf p 6; cp -a p link; cp -a p dangling; cp -a p pipe; cp -a --remove-destination p 8
    stat -c '%N %F %h %t,%T' *; cat *.name 7.target)"),
              {{"'4~' regular file", " 0,0"}, {"'link' fifo", ""}, {"'pipe' fifo", ""}});
}

TEST_F(FakerootTest, WhatIsNotKeptIsRoots) {
  ExpectTheSame(absl::StrCat("mkdir copy; cp -r stage/usr stage/dev stage/shut copy;",
                             " find copy -exec touch -h -d @1 {} +", kList));
}

// fakeroot lets root write to whatever has been given a mode, even if it was made with
// that mode, as a file with 440 is.
TEST_F(FakerootTest, CopiesOfReadOnlyFilesCanBeWrittenTo) {
  ExpectTheSame(R"(
    chmod 440 stage/usr/share/doc/read-only
    cp -a stage copy
    echo more >> copy/usr/share/doc/read-only; cat copy/usr/share/doc/read-only
    echo more > copy/shut/new)");
}

class PreloadTest : public testing::Test {
 protected:
  PreloadTest() {
    PrepareWithShell(scratch_.path(), R"(
      mkdir -p tree/directory; echo alpha > tree/directory/file; mkfifo tree/pipe
      ln tree/directory/file tree/second-name; ln -s nowhere tree/link
      chmod 700 tree/pipe; touch -h -d @1 tree/link)");
  }

  Subprocess::Result Run(std::vector<std::string> arguments, const std::string& preload,
                         const std::string& program = ProgramPath("cli/ringcp"),
                         std::optional<uid_t> user = std::nullopt) {
    arguments.insert(arguments.begin(), "ringcp");
    return RunProgram({.program = program,
                       .arguments = std::move(arguments),
                       .environment = {"LD_PRELOAD=" + preload, kAnyOrder},
                       .directory = scratch_.path(),
                       .user = user});
  }

  ScratchDirectory scratch_;
};

TEST_F(PreloadTest, EveryCallGoesThroughTheLibrary) {
  std::set<std::string> told;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-a", "tree", "copy"},
        {"-a", "--remove-destination", "tree/.", "copy"},
        {"-b", "tree/directory/file", "copy/second-name"}}) {
    const Subprocess::Result result =
        Run(arguments, ProgramPath("tests/e2e/libtelling.so"));
    ASSERT_EQ(result.exit_code, 0) << result.error;
    const std::vector<std::string> lines = absl::StrSplit(result.error, '\n');
    told.insert(lines.begin(), lines.end());
  }
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("copy/directory/file")), "alpha\n");
  for (const char* call :
       {"chmod", "fchmod", "fchownat", "futimens", "linkat", "mkdirat", "mknodat",
        "openat", "renameat", "statx", "symlinkat", "unlinkat", "utimensat"}) {
    EXPECT_TRUE(told.contains(call)) << call;
  }
  // Calls by number: whether standard streams are open, and locks.
  for (const std::string& line : told) {
    if (!absl::StartsWith(line, "syscall ")) continue;
    EXPECT_TRUE(line == absl::StrCat("syscall ", SYS_fcntl) ||
                line == absl::StrCat("syscall ", SYS_futex))
        << line;
  }
}

TEST_F(PreloadTest, ALibraryThatIsMissingChangesNothing) {
  const Subprocess::Result result = Run({"-a", "tree", "copy"}, "/nowhere/library.so");
  EXPECT_EQ(result.exit_code, 0);
  // The loader of programs says so, which shows that the twin was loaded.
  EXPECT_TRUE(absl::StrContains(result.error, "'/nowhere/library.so' from LD_PRELOAD"))
      << result.error;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("copy/directory/file")), "alpha\n");
}

TEST_F(PreloadTest, OneThreadCopiesByCalls) {
  const std::string library = ProgramPath("tests/e2e/libtelling.so");
  const Subprocess::Result result =
      Run({"-a", "--debug", "--workers=4", "tree", "copy"}, library);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(result.error,
                                "ringcp: engine threads: io_uring would go past the "
                                "libraries that LD_PRELOAD names\n"))
      << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, "ringcp: 1 workers, ")) << result.error;
}

TEST_F(PreloadTest, WhoAsksForIoUringIsToldWhyNot) {
  const std::string library = ProgramPath("tests/e2e/libtelling.so");
  const Subprocess::Result result =
      Run({"-a", "--engine=uring", "tree", "copy"}, library);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error,
                                "ringcp: cannot use io_uring: io_uring would go past the "
                                "libraries that LD_PRELOAD names\n"))
      << result.error;
  EXPECT_FALSE(Exists(scratch_.Path("copy")));
}

TEST_F(PreloadTest, WithoutTheTwinNothingIsCopied) {
  const std::string alone = scratch_.Path("alone");
  std::filesystem::copy(ProgramPath("cli/ringcp"), alone);
  const Subprocess::Result result = Run({"-a", "tree", "copy"}, "library.so", alone);
  EXPECT_EQ(result.exit_code, 1);
  // Built with a sanitizer, ringcp is linked dynamically itself, and its loader
  // complains.
  EXPECT_TRUE(result.error.ends_with(
      absl::StrCat("ringcp: cannot run '", scratch_.Path("ringcp-dynamic"),
                   "', which heeds LD_PRELOAD and belongs beside ringcp: No such "
                   "file or directory (unset LD_PRELOAD to copy without it)\n")))
      << result.error;
  EXPECT_FALSE(Exists(scratch_.Path("copy")));
  // What copies nothing needs no twin.
  EXPECT_EQ(Run({"--version"}, "library.so", alone).exit_code, 0);
  EXPECT_EQ(Run({"-a", "tree", "copy"}, "", alone).exit_code, 0);
}

// As in the roots that images are built in.
TEST_F(PreloadTest, WithoutProcTheTwinIsFoundByTheNameItsProgramWasCalledBy) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can have a root without /proc";
#if defined(__SANITIZE_ADDRESS__) || defined(_GLIBCXX_TSAN)
  GTEST_SKIP() << "sanitizers need /proc";
#endif
  std::filesystem::create_symlink(ProgramPath("cli/ringcp"), scratch_.Path("cp"));
  const Subprocess::Result result =
      RunProgram({.program = "/usr/bin/unshare",
                  .arguments = {"unshare", "-m", "sh", "-ec",
                                absl::StrCat("umount -l /proc\nLD_PRELOAD=",
                                             ProgramPath("tests/e2e/libtelling.so"),
                                             " ./cp -a tree copy")},
                  .environment = {"PATH=/usr/bin:/bin", kAnyOrder},
                  .directory = scratch_.path()});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, "mkdirat\n")) << result.error;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("copy/directory/file")), "alpha\n");
}

TEST_F(PreloadTest, WithOtherRightsThanTheUsersThereIsNoTwin) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a program that others run so";
  const std::string alone = scratch_.Path("alone");
  std::filesystem::copy(ProgramPath("cli/ringcp"), alone);
  ASSERT_EQ(chmod(scratch_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(alone.c_str(), 04755), 0);
  const Subprocess::Result result =
      Run({"tree/directory/file", "copy"}, "library.so", alone, kNobody);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("copy")), "alpha\n");
}

TEST_F(PreloadTest, TheTwinLeavesAgentsToRingcp) {
  const Subprocess::Result result =
      Run({"--agent=unix:socket", "tree", "copy"}, "", ProgramPath("cli/ringcp-dynamic"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.error,
            "ringcp: an agent is named; run ringcp to submit to it\n"
            "Try 'ringcp --help' for more information.\n");
}

}  // namespace
}  // namespace ringcp
