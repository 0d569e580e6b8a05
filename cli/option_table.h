// The options of a command line as rows of one table. Each row says how an option is
// written, how it is explained and what it does. All that has to know the options is made
// of the rows: the parser here, --help, the manual page and the shell's completion. So
// none of them can lack an option, or explain it otherwise than the others.
//
// The parser is getopt_long(3), so options are written as with any GNU program: combined
// letters, arguments with or without '=', abbreviated words, options behind operands
// unless POSIXLY_CORRECT is set, and "--". One thing is added. A program that stands in
// for another one must accept what the other one accepts, so a word that abbreviates one
// of the other program's options (`OptionText::is_gnu`) means that option, even if some
// other option begins likewise: --pr is --preserve, in spite of --progress.

#ifndef RINGCP_CLI_OPTION_TABLE_H_
#define RINGCP_CLI_OPTION_TABLE_H_

#include <getopt.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace ringcp {

enum class Argument { kNone, kOptional, kRequired };

struct OptionText {
  std::string_view letters = {};  // "rR", or "" if it has a word only.
  const char* word = "";          // "recursive", or "" if it has letters only.
  Argument argument = Argument::kNone;
  // What its argument is called: "WHEN".
  std::string_view argument_name = {};
  // The words that its argument may be, or may begin; empty: it is something else.
  absl::Span<const std::string_view> values = {};
  // The heading that it stands under.
  std::string_view heading = {};
  // One or several sentences, without line breaks. Options are named as they are typed,
  // and other words that are typed are in quotes: 'auto'.
  std::string_view text = {};
  bool is_gnu = true;
};

// Reads the options of one command line, one after the other.
//
// Thread-safety: none, because getopt keeps its place in globals. There can be only one
// at a time.
class OptionReader {
 public:
  static constexpr int kEnd = -1;
  static constexpr int kError = -2;

  // Reads `argv`, which ends with a null pointer. Both arguments outlive the reader.
  OptionReader(absl::Span<const OptionText* const> options, int argc, char** argv);

  // The index of the next option among `options`; kEnd once there is none left; or kError
  // after telling on standard error, as getopt does, what is wrong.
  int Next();
  // The argument of the last option; nullptr if it has none.
  const char* argument() const { return argument_; }
  // What is left in `argv` after kEnd: the operands.
  std::vector<std::string> Operands() const;

 private:
  // Has getopt tell what is wrong with `letter`, the option that has just been read.
  int TellOfLetter(char letter);

  const absl::Span<const OptionText* const> options_;
  const int argc_;
  char** const argv_;
  std::string letters_;  // For getopt.
  // For getopt, with an empty entry at the end: those with is_gnu, and the others.
  std::vector<option> words_;
  std::vector<option> own_words_;
  const char* argument_ = nullptr;
};

// The options as --help lists them: their headings, what is typed, and their texts in
// lines of at most 80 columns.
std::string OptionHelp(absl::Span<const OptionText* const> options);

// "-t, --target-directory=DIRECTORY".
std::string OptionUsage(const OptionText& option);

// How wide help is.
inline constexpr size_t kHelpColumns = 80;

// `left`, and beside it, from `column` on, `text`, whose lines behind the first begin
// `indent` columns further right. As in other programs' help, a long `left` has a line of
// its own.
std::string BesideText(std::string left, std::string_view text, size_t column,
                       size_t indent);

// The lines of `text`, each of at most `width` columns unless one word is longer.
std::vector<std::string> WrapText(std::string_view text, size_t width);

}  // namespace ringcp

#endif  // RINGCP_CLI_OPTION_TABLE_H_
