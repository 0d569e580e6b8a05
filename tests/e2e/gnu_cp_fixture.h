// Runs GNU cp, and ringcp under the name "cp", with the same arguments on the same files,
// and shows what a user can see of both: exit code, output, messages, and the files
// afterwards.

#ifndef RINGCP_TESTS_E2E_GNU_CP_FIXTURE_H_
#define RINGCP_TESTS_E2E_GNU_CP_FIXTURE_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp {

// The path of the GNU cp to compare with: what RINGCP_GNU_CP says, or the system's. The
// tests know 9.1 (Debian 12) and 9.7 (Debian 13).
std::string ComparedCp();

struct Situation {
  std::string name;
  std::string setup;    // A script; may be empty.
  std::string command;  // A script in which cp is the program under test.
  bool as_nobody = false;
  std::string unlike_later = "";  // What versions after 9.1 do that ringcp does not.
};

// From 9.6 on, cp -p leaves a copy of a file without an ACL the one that it has inherited
// or had before, and so lets in users whom the source keeps out.
inline constexpr char kKeepsOtherAcls[] = "keeps ACLs that the source does not have";

void PrintTo(const Situation& situation, std::ostream* out);

// The name of a test's parameter.
std::string NameOf(const testing::TestParamInfo<Situation>& info);

// Messages come in the order in which files are found, which may differ.
std::string SortedLines(const std::string& text);

// ringcp's messages are those of GNU cp 9.1. If a later version is compared with, this
// makes equal what that one says otherwise.
std::string InWordsOfDebian12(const std::string& messages);

struct Seen {
  Subprocess::Result result;
  std::vector<std::string> tree;
};

class GnuCpComparison : public testing::Test {
 protected:
  // Runs `situation` in the scratch directory's `name`, with `program` as cp.
  Seen See(const Situation& situation, const std::string& name,
           const std::string& program);

  // A copy of ringcp where another user can execute it.
  std::string RingcpForAll();

  // Runs both programs, and expects the same of them. `ringcp` is RingcpForAll().
  void ExpectTheSame(const Situation& situation, const std::string& ringcp);

  ScratchDirectory scratch_;
};

class GnuCpFixture : public GnuCpComparison,
                     public testing::WithParamInterface<Situation> {
 protected:
  void SetUp() override;

  Seen See(const std::string& name, const std::string& program) {
    return GnuCpComparison::See(GetParam(), name, program);
  }
  void ExpectTheSame() { GnuCpComparison::ExpectTheSame(GetParam(), RingcpForAll()); }
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_E2E_GNU_CP_FIXTURE_H_
