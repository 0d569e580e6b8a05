#include "cli/copy_command_line.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/backup_options.h"
#include "cli/copy_options.h"
#include "cli/option_table.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// Puts the operands into the request by GNU's rules, which check their number first.
std::optional<UsageError> ApplyOperands(std::vector<std::string> operands,
                                        ParsedOptions* parsed) {
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
  if (request.options.parents && parsed->no_target_directory) {
    return UsageError{.message = "with --parents, the destination must be a directory"};
  }
  return std::nullopt;
}

// Looks at options together whose order does not matter.
std::optional<UsageError> Combine(const CopyEnvironment& environment,
                                  ParsedOptions* parsed) {
  CopyOptions& options = parsed->command_line.request.options;
  if (parsed->hard_links && parsed->symbolic_links) {
    return UsageError{.message = "cannot make both hard and symbolic links"};
  }
  if (parsed->hard_links) options.makes = Makes::kHardLinks;
  if (parsed->symbolic_links) options.makes = Makes::kSymbolicLinks;
  if (parsed->no_clobber) options.update = Update::kNone;
  if (parsed->makes_backups && KeepsExisting(options.update)) {
    return UsageError{.message =
                          "--backup is mutually exclusive with -n or --update=none-fail"};
  }
  if (options.reflink == Reflink::kAlways && options.sparse != Sparse::kAuto) {
    return UsageError{.message = "--reflink can be used only with --sparse=auto"};
  }
  absl::Status status = ResolveBackups(environment, parsed);
  if (status.ok()) return std::nullopt;
  return UsageError{.message = std::string(status.message())};
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
  if (!command_line.agent_address.has_value()) {
    if (!command_line.detach) return std::nullopt;
    return UsageError{.message =
                          "--detach needs an agent: give --agent=ADDRESS or set "
                          "RINGCP_AGENT"};
  }
  const auto refuse = [](const char* why, const char* way_out) {
    return UsageError{
        .message = absl::StrCat(why, "\n", way_out,
                                ", or copy without --agent and RINGCP_AGENT"),
        .suggest_help = false};
  };
  if (command_line.verbose) {
    return refuse(
        "--verbose (-v) can't be had from an agent, which does not report each file it "
        "copied;",
        "leave it out");
  }
  const CopyOptions& options = command_line.request.options;
  if (options.interactive) {
    return refuse("--interactive (-i) asks at a terminal, which an agent doesn't have;",
                  "leave it out");
  }
  const std::vector<std::string>& sources = command_line.request.sources;
  const bool is_relative = std::any_of(sources.begin(), sources.end(),
                                       [](const auto& s) { return !s.starts_with('/'); });
  if (options.parents && is_relative) {
    return refuse(
        "--parents takes names as they are typed, and an agent knows absolute ones only:",
        "give SOURCEs that begin with a slash");
  }
  return std::nullopt;
}

std::string EnvironmentOf(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

CopyEnvironment CopyEnvironment::Get() {
  return {.agent = EnvironmentOf("RINGCP_AGENT"),
          .version_control = EnvironmentOf("VERSION_CONTROL"),
          .simple_backup_suffix = EnvironmentOf("SIMPLE_BACKUP_SUFFIX")};
}

std::variant<CopyCommandLine, UsageError> ParseCopyCommandLine(
    int argc, char** argv, const CopyEnvironment& environment) {
  ParsedOptions parsed;
  if (!environment.agent.empty()) {
    parsed.command_line.agent_address = environment.agent;
  }

  const std::vector<const OptionText*> options = CopyOptionTexts();
  OptionReader reader(options, argc, argv);
  for (int i = reader.Next(); i != OptionReader::kEnd; i = reader.Next()) {
    if (i == OptionReader::kError) return UsageError{};
    absl::Status status =
        CopyOptionRows()[i].apply(*options[i], reader.argument(), &parsed);
    if (!status.ok()) {
      return UsageError{.message = std::string(status.message()),
                        .suggest_help = !absl::IsFailedPrecondition(status)};
    }
    if (parsed.command_line.action != CopyCommandLine::Action::kCopy) {
      return std::move(parsed.command_line);
    }
  }

  std::optional<UsageError> error = Combine(environment, &parsed);
  if (!error.has_value()) error = ApplyOperands(reader.Operands(), &parsed);
  if (!error.has_value()) error = CheckEngine(parsed.command_line.request.options);
  if (!error.has_value()) error = CheckAgent(parsed.command_line);
  if (error.has_value()) return *std::move(error);
  return std::move(parsed.command_line);
}

}  // namespace ringcp
