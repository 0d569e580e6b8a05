#include "cli/option_table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringcp {
namespace {

// What getopt returns for the option with index 0. Below are the letters, so that what
// getopt refuses is known to be a letter or a word.
constexpr int kFirstCode = 256;

constexpr size_t kTextColumn = 31;

// GNU's programs name these two behind the others.
bool IsLast(std::string_view word) { return word == "help" || word == "version"; }

// Whether `typed`, "--word" or "--word=argument", is the beginning of one of `words`,
// whose last entry is empty.
bool BeginsWord(std::string_view typed, const std::vector<option>& words) {
  const std::string_view word = typed.substr(2, typed.find('=') - 2);
  return std::any_of(words.begin(), words.end() - 1, [word](const option& one) {
    return std::string_view(one.name).starts_with(word);
  });
}

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
  own_words_.push_back({});
  optind = 0;  // Makes glibc's getopt start afresh and read POSIXLY_CORRECT again.
}

int OptionReader::Next() {
  opterr = 0;
  int code = getopt_long(argc_, argv_, letters_.c_str(), words_.data(), nullptr);
  // The letter that was refused is in optopt.
  if (code == '?' && optopt != 0 && optopt < kFirstCode) {
    return TellOfLetter(static_cast<char>(optopt));
  }
  if (code == '?') {
    // It is a word. getopt reads it once more, among those that it may mean, and tells
    // what is wrong with it if it is none of them.
    --optind;
    opterr = 1;
    const bool is_gnu = BeginsWord(argv_[optind], words_);
    code = getopt_long(argc_, argv_, letters_.c_str(),
                       (is_gnu ? words_ : own_words_).data(), nullptr);
    if (code == '?') return kError;
  }
  argument_ = optarg;
  if (code == -1) return kEnd;
  if (code >= kFirstCode) return code - kFirstCode;
  const auto option =
      std::find_if(options_.begin(), options_.end(), [code](const OptionText* text) {
        return text->letters.find(static_cast<char>(code)) != std::string_view::npos;
      });
  return static_cast<int>(option - options_.begin());
}

int OptionReader::TellOfLetter(char letter) {
  if (letter == '-') {  // Alone it would end the options.
    fprintf(stderr, "%s: invalid option -- '-'\n", argv_[0]);
    return kError;
  }
  std::string typed = {'-', letter};
  char* argv[] = {argv_[0], typed.data(), nullptr};
  optind = 0;
  opterr = 1;
  getopt_long(2, argv, letters_.c_str(), words_.data(), nullptr);
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

std::string BesideText(std::string left, std::string_view text, size_t column,
                       size_t indent) {
  std::string lines;
  size_t begin = column;
  if (left.size() + 2 > column) {
    lines = absl::StrCat(left, "\n");
    left.clear();
  }
  for (const std::string& line : WrapText(text, kHelpColumns - column - indent)) {
    left.resize(begin, ' ');
    absl::StrAppend(&lines, left, line, "\n");
    left.clear();
    begin = column + indent;
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
    absl::StrAppend(&help, BesideText(absl::StrCat("  ", OptionUsage(*option)),
                                      option->text, kTextColumn, /*indent=*/2));
  }
  return help;
}

}  // namespace ringcp
