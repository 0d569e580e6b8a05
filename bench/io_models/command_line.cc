#include "bench/io_models/command_line.h"

#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/io_models/works.h"
#include "core/base/file_error.h"

namespace ringcp::io_models {
namespace {

enum Option : int {
  kChartOption = 256,
  kDirectoryOption,
  kHelpOption,
  kJsonOption,
  kListOption,
  kModelOption,
  kRunsOption,
  kSeedOption,
  kSizeOption,
  kWorkOption,
};

constexpr option kOptions[] = {
    {"chart", required_argument, nullptr, kChartOption},
    {"directory", required_argument, nullptr, kDirectoryOption},
    {"help", no_argument, nullptr, kHelpOption},
    {"json", no_argument, nullptr, kJsonOption},
    {"list", no_argument, nullptr, kListOption},
    {"model", required_argument, nullptr, kModelOption},
    {"runs", required_argument, nullptr, kRunsOption},
    {"seed", required_argument, nullptr, kSeedOption},
    {"size", required_argument, nullptr, kSizeOption},
    {"work", required_argument, nullptr, kWorkOption},
    {nullptr, 0, nullptr, 0},
};

constexpr int64_t kMebibyte = 1024 * 1024;
// Long enough that a run is more than noise, short enough that all runs take a minute.
constexpr int64_t kDefaultSizeBytes = 256 * kMebibyte;
// A tebibyte, so that sums of sizes stay far below the limit of 64 bits.
constexpr int64_t kSizeBytesMax = kMebibyte * kMebibyte;
constexpr int kRunsMax = 1000;

std::vector<std::string> WorkNames() {
  std::vector<std::string> names;
  for (const Work& work : Works()) names.push_back(work.name);
  return names;
}

// The names of all models, each once.
std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const Work& work : Works()) {
    for (const WorkModel& model : work.models) {
      if (std::find(names.begin(), names.end(), model.name) == names.end()) {
        names.push_back(model.name);
      }
    }
  }
  return names;
}

// The names among `names` that a word of `list` equals or begins: "copy" stands for
// "copy-cached" and "copy-direct".
std::variant<std::vector<std::string>, UsageError> Select(
    const char* option_name, const std::string& list,
    const std::vector<std::string>& names) {
  std::vector<std::string> selected;
  const std::vector<std::string> words = absl::StrSplit(list, ',');
  for (const std::string& word : words) {
    bool found = false;
    for (const std::string& name : names) {
      if (name != word && !name.starts_with(word + "-")) continue;
      found = true;
      selected.push_back(name);
    }
    if (!found) {
      return UsageError{.message = absl::StrCat(
                            "invalid argument ", Quote(word), " for ", Quote(option_name),
                            "\nValid are: ", absl::StrJoin(names, ", "))};
    }
  }
  return selected;
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, Number least, Number most) {
  Number number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < least || number > most) return std::nullopt;
  return number;
}

// Reads "4096", "64K", "256M" or "1G".
std::optional<int64_t> ParseSize(std::string_view text) {
  static constexpr std::string_view kUnits = "KMG";
  int64_t unit = 1;
  if (!text.empty()) {
    const size_t index = kUnits.find(text.back());
    if (index != std::string_view::npos) {
      unit = int64_t{1} << (10 * (index + 1));
      text.remove_suffix(1);
    }
  }
  const std::optional<int64_t> count =
      ParseNumber<int64_t>(text, 0, kSizeBytesMax / unit);
  if (!count.has_value()) return std::nullopt;
  return *count * unit;
}

UsageError Invalid(const char* option_name, const std::string& wanted) {
  return UsageError{.message = absl::StrCat("invalid argument ", Quote(optarg), " for ",
                                            Quote(option_name), ": ", wanted)};
}

// Applies one option that getopt returned, with its argument in `optarg`.
std::optional<UsageError> Apply(int code, CommandLine* command_line) {
  RunOptions& options = command_line->options;
  switch (code) {
    case kChartOption:
      command_line->chart_path = optarg;
      break;
    case kDirectoryOption:
      options.directory = optarg;
      break;
    case kJsonOption:
      command_line->json = true;
      break;
    case kModelOption:
    case kWorkOption: {
      const bool is_work = code == kWorkOption;
      auto selected = Select(is_work ? "--work" : "--model", optarg,
                             is_work ? WorkNames() : ModelNames());
      if (auto* error = std::get_if<UsageError>(&selected)) return std::move(*error);
      (is_work ? options.works : options.models) =
          std::get<std::vector<std::string>>(std::move(selected));
      break;
    }
    case kRunsOption: {
      const std::optional<int> runs = ParseNumber<int>(optarg, 1, kRunsMax);
      if (!runs.has_value()) {
        return Invalid("--runs", absl::StrCat("a number from 1 to ", kRunsMax));
      }
      options.runs = *runs;
      break;
    }
    case kSeedOption: {
      const std::optional<uint64_t> seed = ParseNumber<uint64_t>(optarg, 0, UINT64_MAX);
      if (!seed.has_value()) return Invalid("--seed", "a number of 64 bits");
      options.seed = *seed;
      break;
    }
    case kSizeOption: {
      const std::optional<int64_t> size = ParseSize(optarg);
      if (!size.has_value()) {
        return Invalid("--size", "bytes, or a number with K, M or G behind it");
      }
      options.size = *size;
      break;
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<CommandLine, UsageError> ParseCommandLine(
    int argc, char** argv, const std::string& default_directory) {
  CommandLine command_line;
  command_line.options.directory = default_directory;
  command_line.options.size = kDefaultSizeBytes;
  command_line.options.works = WorkNames();
  command_line.options.models = ModelNames();

  optind = 0;  // Makes glibc's getopt start afresh and read POSIXLY_CORRECT again.
  for (;;) {
    const int code = getopt_long(argc, argv, "", kOptions, nullptr);
    if (code == -1) break;
    if (code == '?') return UsageError{};
    if (code == kHelpOption || code == kListOption) {
      command_line.action = code == kHelpOption ? CommandLine::Action::kShowHelp
                                                : CommandLine::Action::kList;
      return command_line;
    }
    std::optional<UsageError> error = Apply(code, &command_line);
    if (error.has_value()) return *std::move(error);
  }
  if (optind < argc) {
    return UsageError{.message = absl::StrCat("extra operand ", Quote(argv[optind]))};
  }
  return command_line;
}

std::string HelpText(const std::string& program) {
  return absl::StrCat("Usage: ", program, R"( [OPTION]...
Does the same work by each model of I/O that Linux has, and prints what each costs on
this machine: throughput, system calls per operation (counted), CPU seconds, latencies.
Every result is checked. A model that the kernel refuses is shown with the reason.

      --work=NAME,...     only these works, or those whose names begin so ('read')
      --model=NAME,...    only these models, likewise ('uring')
      --list              name the works and their models, and exit
      --directory=DIR     where the files are made, which have no names and are gone
                            at the end (default: $TMPDIR, else /var/tmp)
      --size=BYTES        of the file; K, M or G may follow (default: 256M). All other
                            amounts follow from it
      --runs=N            runs of each model; the median is shown (default: 3)
      --seed=N            makes the data and the places that are read (default: 1)
      --json              print a JSON object instead of tables
      --chart=FILE        also draw a chart into FILE (SVG)
      --help              display this help and exit

Exit status: 0 if all that was not refused was measured, 1 otherwise.)");
}

std::string ListText() {
  std::string text;
  for (const Work& work : Works()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", work.name, ": ", work.title, "\n");
    for (const WorkModel& model : work.models) {
      absl::StrAppendFormat(&text, "  %-22s %s\n", model.name, model.description);
    }
  }
  text.pop_back();
  return text;
}

}  // namespace ringcp::io_models
