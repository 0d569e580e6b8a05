#include "cli/manual.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/base/version.h"

namespace ringcp {
namespace {

constexpr size_t kRowColumn = 20;

std::string Joined(absl::Span<const std::string_view> words) {
  std::string joined;
  for (const std::string_view word : words) {
    absl::StrAppend(&joined, joined.empty() ? "" : " ", std::string(word));
  }
  return joined;
}

std::string Wrapped(std::string_view text) {
  return absl::StrCat(absl::StrJoin(WrapText(text, kHelpColumns), "\n"), "\n");
}

std::string Rows(const std::vector<ManualRow>& rows) {
  std::string lines;
  for (const ManualRow& row : rows) {
    absl::StrAppend(&lines, BesideText(absl::StrCat("  ", std::string(row.name)),
                                       row.text, kRowColumn, /*indent=*/0));
  }
  return lines;
}

// `text` for roff: a hyphen is what is typed, and no line is taken for a request.
std::string Roff(std::string_view text) {
  const std::string escaped = absl::StrReplaceAll(
      absl::string_view(text.data(), text.size()), {{"\\", "\\e"}, {"-", "\\-"}});
  const bool may_be_request = escaped.starts_with(".") || escaped.starts_with("'");
  return absl::StrCat(may_be_request ? "\\&" : "", escaped, "\n");
}

std::string RoffRows(const std::vector<ManualRow>& rows) {
  std::string lines;
  for (const ManualRow& row : rows) {
    absl::StrAppend(&lines, ".TP\n.B ", Roff(row.name), Roff(row.text));
  }
  return lines;
}

}  // namespace

std::string HelpText(const Manual& manual, const std::string& program) {
  std::string help;
  for (const std::string_view usage : manual.usages) {
    absl::StrAppend(&help, help.empty() ? "Usage: " : "  or:  ", program, " ",
                    std::string(usage), "\n");
  }
  absl::StrAppend(
      &help, Wrapped(manual.description),
      "\nMandatory arguments to long options are mandatory for short options too.\n",
      OptionHelp(manual.options));
  for (const std::string_view note : manual.notes) {
    absl::StrAppend(&help, "\n", Wrapped(note));
  }
  absl::StrAppend(&help, "\nEnvironment:\n", Rows(manual.environment), "\nExit status:\n",
                  Rows(manual.exit_statuses));
  help.pop_back();
  return help;
}

std::string ManualPage(const Manual& manual) {
  const std::string program(manual.program);
  std::string page = absl::StrCat(".TH ", program, " 1 \"\" \"", program, " ", kVersion,
                                  "\" \"User Commands\"\n.SH NAME\n", program, " \\- ",
                                  Roff(manual.summary), ".SH SYNOPSIS\n");
  for (const std::string_view usage : manual.usages) {
    absl::StrAppend(&page, ".B ", program, "\n", Roff(usage), ".br\n");
  }
  absl::StrAppend(&page, ".SH DESCRIPTION\n", Roff(manual.description), ".SH OPTIONS\n");
  std::string_view heading;
  for (const OptionText* option : manual.options) {
    if (option->heading != heading) {
      heading = option->heading;
      absl::StrAppend(&page, ".SS ", Roff(heading));
    }
    absl::StrAppend(&page, ".TP\n.B ", Roff(OptionUsage(*option)), Roff(option->text));
  }
  absl::StrAppend(&page, ".SH NOTES\n");
  for (const std::string_view note : manual.notes) {
    absl::StrAppend(&page, ".PP\n", Roff(note));
  }
  absl::StrAppend(&page, ".SH ENVIRONMENT\n", RoffRows(manual.environment),
                  ".SH EXIT STATUS\n", RoffRows(manual.exit_statuses));
  return page;
}

std::string BashCompletion(const Manual& manual) {
  std::vector<std::string> words;
  std::string cases;
  for (const OptionText* option : manual.options) {
    for (const char letter : option->letters) {
      words.push_back(absl::StrCat("-", std::string(1, letter)));
    }
    if (*option->word == '\0') continue;
    words.push_back(absl::StrCat("--", option->word));
    if (option->values.empty()) continue;
    // What follows a blank is the argument only if there has to be one.
    const std::string word = absl::StrCat("--", option->word);
    absl::StrAppend(
        &cases, "    ",
        option->argument == Argument::kRequired ? absl::StrCat(word, " | ") : "", word,
        "=) values='", Joined(option->values), "' ;;\n");
  }
  const std::string program(manual.program);
  return absl::StrCat("# What bash completes for ", program, ".\n_", program, R"(() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} values=''
  # Bash takes '=' for a word of its own.
  if [[ $word == '=' ]]; then
    word=''
    option+='='
  elif [[ $option == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}=
  fi
  case $option in
)",
                      cases, R"(  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W ')",
                      absl::StrJoin(words, " "), R"(' -- "$word")
  fi
}
complete -o default -F _)",
                      program, " ", program, "\n");
}

}  // namespace ringcp
