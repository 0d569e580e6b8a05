#include "cli/option_table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringcp {
namespace {

// What getopt returns for the option with index 0. Below are the letters, so that what
// getopt refuses is known to be a letter or a word.
constexpr int kFirstCode = 256;

constexpr size_t kTextColumn = 31;
constexpr size_t kColumns = 80;

// GNU's programs name these two behind the others.
bool IsLast(std::string_view word) { return word == "help" || word == "version"; }

int GetoptArgument(Argument argument) {
  switch (argument) {
    case Argument::kNone:
      return no_argument;
    case Argument::kOptional:
      return optional_argument;
    case Argument::kRequired:
      return required_argument;
  }
  return no_argument;
}

}  // namespace

OptionReader::OptionReader(absl::Span<const OptionText* const> options, int argc,
                           char** argv)
    : options_(options), argc_(argc), argv_(argv) {
  for (size_t i = 0; i < options.size(); ++i) {
    const OptionText& text = *options[i];
    for (const char letter : text.letters) {
      letters_ += letter;
      if (text.argument == Argument::kRequired) letters_ += ':';
    }
    if (*text.word == '\0') continue;
    (text.is_gnu ? words_ : own_words_)
        .push_back({text.word, GetoptArgument(text.argument), nullptr,
                    kFirstCode + static_cast<int>(i)});
  }
  std::stable_sort(words_.begin(), words_.end(), [](const option& a, const option& b) {
    return std::pair(IsLast(a.name), std::string_view(a.name)) <
           std::pair(IsLast(b.name), std::string_view(b.name));
  });
  words_.push_back({});
  optind = 0;  // Makes glibc's getopt start afresh and read POSIXLY_CORRECT again.
}

int OptionReader::Next() {
  opterr = 0;
  const int code = getopt_long(argc_, argv_, letters_.c_str(), words_.data(), nullptr);
  argument_ = optarg;
  if (code == -1) return kEnd;
  if (code >= kFirstCode) return code - kFirstCode;
  if (code != '?') {
    for (size_t i = 0; i < options_.size(); ++i) {
      if (options_[i]->letters.find(static_cast<char>(code)) != std::string_view::npos) {
        return static_cast<int>(i);
      }
    }
  }
  // A letter that is refused is in optopt, and so is the code of a word that is refused
  // for its argument.
  if (optopt != 0 && optopt < kFirstCode) {
    return TellError(absl::StrCat("-", std::string(1, static_cast<char>(optopt))));
  }
  const std::string typed = argv_[optind - 1];
  int index = kError;
  if (optopt == 0 && ReadOwn(typed, &index)) return index;
  return TellError(typed);
}

bool OptionReader::ReadOwn(std::string_view typed, int* index) {
  const size_t equals = typed.find('=');
  const std::string_view word = typed.substr(2, equals - 2);
  const option* found = nullptr;
  // Another option may begin like one of GNU's: then both are meant.
  for (const option& gnu : words_) {
    if (gnu.name != nullptr && std::string_view(gnu.name).starts_with(word)) return false;
  }
  for (const option& own : own_words_) {
    const std::string_view name = own.name;
    if (!name.starts_with(word)) continue;
    if (found != nullptr && found->name != word) {
      if (name != word) return false;  // Ambiguous.
    }
    if (found == nullptr || name == word) found = &own;
  }
  if (found == nullptr) return false;
  const bool has_argument = equals != std::string_view::npos;
  if (has_argument && found->has_arg == no_argument) return false;
  if (has_argument) {
    argument_ = argv_[optind - 1] + equals + 1;
  } else if (found->has_arg == required_argument) {
    if (optind >= argc_) return false;
    argument_ = argv_[optind++];
  }
  *index = found->val - kFirstCode;
  return true;
}

int OptionReader::TellError(std::string typed) {
  if (typed == "--") {  // The letter '-': alone it would end the options.
    fprintf(stderr, "%s: invalid option -- '-'\n", argv_[0]);
    return kError;
  }
  std::vector<option> all(words_.begin(), words_.end() - 1);
  const std::string word = typed.substr(0, typed.find('='));
  const bool is_gnu = std::any_of(all.begin(), all.end(), [&](const option& gnu) {
    return absl::StartsWith(absl::StrCat("--", gnu.name), word);
  });
  if (!is_gnu) all.insert(all.end(), own_words_.begin(), own_words_.end());
  all.push_back({});
  char* argv[] = {argv_[0], typed.data(), nullptr};
  optind = 0;
  opterr = 1;
  getopt_long(2, argv, letters_.c_str(), all.data(), nullptr);
  return kError;
}

std::vector<std::string> OptionReader::Operands() const {
  return {argv_ + optind, argv_ + argc_};
}

std::string OptionUsage(const OptionText& option) {
  std::string usage;
  for (const char letter : option.letters) {
    absl::StrAppend(&usage, usage.empty() ? "-" : ", -", std::string(1, letter));
  }
  if (*option.word == '\0') return usage;
  absl::StrAppend(&usage, usage.empty() ? "    --" : ", --", option.word);
  const std::string argument(option.argument_name);
  if (option.argument == Argument::kRequired) absl::StrAppend(&usage, "=", argument);
  if (option.argument == Argument::kOptional) {
    absl::StrAppend(&usage, "[=", argument, "]");
  }
  return usage;
}

std::vector<std::string> WrapText(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  for (const auto& part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ' ')) {
    const std::string word(part);
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.push_back(word);
    } else {
      absl::StrAppend(&lines.back(), " ", word);
    }
  }
  return lines;
}

std::string OptionHelp(absl::Span<const OptionText* const> options) {
  std::string help;
  std::string_view heading;
  for (const OptionText* option : options) {
    if (option->heading != heading) {
      heading = option->heading;
      absl::StrAppend(&help, "\n", std::string(heading), ":\n");
    }
    std::string line = absl::StrCat("  ", OptionUsage(*option));
    // As in other programs' help, a long usage has a line of its own.
    bool is_first = true;
    if (line.size() + 2 > kTextColumn) {
      absl::StrAppend(&help, line, "\n");
      line.clear();
    }
    for (const std::string& text : WrapText(option->text, kColumns - kTextColumn - 2)) {
      line.resize(kTextColumn + (is_first ? 0 : 2), ' ');
      absl::StrAppend(&help, line, text, "\n");
      line.clear();
      is_first = false;
    }
  }
  return help;
}

}  // namespace ringcp
