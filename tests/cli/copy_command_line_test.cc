#include "cli/copy_command_line.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ringcp {
namespace {

std::string Describe(const CopyOptions& options) {
  std::vector<std::string> words;
  if (options.recursive) words.push_back("recursive");
  switch (options.dereference) {
    case Dereference::kDefault:
      break;
    case Dereference::kNever:
      words.push_back("follow=never");
      break;
    case Dereference::kCommandLine:
      words.push_back("follow=command-line");
      break;
    case Dereference::kAlways:
      words.push_back("follow=always");
      break;
  }
  switch (options.target_kind) {
    case TargetKind::kDefault:
      break;
    case TargetKind::kDirectory:
      words.push_back("target=directory");
      break;
    case TargetKind::kNotDirectory:
      words.push_back("target=not-directory");
      break;
  }
  std::string kept;
  if (options.preserve.mode) kept += 'm';
  if (options.preserve.ownership) kept += 'o';
  if (options.preserve.timestamps) kept += 't';
  if (options.preserve.links) kept += 'l';
  if (options.preserve.context == Context::kTried) kept += "?c";
  if (options.preserve.context == Context::kReported) kept += "(c)";
  if (options.preserve.context == Context::kRequired) kept += 'c';
  if (options.preserve.xattrs == Xattrs::kTried) kept += "?x";
  if (options.preserve.xattrs == Xattrs::kReported) kept += "(x)";
  if (options.preserve.xattrs == Xattrs::kRequired) kept += 'x';
  if (!kept.empty()) words.push_back("keep=" + kept);
  if (options.default_context) words.push_back("default-context");
  if (!options.context.empty()) words.push_back("context=" + options.context);
  if (options.default_mode) words.push_back("default-mode");
  if (options.force) words.push_back("force");
  if (options.update == Update::kNone) words.push_back("update=none");
  if (options.update == Update::kNoneFail) words.push_back("update=none-fail");
  if (options.update == Update::kOlder) words.push_back("update=older");
  if (options.remove_destination) words.push_back("remove-destination");
  if (options.makes == Makes::kHardLinks) words.push_back("makes=hard-links");
  if (options.makes == Makes::kSymbolicLinks) words.push_back("makes=symbolic-links");
  if (options.attributes_only) words.push_back("attributes-only");
  if (options.sparse == Sparse::kAlways) words.push_back("sparse=always");
  if (options.sparse == Sparse::kNever) words.push_back("sparse=never");
  if (options.copy_contents) words.push_back("copy-contents");
  if (options.keep_directory_symlink) words.push_back("keep-directory-symlink");
  if (options.strip_trailing_slashes) words.push_back("strip-slashes");
  if (options.parents) words.push_back("parents");
  if (options.backup == Backup::kSimple) words.push_back("backup=simple");
  if (options.backup == Backup::kExisting) words.push_back("backup=existing");
  if (options.backup == Backup::kNumbered) words.push_back("backup=numbered");
  if (options.backup_suffix != "~") words.push_back("suffix=" + options.backup_suffix);
  if (options.one_file_system) words.push_back("one-file-system");
  if (options.reflink == Reflink::kAlways) words.push_back("reflink=always");
  if (options.reflink == Reflink::kNever) words.push_back("reflink=never");
  if (options.engine == EngineChoice::kUring) words.push_back("uring");
  if (options.engine == EngineChoice::kThreads) words.push_back("threads");
  if (options.page_cache == PageCache::kDrop) words.push_back("no-cache");
  if (options.page_cache == PageCache::kBypass) words.push_back("direct");
  if (options.sqpoll) words.push_back("sqpoll");
  if (options.iopoll) words.push_back("iopoll");
  const Tuning& tuning = options.tuning;
  if (tuning.workers != 0) words.push_back(absl::StrCat("workers=", tuning.workers));
  if (tuning.queue_depth != 0) {
    words.push_back(absl::StrCat("queue-depth=", tuning.queue_depth));
  }
  if (tuning.block_size_bytes != 0) {
    words.push_back(absl::StrCat("block-size=", tuning.block_size_bytes));
  }
  return absl::StrJoin(words, " ");
}

// "a b -> c; recursive keep=l; verbose": sources, target, options of the copy, the rest.
std::string Describe(const CopyCommandLine& command_line) {
  if (command_line.action == CopyCommandLine::Action::kShowHelp) return "help";
  if (command_line.action == CopyCommandLine::Action::kShowVersion) return "version";
  std::vector<std::string> rest;
  if (command_line.verbose) rest.push_back("verbose");
  if (command_line.debug) rest.push_back("debug");
  if (command_line.detach) rest.push_back("detach");
  if (command_line.agent_address.has_value()) {
    rest.push_back(absl::StrCat("agent=", *command_line.agent_address));
  }
  if (command_line.progress == ProgressMode::kAlways) rest.push_back("progress=always");
  if (command_line.progress == ProgressMode::kNever) rest.push_back("progress=never");
  if (command_line.progress == ProgressMode::kJson) rest.push_back("progress=json");
  return absl::StrCat(absl::StrJoin(command_line.request.sources, " "), " -> ",
                      command_line.request.target, "; ",
                      Describe(command_line.request.options), "; ",
                      absl::StrJoin(rest, " "));
}

// The error as the user sees it, without the program's name.
std::string Describe(const UsageError& error) {
  return absl::StrCat(error.message, error.suggest_help ? " [help]" : "");
}

// Parses "ringcp WORDS", where one space separates two words, and describes the result. A
// message that getopt prints itself comes first.
std::string Parse(const std::string& words, const CopyEnvironment& environment = {}) {
  std::vector<std::string> texts = absl::StrSplit("ringcp " + words, ' ');
  if (words.empty()) texts.pop_back();
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStderr();
  const auto parsed =
      ParseCopyCommandLine(static_cast<int>(texts.size()), argv.data(), environment);
  const std::string from_getopt = testing::internal::GetCapturedStderr();
  return from_getopt +
         std::visit([](const auto& alternative) { return Describe(alternative); },
                    parsed);
}

struct Row {
  std::string words;
  std::string expected;
};

class CopyCommandLineTable : public testing::TestWithParam<Row> {};

TEST_P(CopyCommandLineTable, MeansWhatGnuCpTakesItToMean) {
  EXPECT_EQ(Parse(GetParam().words), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Operands, CopyCommandLineTable,
    testing::Values(Row{"a b", "a -> b; ; "}, Row{"a b c", "a b -> c; ; "},
                    Row{"-t d a", "a -> d; target=directory; "},
                    Row{"-td a b", "a b -> d; target=directory; "},
                    Row{"a -t d", "a -> d; target=directory; "},
                    Row{"--target-directory=d a", "a -> d; target=directory; "},
                    Row{"--target-directory d a", "a -> d; target=directory; "},
                    Row{"--t d a", "a -> d; target=directory; "},
                    Row{"-T a b", "a -> b; target=not-directory; "},
                    Row{"-- -a -b", "-a -> -b; ; "}, Row{"a -- -r b", "a -r -> b; ; "},
                    Row{"- b", "- -> b; ; "}, Row{"a -r b", "a -> b; recursive; "}));

INSTANTIATE_TEST_SUITE_P(
    Options, CopyCommandLineTable,
    testing::Values(
        Row{"-r a b", "a -> b; recursive; "}, Row{"-R a b", "a -> b; recursive; "},
        Row{"--recursive a b", "a -> b; recursive; "},
        Row{"--rec a b", "a -> b; recursive; "},
        Row{"-a a b", "a -> b; recursive follow=never keep=motl?c?x; "},
        Row{"--archive a b", "a -> b; recursive follow=never keep=motl?c?x; "},
        Row{"-d a b", "a -> b; follow=never keep=l; "},
        Row{"-p a b", "a -> b; keep=mot; "}, Row{"-P a b", "a -> b; follow=never; "},
        Row{"-L a b", "a -> b; follow=always; "},
        Row{"-H a b", "a -> b; follow=command-line; "}, Row{"-f a b", "a -> b; force; "},
        Row{"-n a b", "a -> b; update=none; "},
        Row{"-fn a b", "a -> b; force update=none; "},
        Row{"--remove-destination a b", "a -> b; remove-destination; "},
        Row{"-l a b", "a -> b; makes=hard-links; "},
        Row{"-s a b", "a -> b; makes=symbolic-links; "},
        Row{"--attributes-only a b", "a -> b; attributes-only; "},
        Row{"--strip-trailing-slashes a/ b", "a/ -> b; strip-slashes; "},
        Row{"--parents a/b c", "a/b -> c; parents; "},
        Row{"-u a b", "a -> b; update=older; "}, Row{"--update=all a b", "a -> b; ; "},
        Row{"--update=none-fail a b", "a -> b; update=none-fail; "},
        Row{"--update=none a b", "a -> b; update=none; "},
        Row{"-nu a b", "a -> b; update=none; "}, Row{"-un a b", "a -> b; update=none; "},
        Row{"-b a b", "a -> b; backup=existing; "},
        Row{"--backup=t a b", "a -> b; backup=numbered; "},
        Row{"--backup=off a b", "a -> b; ; "},
        Row{"-S .x a b", "a -> b; backup=existing suffix=.x; "},
        Row{"-S a/b --backup=never a b", "a -> b; backup=simple; "},
        Row{"-x a b", "a -> b; one-file-system; "}, Row{"-v a b", "a -> b; ; verbose"},
        Row{"-rvx a b", "a -> b; recursive one-file-system; verbose"},
        Row{"--debug a b", "a -> b; ; debug"}));

INSTANTIATE_TEST_SUITE_P(
    TheLastOneWins, CopyCommandLineTable,
    testing::Values(Row{"-L -P a b", "a -> b; follow=never; "},
                    Row{"-PLH a b", "a -> b; follow=command-line; "},
                    Row{"-aL a b", "a -> b; recursive follow=always keep=motl?c?x; "},
                    Row{"-La a b", "a -> b; recursive follow=never keep=motl?c?x; "},
                    Row{"--engine=uring --engine=threads a b", "a -> b; threads; "},
                    Row{"--progress=json --progress=auto a b", "a -> b; ; "}));

INSTANTIATE_TEST_SUITE_P(
    Preserve, CopyCommandLineTable,
    testing::Values(
        Row{"--preserve a b", "a -> b; keep=mot; "},
        Row{"--preserve=mode a b", "a -> b; keep=m; "},
        Row{"--preserve=m,l a b", "a -> b; keep=ml; "},
        Row{"--preserve=ownership,timestamps a b", "a -> b; keep=ot; "},
        Row{"--preserve=all a b", "a -> b; keep=motl(c)(x); "},
        Row{"--preserve=all,xattr a b", "a -> b; keep=motl(c)x; "},
        Row{"-a --preserve=all a b", "a -> b; recursive follow=never keep=motl?c?x; "},
        Row{"--preserve=xattr -a a b", "a -> b; recursive follow=never keep=motl?cx; "},
        Row{"--preserve=context -a a b", "a -> b; recursive follow=never keep=motlc?x; "},
        Row{"-a --no-preserve=context a b",
            "a -> b; recursive follow=never keep=motl?x; "},
        Row{"--preserve=all -a a b", "a -> b; recursive follow=never keep=motl?c?x; "},
        Row{"-a --no-preserve=xattr a b", "a -> b; recursive follow=never keep=motl?c; "},
        Row{"-a --no-preserve=ownership a b",
            "a -> b; recursive follow=never keep=mtl?c?x; "},
        Row{"-a --no-preserve=mode a b",
            "a -> b; recursive follow=never keep=otl?c?x default-mode; "},
        Row{"--no-preserve=mode -p a b", "a -> b; keep=mot; "},
        Row{"-a --no-preserve=all a b", "a -> b; recursive follow=never default-mode; "},
        Row{"--no-preserve=xattr,context a b", "a -> b; ; "},
        Row{"--preserve=xattr a b", "a -> b; keep=x; "},
        Row{"--preserve=mode,context a b", "a -> b; keep=mc; "},
        Row{"-Z a b", "a -> b; default-context; "},
        Row{"--context a b", "a -> b; default-context; "},
        Row{"--context=c a b", "a -> b; context=c; "}));

INSTANTIATE_TEST_SUITE_P(
    OfOurOwn, CopyCommandLineTable,
    testing::Values(
        Row{"--engine=uring a b", "a -> b; uring; "},
        Row{"--engine=t a b", "a -> b; threads; "},
        Row{"--engine=auto a b", "a -> b; ; "},
        Row{"--progress=always a b", "a -> b; ; progress=always"},
        Row{"--progress=j a b", "a -> b; ; progress=json"},
        Row{"--progress never a b", "a -> b; ; progress=never"},
        Row{"--agent unix:/s a b", "a -> b; ; agent=unix:/s"},
        Row{"--agent= a b", "a -> b; ; agent="},
        Row{"--parents --agent=unix:/s /a b", "/a -> b; parents; agent=unix:/s"},
        Row{"--agent=unix:/s --detach a b", "a -> b; ; detach agent=unix:/s"},
        Row{"--reflink=auto a b", "a -> b; ; "},
        Row{"--reflink=n a b", "a -> b; reflink=never; "},
        Row{"--reflink=always a b", "a -> b; reflink=always; "},
        Row{"--reflink a b", "a -> b; reflink=always; "},
        Row{"--reflink --reflink=auto a b", "a -> b; ; "},
        Row{"--no-cache a b", "a -> b; no-cache; "},
        Row{"--direct a b", "a -> b; direct; "},
        // --direct wins over --no-cache, in either order.
        Row{"--direct --no-cache a b", "a -> b; direct; "},
        Row{"--no-cache --direct a b", "a -> b; direct; "},
        Row{"--sqpoll a b", "a -> b; sqpoll; "},
        Row{"--sqpoll --engine=uring a b", "a -> b; uring sqpoll; "},
        Row{"--direct --iopoll a b", "a -> b; direct iopoll; "},
        // Options that need each other may come in any order.
        Row{"--iopoll --no-cache --direct --engine=uring --sqpoll a b",
            "a -> b; uring direct sqpoll iopoll; "},
        Row{"--workers=16 --queue-depth 256 a b", "a -> b; workers=16 queue-depth=256; "},
        Row{"--block-size=4096 a b", "a -> b; block-size=4096; "},
        Row{"--block-size=64K a b", "a -> b; block-size=65536; "},
        Row{"--block-size=4M a b", "a -> b; block-size=4194304; "}));

// A word that abbreviates an option of GNU cp means it, although one of ours begins so,
// too.
INSTANTIATE_TEST_SUITE_P(
    Abbreviated, CopyCommandLineTable,
    testing::Values(Row{"--pr a b", "a -> b; keep=mot; "},
                    Row{"--no-c a b", "a -> b; update=none; "},
                    Row{"--no-ca a b", "a -> b; no-cache; "},
                    Row{"--prog=never a b", "a -> b; ; progress=never"},
                    Row{"--prog never a b", "a -> b; ; progress=never"},
                    Row{"a --eng uring b", "a -> b; uring; "}));

INSTANTIATE_TEST_SUITE_P(
    HelpAndVersion, CopyCommandLineTable,
    testing::Values(Row{"--help", "help"}, Row{"--version", "version"},
                    // The first of them wins, and nothing after it is parsed.
                    Row{"--help --version", "help"}, Row{"--version -z", "version"},
                    Row{"-r a --help b c", "help"}));

INSTANTIATE_TEST_SUITE_P(
    Errors, CopyCommandLineTable,
    testing::Values(
        Row{"", "missing file operand [help]"}, Row{"-r", "missing file operand [help]"},
        Row{"a", "missing destination file operand after 'a' [help]"},
        Row{"-T a", "missing destination file operand after 'a' [help]"},
        Row{"-t d", "missing file operand [help]"},
        Row{"-T a b c", "extra operand 'c' [help]"},
        Row{"-T -t d a",
            "cannot combine --target-directory (-t) and --no-target-directory (-T)"},
        Row{"-t d -t e a", "multiple target directories specified"},
        Row{"-T -t d", "missing file operand [help]"},
        Row{"-z a b", "ringcp: invalid option -- 'z'\n [help]"},
        Row{"-rz a b", "ringcp: invalid option -- 'z'\n [help]"},
        Row{"--foo a b", "ringcp: unrecognized option '--foo'\n [help]"},
        Row{"--re a b",
            "ringcp: option '--re' is ambiguous; possibilities: '--recursive' "
            "'--reflink' '--remove-destination'\n [help]"},
        Row{"--d a b",
            "ringcp: option '--d' is ambiguous; possibilities: '--debug' "
            "'--dereference'\n [help]"},
        Row{"--recursive=x a b",
            "ringcp: option '--recursive' doesn't allow an argument\n [help]"},
        Row{"-t", "ringcp: option requires an argument -- 't'\n [help]"},
        Row{"--engine", "ringcp: option '--engine' requires an argument\n [help]"},
        Row{"--preserve=foo a b",
            "invalid argument 'foo' for '--preserve'\nValid arguments are:\n"
            "  - 'mode'\n  - 'timestamps'\n  - 'ownership'\n  - 'links'\n"
            "  - 'context'\n  - 'xattr'\n  - 'all' [help]"},
        Row{"--no-preserve=mode, a b",
            "ambiguous argument '' for '--no-preserve'\nValid arguments are:\n"
            "  - 'mode'\n  - 'timestamps'\n  - 'ownership'\n  - 'links'\n"
            "  - 'context'\n  - 'xattr'\n  - 'all' [help]"},
        Row{"--engine=fast a b",
            "invalid argument 'fast' for '--engine'\nValid arguments are:\n"
            "  - 'auto'\n  - 'uring'\n  - 'threads' [help]"},
        Row{"--progress=a a b",
            "ambiguous argument 'a' for '--progress'\nValid arguments are:\n"
            "  - 'auto'\n  - 'always'\n  - 'never'\n  - 'json' [help]"},
        Row{"--sqpoll --engine=threads a b",
            "cannot combine --sqpoll and --engine=threads"},
        Row{"--iopoll --direct --engine=threads a b",
            "cannot combine --iopoll and --engine=threads"},
        Row{"--iopoll a b",
            "--iopoll polls for what is copied past the page cache: it needs --direct"},
        Row{"--iopoll --no-cache a b",
            "--iopoll polls for what is copied past the page cache: it needs --direct"},
        Row{"--workers=0 a b",
            "invalid argument '0' for '--workers': must be a number from 1 to 16 [help]"},
        Row{"--workers=17 a b",
            "invalid argument '17' for '--workers': must be a number from 1 to 16 "
            "[help]"},
        Row{"--queue-depth=many a b",
            "invalid argument 'many' for '--queue-depth': must be a number from 1 to 256 "
            "[help]"},
        Row{"--block-size=5000 a b",
            "invalid argument '5000' for '--block-size': must be a multiple of 4K from "
            "4K "
            "to 4M [help]"},
        Row{"--block-size=8M a b",
            "invalid argument '8M' for '--block-size': must be a multiple of 4K from 4K "
            "to 4M [help]"},
        Row{"--block-size=99999999999999999999M a b",
            "invalid argument '99999999999999999999M' for '--block-size': must be a "
            "multiple of 4K from 4K to 4M [help]"},
        Row{"--block-size=K a b",
            "invalid argument 'K' for '--block-size': must be a multiple of 4K from 4K "
            "to 4M [help]"},
        Row{"--detach a b",
            "--detach needs an agent: give --agent=ADDRESS or set RINGCP_AGENT [help]"},
        Row{"-bn a b",
            "--backup is mutually exclusive with -n or --update=none-fail [help]"},
        Row{"-ls a b", "cannot make both hard and symbolic links [help]"},
        Row{"--parents -T a b",
            "with --parents, the destination must be a directory [help]"},
        Row{"--parents --agent=unix:/s /a b c",
            "--parents takes names as they are typed, and an agent knows absolute ones "
            "only:\ngive SOURCEs that begin with a slash, or copy without --agent and "
            "RINGCP_AGENT"},
        // The number of operands is checked first, as in GNU cp.
        Row{"--detach a", "missing destination file operand after 'a' [help]"}));

TEST(CopyCommandLine, TakesTheAgentFromTheEnvironment) {
  EXPECT_EQ(Parse("a b", {.agent = "unix:/e"}), "a -> b; ; agent=unix:/e");
  EXPECT_EQ(Parse("--agent=unix:/o a b", {.agent = "unix:/e"}),
            "a -> b; ; agent=unix:/o");
  EXPECT_EQ(Parse("a b", {.agent = ""}), "a -> b; ; ");
}

TEST(CopyCommandLine, RefusesVerboseWithAnAgent) {
  const std::string refusal =
      "--verbose (-v) can't be had from an agent, which does not report each file it "
      "copied;\nleave it out, or copy without --agent and RINGCP_AGENT";
  EXPECT_EQ(Parse("-v --agent=unix:/s a b"), refusal);
  EXPECT_EQ(Parse("-v a b", {.agent = "unix:/e"}), refusal);
}

TEST(CopyCommandLine, StopsAtTheFirstOperandWherePosixWantsIt) {
  ASSERT_EQ(setenv("POSIXLY_CORRECT", "1", 1), 0);
  EXPECT_EQ(Parse("-r a -f b"), "a -f -> b; recursive; ");
  ASSERT_EQ(unsetenv("POSIXLY_CORRECT"), 0);
  EXPECT_EQ(Parse("-r a -f b"), "a -> b; recursive force; ");
}

TEST(CopyCommandLine, QuotesOperandsForAShell) {
  EXPECT_EQ(Parse("-T a b it's"), "extra operand \"it's\" [help]");
  EXPECT_EQ(Parse("x\n"), "missing destination file operand after 'x'$'\\n' [help]");
}

}  // namespace
}  // namespace ringcp
