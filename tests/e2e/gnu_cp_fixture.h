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

struct Situation {
  std::string name;
  std::string setup;    // A script; may be empty.
  std::string command;  // A script in which cp is the program under test.
  bool as_nobody = false;
};

void PrintTo(const Situation& situation, std::ostream* out);

// The name of a test's parameter.
std::string NameOf(const testing::TestParamInfo<Situation>& info);

// Messages come in the order in which files are found, which may differ.
std::string SortedLines(const std::string& text);

// ringcp's messages are those of GNU cp 9.1 (Debian 12). Later versions (9.7 in Debian
// 13) add the source to one of them; this takes it away.
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
