#include "cli/copy_command_line.h"

#include <getopt.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/argument_match.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// Options without a short form.
enum LongOption : int {
  kPreserveOption = 256,
  kNoPreserveOption,
  kReflinkOption,
  kDirectOption,
  kNoCacheOption,
  kEngineOption,
  kSqpollOption,
  kIopollOption,
  kRemoveDestinationOption,
  kWorkersOption,
  kQueueDepthOption,
  kBlockSizeOption,
  kProgressOption,
  kAgentOption,
  kDetachOption,
  kDebugOption,
  kHelpOption,
  kVersionOption,
};

constexpr char kShortOptions[] = "adfHLnprt:vxPRT";

// In the order in which getopt lists the candidates for an ambiguous option.
constexpr option kLongOptions[] = {
    {"agent", required_argument, nullptr, kAgentOption},
    {"archive", no_argument, nullptr, 'a'},
    {"block-size", required_argument, nullptr, kBlockSizeOption},
    {"debug", no_argument, nullptr, kDebugOption},
    {"dereference", no_argument, nullptr, 'L'},
    {"detach", no_argument, nullptr, kDetachOption},
    {"direct", no_argument, nullptr, kDirectOption},
    {"engine", required_argument, nullptr, kEngineOption},
    {"force", no_argument, nullptr, 'f'},
    {"iopoll", no_argument, nullptr, kIopollOption},
    {"no-cache", no_argument, nullptr, kNoCacheOption},
    {"no-clobber", no_argument, nullptr, 'n'},
    {"no-dereference", no_argument, nullptr, 'P'},
    {"no-preserve", required_argument, nullptr, kNoPreserveOption},
    {"no-target-directory", no_argument, nullptr, 'T'},
    {"one-file-system", no_argument, nullptr, 'x'},
    {"preserve", optional_argument, nullptr, kPreserveOption},
    {"progress", required_argument, nullptr, kProgressOption},
    {"queue-depth", required_argument, nullptr, kQueueDepthOption},
    {"recursive", no_argument, nullptr, 'R'},
    {"reflink", optional_argument, nullptr, kReflinkOption},
    {"remove-destination", no_argument, nullptr, kRemoveDestinationOption},
    {"sqpoll", no_argument, nullptr, kSqpollOption},
    {"target-directory", required_argument, nullptr, 't'},
    {"verbose", no_argument, nullptr, 'v'},
    {"workers", required_argument, nullptr, kWorkersOption},
    {"help", no_argument, nullptr, kHelpOption},
    {"version", no_argument, nullptr, kVersionOption},
    {nullptr, 0, nullptr, 0},
};

enum Attribute : size_t {
  kModeAttribute,
  kTimestampsAttribute,
  kOwnershipAttribute,
  kLinksAttribute,
  kContextAttribute,
  kXattrAttribute,
  kAllAttributes,
};
constexpr std::array<std::string_view, 7> kAttributeWords = {
    "mode", "timestamps", "ownership", "links", "context", "xattr", "all"};

constexpr std::array<std::string_view, 3> kReflinkWords = {"auto", "always", "never"};
constexpr std::array<Reflink, 3> kReflinks = {Reflink::kAuto, Reflink::kAlways,
                                              Reflink::kNever};

constexpr std::array<std::string_view, 3> kEngineWords = {"auto", "uring", "threads"};
constexpr std::array<EngineChoice, 3> kEngines = {
    EngineChoice::kAuto, EngineChoice::kUring, EngineChoice::kThreads};

constexpr std::array<std::string_view, 4> kProgressWords = {"auto", "always", "never",
                                                            "json"};
constexpr std::array<ProgressMode, 4> kProgressModes = {
    ProgressMode::kAuto, ProgressMode::kAlways, ProgressMode::kNever,
    ProgressMode::kJson};

void PreserveMode(bool on, CopyOptions* options) {
  options->preserve.mode = on;
  options->default_mode = !on;
}

void PreserveUsualAttributes(CopyOptions* options) {
  PreserveMode(true, options);
  options->preserve.ownership = true;
  options->preserve.timestamps = true;
}

absl::Status PreserveAttribute(size_t attribute, bool on, CopyOptions* options) {
  switch (attribute) {
    case kModeAttribute:
      PreserveMode(on, options);
      break;
    case kTimestampsAttribute:
      options->preserve.timestamps = on;
      break;
    case kOwnershipAttribute:
      options->preserve.ownership = on;
      break;
    case kLinksAttribute:
      options->preserve.links = on;
      break;
    case kContextAttribute:
    case kXattrAttribute:
      // They are never preserved, so --no-preserve has nothing to do.
      if (on) {
        return absl::UnimplementedError(absl::StrCat(
            "--preserve=", std::string(kAttributeWords[attribute]), " is not supported"));
      }
      break;
    case kAllAttributes:
      PreserveMode(on, options);
      options->preserve.timestamps = on;
      options->preserve.ownership = on;
      options->preserve.links = on;
      break;
  }
  return absl::OkStatus();
}

// Applies the ATTR_LIST of --preserve (`on`) or --no-preserve.
absl::Status PreserveList(const std::string& list, bool on, CopyOptions* options) {
  const std::vector<std::string> words = absl::StrSplit(list, ',');
  for (const std::string& word : words) {
    absl::StatusOr<size_t> attribute =
        MatchArgument(on ? "--preserve" : "--no-preserve", word, kAttributeWords);
    if (!attribute.ok()) return attribute.status();
    absl::Status status = PreserveAttribute(*attribute, on, options);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <typename Value, size_t kCount>
absl::Status MatchValue(std::string_view option,
                        const std::array<std::string_view, kCount>& words,
                        const std::array<Value, kCount>& values, Value* value) {
  absl::StatusOr<size_t> word = MatchArgument(option, optarg, words);
  if (!word.ok()) return word.status();
  *value = values[*word];
  return absl::OkStatus();
}

// Reads a decimal number from 1 to `most` from `optarg`.
absl::Status ParseCount(std::string_view option, int most, int* count) {
  if (absl::SimpleAtoi(optarg, count) && *count >= 1 && *count <= most) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("invalid argument ", Quote(optarg),
                                                 " for '", std::string(option),
                                                 "': must be a number from 1 to ", most));
}

// Reads a number of bytes from `optarg`; a K or M at its end means KiB or MiB.
absl::Status ParseBlockSize(int64_t* bytes) {
  std::string_view digits = optarg;
  int64_t unit = 1;
  if (!digits.empty() && digits.back() == 'K') unit = 1024;
  if (!digits.empty() && digits.back() == 'M') unit = 1024 * 1024;
  if (unit > 1) digits.remove_suffix(1);
  int64_t count = 0;
  if (absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &count) &&
      count >= 1 && count <= Tuning::kBlockBytesMax &&
      Tuning::IsBlockSize(count * unit)) {
    *bytes = count * unit;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid argument ", Quote(optarg),
                   " for '--block-size': must be a multiple of 4K from 4K to 4M"));
}

// What the options say, before the operands are added.
struct Options {
  CopyCommandLine command_line;
  std::optional<std::string> target_directory;
  bool no_target_directory = false;
};

// Applies one option that getopt returned, with its argument in `optarg`. InvalidArgument
// for a word that GNU's argmatch would refuse, Unimplemented for what cp can do but
// ringcp can't, FailedPrecondition for a contradiction.
absl::Status ApplyOption(int code, Options* parsed) {
  CopyCommandLine& command_line = parsed->command_line;
  CopyOptions& options = command_line.request.options;
  switch (code) {
    case 'a':
      options.recursive = true;
      options.dereference = Dereference::kNever;
      options.preserve.links = true;
      PreserveUsualAttributes(&options);
      break;
    case 'd':
      options.dereference = Dereference::kNever;
      options.preserve.links = true;
      break;
    case 'f':
      options.force = true;
      break;
    case 'H':
      options.dereference = Dereference::kCommandLine;
      break;
    case 'L':
      options.dereference = Dereference::kAlways;
      break;
    case 'n':
      options.no_clobber = true;
      break;
    case 'P':
      options.dereference = Dereference::kNever;
      break;
    case 'p':
      PreserveUsualAttributes(&options);
      break;
    case 'r':
    case 'R':
      options.recursive = true;
      break;
    case 't':
      if (parsed->target_directory.has_value()) {
        return absl::FailedPreconditionError("multiple target directories specified");
      }
      parsed->target_directory = optarg;
      break;
    case 'T':
      parsed->no_target_directory = true;
      break;
    case 'v':
      command_line.verbose = true;
      break;
    case 'x':
      options.one_file_system = true;
      break;
    case kPreserveOption:
      if (optarg != nullptr) return PreserveList(optarg, true, &options);
      PreserveUsualAttributes(&options);
      break;
    case kNoPreserveOption:
      return PreserveList(optarg, false, &options);
    case kReflinkOption:
      options.reflink = Reflink::kAlways;
      if (optarg == nullptr) break;
      return MatchValue("--reflink", kReflinkWords, kReflinks, &options.reflink);
    case kRemoveDestinationOption:
      options.remove_destination = true;
      break;
    case kDirectOption:
      options.page_cache = PageCache::kBypass;
      break;
    case kNoCacheOption:
      // --direct implies --no-cache, so it stays.
      if (options.page_cache == PageCache::kKeep) options.page_cache = PageCache::kDrop;
      break;
    case kEngineOption:
      return MatchValue("--engine", kEngineWords, kEngines, &options.engine);
    case kSqpollOption:
      options.sqpoll = true;
      break;
    case kIopollOption:
      options.iopoll = true;
      break;
    case kWorkersOption:
      return ParseCount("--workers", Tuning::kWorkersMax, &options.tuning.workers);
    case kQueueDepthOption:
      return ParseCount("--queue-depth", Tuning::kQueueDepthMax,
                        &options.tuning.queue_depth);
    case kBlockSizeOption:
      return ParseBlockSize(&options.tuning.block_size_bytes);
    case kProgressOption:
      return MatchValue("--progress", kProgressWords, kProgressModes,
                        &command_line.progress);
    case kAgentOption:
      command_line.agent_address = optarg;
      break;
    case kDetachOption:
      command_line.detach = true;
      break;
    case kDebugOption:
      command_line.debug = true;
      break;
  }
  return absl::OkStatus();
}

// Puts the operands into the request by GNU's rules, which check their number first.
std::optional<UsageError> ApplyOperands(std::vector<std::string> operands,
                                        Options* parsed) {
  CopyRequest& request = parsed->command_line.request;
  const bool has_target = parsed->target_directory.has_value();
  if (operands.empty()) return UsageError{.message = "missing file operand"};
  if (operands.size() == 1 && !has_target) {
    return UsageError{.message = absl::StrCat("missing destination file operand after ",
                                              Quote(operands[0]))};
  }
  if (parsed->no_target_directory && has_target) {
    return UsageError{.message =
                          "cannot combine --target-directory (-t) and "
                          "--no-target-directory (-T)",
                      .suggest_help = false};
  }
  if (parsed->no_target_directory && operands.size() > 2) {
    return UsageError{.message = absl::StrCat("extra operand ", Quote(operands[2]))};
  }

  if (has_target) {
    request.target = *std::move(parsed->target_directory);
    request.options.target_kind = TargetKind::kDirectory;
  } else {
    request.target = std::move(operands.back());
    operands.pop_back();
    if (parsed->no_target_directory) {
      request.options.target_kind = TargetKind::kNotDirectory;
    }
  }
  request.sources = std::move(operands);
  return std::nullopt;
}

// Refuses options that need io_uring or O_DIRECT without it.
std::optional<UsageError> CheckEngine(const CopyOptions& options) {
  if (options.sqpoll && options.engine == EngineChoice::kThreads) {
    return UsageError{.message = "cannot combine --sqpoll and --engine=threads",
                      .suggest_help = false};
  }
  if (options.iopoll && options.engine == EngineChoice::kThreads) {
    return UsageError{.message = "cannot combine --iopoll and --engine=threads",
                      .suggest_help = false};
  }
  if (options.iopoll && options.page_cache != PageCache::kBypass) {
    return UsageError{.message =
                          "--iopoll polls for what is copied past the page "
                          "cache: it needs --direct",
                      .suggest_help = false};
  }
  return std::nullopt;
}

// Refuses options that work only with an agent, or only without one.
std::optional<UsageError> CheckAgent(const CopyCommandLine& command_line) {
  if (command_line.agent_address.has_value() && command_line.verbose) {
    return UsageError{.message =
                          "--verbose (-v) can't be had from an agent, which does "
                          "not report each file it copied;\nleave it out, or copy "
                          "without --agent and RINGCP_AGENT",
                      .suggest_help = false};
  }
  if (!command_line.agent_address.has_value() && command_line.detach) {
    return UsageError{.message =
                          "--detach needs an agent: give --agent=ADDRESS or set "
                          "RINGCP_AGENT"};
  }
  return std::nullopt;
}

}  // namespace

std::variant<CopyCommandLine, UsageError> ParseCopyCommandLine(
    int argc, char** argv, const char* environment_agent) {
  Options parsed;
  if (environment_agent != nullptr && *environment_agent != '\0') {
    parsed.command_line.agent_address = environment_agent;
  }

  optind = 0;  // Makes glibc's getopt start afresh and read POSIXLY_CORRECT again.
  for (;;) {
    const int code = getopt_long(argc, argv, kShortOptions, kLongOptions, nullptr);
    if (code == -1) break;
    if (code == '?') return UsageError{};
    if (code == kHelpOption || code == kVersionOption) {
      parsed.command_line.action = code == kHelpOption
                                       ? CopyCommandLine::Action::kShowHelp
                                       : CopyCommandLine::Action::kShowVersion;
      return std::move(parsed.command_line);
    }
    absl::Status status = ApplyOption(code, &parsed);
    if (!status.ok()) {
      return UsageError{.message = std::string(status.message()),
                        .suggest_help = !absl::IsFailedPrecondition(status)};
    }
  }

  std::optional<UsageError> error =
      ApplyOperands(std::vector<std::string>(argv + optind, argv + argc), &parsed);
  if (!error.has_value()) error = CheckEngine(parsed.command_line.request.options);
  if (!error.has_value()) error = CheckAgent(parsed.command_line);
  if (error.has_value()) return *std::move(error);
  return std::move(parsed.command_line);
}

}  // namespace ringcp
