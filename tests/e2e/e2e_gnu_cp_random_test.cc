// Random trees, options and operands: GNU cp, and ringcp under the name "cp", have to do
// the same to them. RINGCP_TEST_ROUNDS says how many are tried:
//
//   ./dev test //tests/e2e:e2e_gnu_cp_random_test --test_env=RINGCP_TEST_ROUNDS=20000
//
// Left out is what is known to differ (e2e_gnu_cp_test has it): sources that lie in one
// another or are named twice, relative links made with -s, and -v, which GNU cp prints
// before it tries. With --parents GNU cp looks after the directories above one source
// before it goes on to the next, and takes what is in a directory that it has just made
// for new: so there is one source, and none that ends with "/.".

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/gnu_cp_fixture.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

constexpr int kRounds = 200;
constexpr int kDepthMax = 2;

int Rounds() {
  const char* const text = getenv("RINGCP_TEST_ROUNDS");
  int rounds = kRounds;
  return text != nullptr && absl::SimpleAtoi(text, &rounds) ? rounds : kRounds;
}

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  // A source tree "s", a target tree "u", a file "h", and a command that copies.
  Situation Next(int round) {
    setup_ = "printf h > h; mkdir s u\n";
    AddTree("s", 0, /*is_target=*/false);
    AddTree("u", 0, /*is_target=*/true);
    return {.name = absl::StrCat("Round", round), .setup = setup_, .command = Command()};
  }

 private:
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::string OneOf(const std::vector<std::string>& texts) {
    return texts[random_() % texts.size()];
  }

  void AddTree(const std::string& root, int depth, bool is_target) {
    std::vector<std::string> kinds = {"none", "file",     "file", "empty",
                                      "link", "dangling", "name"};
    if (depth < kDepthMax) {
      kinds.insert(kinds.end(), {"directory", "directory"});
    } else if (!is_target) {
      kinds.push_back("fifo");  // So deep that no command names it: it would wait.
    }
    for (const std::string name : {"a", "b", "c"}) {
      const std::string path = absl::StrCat(root, "/", name);
      const std::string kind = is_target && Chance(40) ? "none" : OneOf(kinds);
      if (kind == "file") Add("printf %s ", path, " > ", path);
      if (kind == "empty") Add(": > ", path);
      if (kind == "link") {
        Add("ln -s ", OneOf({"a", "b", "c", "../a", "../b", "c/a"}), " ", path);
      }
      if (kind == "dangling") Add("ln -s gone ", path);
      if (kind == "fifo") Add("mkfifo ", path);
      if (kind == "name") {
        const std::string of = OneOf({"h", "s/a", "s/b", "s/c/a", "u/a", "u/b"});
        Add("if test -f ", of, " && ! test -L ", of, "; then ln ", of, " ", path,
            "; else printf %s ", path, " > ", path, "; fi");
      }
      if (kind == "directory") {
        Add("mkdir ", path);
        AddTree(path, depth + 1, is_target);
      }
      if ((kind == "file" || kind == "empty" || kind == "directory") && Chance(30)) {
        Add("chmod ", OneOf({"700", "640", "1755", "4711", "600"}), " ", path);
      }
    }
  }

  template <typename... Parts>
  void Add(const Parts&... parts) {
    absl::StrAppend(&setup_, parts..., "\n");
  }

  std::string Command() {
    // All files are equally old at first (kAge).
    std::string command;
    for (int touches = static_cast<int>(random_() % 4); touches > 0; --touches) {
      absl::StrAppend(&command, "touch -c -h -d '", OneOf({"2000-01-01", "2002-01-01"}),
                      " UTC' ", OneOf({"s", "u"}), "/",
                      OneOf({"a", "b", "c", "a/a", "c/b", "b/c"}), " 2> /dev/null; ");
    }
    absl::StrAppend(&command, "cp");
    bool keeps = false;
    bool is_name = false;
    bool has_parents = false;
    std::string backup;
    for (int options = 1 + static_cast<int>(random_() % 5); options > 0; --options) {
      const std::string option = OneOf({"-r",
                                        "-r",
                                        "-r",
                                        "-a",
                                        "-p",
                                        "-d",
                                        "-P",
                                        "-H",
                                        "-L",
                                        "-f",
                                        "-n",
                                        "-u",
                                        "-x",
                                        "-l",
                                        "-T",
                                        "-v",
                                        "--remove-destination",
                                        "-b",
                                        "--backup=t",
                                        "-S .o",
                                        "--attributes-only",
                                        "--parents",
                                        "--sparse=always",
                                        "--no-preserve=mode",
                                        "--preserve=links",
                                        "--preserve=timestamps",
                                        "--strip-trailing-slashes"});
      keeps = keeps || option == "-n";
      is_name = is_name || option == "-T";
      has_parents = has_parents || option == "--parents";
      const bool backs_up = option == "-b" || option == "--backup=t" || option == "-S .o";
      absl::StrAppend(backs_up ? &backup : &command, " ", option);
    }
    if (!keeps) absl::StrAppend(&command, backup);  // They exclude each other.
    std::vector<std::string> sources = {"s/a", "s/b", "s/c", "h", "nope"};
    std::shuffle(sources.begin(), sources.end(), random_);
    sources.resize(is_name || has_parents ? 1 : 1 + random_() % 3);
    // Of parents that are no directories, GNU cp gives those above them neither the mode
    // nor the times that they are to have.
    const bool may_lack_parents =
        !has_parents ||
        !(absl::StrContains(command, " -a") || absl::StrContains(command, " -p") ||
          absl::StrContains(command, "--preserve"));
    for (const std::string& source : sources) {
      const bool may_be_below = may_lack_parents && (source == "s/a" || source == "s/b");
      absl::StrAppend(&command, " ", source, may_be_below && Chance(30) ? "/c" : "",
                      source.starts_with("s")
                          ? OneOf({"", "", "", "/", has_parents ? "//" : "/."})
                          : "");
    }
    return absl::StrCat(command, " ",
                        sources.size() == 1
                            ? OneOf({"u", "u/a", "u/b", "u/c", "u/new", "u/b/", "new"})
                            : OneOf({"u", "u/a", "u/b"}));
  }

  std::mt19937 random_;
  std::string setup_;
};

using GnuCpRandomTest = GnuCpComparison;

TEST_F(GnuCpRandomTest, DoesTheSameToRandomTrees) {
  const std::string ringcp = RingcpForAll();
  const uint32_t seed = TestSeed();
  for (int round = 0; round < Rounds() && !HasFailure(); ++round) {
    const Situation situation =
        Generator(seed + static_cast<uint32_t>(round)).Next(round);
    SCOPED_TRACE(absl::StrCat(
        "the first round with RINGCP_TEST_SEED=", seed + static_cast<uint32_t>(round),
        "\n", situation.setup, situation.command));
    ExpectTheSame(situation, ringcp);
    for (const char* const name : {"gnu", "our", "gnu.bin", "our.bin"}) {
      std::filesystem::remove_all(scratch_.Path(name));
    }
  }
}

}  // namespace
}  // namespace ringcp
