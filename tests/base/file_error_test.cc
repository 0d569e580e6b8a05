#include "core/base/file_error.h"

#include <cerrno>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(QuoteTest, IsThatOfGnuInAUtf8Locale) {
  // What `ls --quoting-style=shell-escape-always` of coreutils 9.1 prints in C.UTF-8.
  const struct {
    std::string name;
    const char* quoted;
  } cases[] = {
      {"plain", "'plain'"},
      {"x y", "'x y'"},
      {"-n", "'-n'"},
      {"{", "'{'"},
      {"a\"b", "'a\"b'"},
      {"a$b", "'a$b'"},
      {"a\\b", "'a\\b'"},
      {"'", "\"'\""},
      {"''", "\"''\""},
      {"a'b", "\"a'b\""},
      {"it's a file", "\"it's a file\""},
      // In a name with a single quote, these are put into double quotes ...
      {"@'", "\"@'\""},
      {"%+,-./:]_'", "\"%+,-./:]_'\""},
      {"~x'", "\"~x'\""},
      {"#x'", "\"#x'\""},
      {"\u00E9'", "\"\u00E9'\""},
      // ... and these are not, because a shell may give them a meaning there.
      {"a'b\"c", R"('a'\''b"c')"},
      {"a'b&c", R"('a'\''b&c')"},
      {"a'b!", R"('a'\''b!')"},
      {"it's(1)", R"('it'\''s(1)')"},
      {"a\\b'", R"('a\b'\''')"},
      {"x~'", R"('x~'\''')"},
      {"x#'", R"('x#'\''')"},
      {"{'", R"('{'\''')"},
      {"a*'", R"('a*'\''')"},
      {"a?'", R"('a?'\''')"},
      {"[']", R"('['\'']')"},
      {"'=", R"(''\''=')"},
      {"a^'", R"('a^'\''')"},
      {"a|b'", R"('a|b'\''')"},
      {"a;b'", R"('a;b'\''')"},
      {"<'>", R"('<'\''>')"},
      {"$'", R"('$'\''')"},
      {"`'", R"('`'\''')"},
      // Control characters.
      {"new\nline", R"('new'$'\n''line')"},
      {"a\n\nb", R"('a'$'\n\n''b')"},
      {"tab\there", R"('tab'$'\t''here')"},
      {"\a\b\v\f\r", R"(''$'\a\b\v\f\r')"},
      {"\n", R"(''$'\n')"},
      {"\x01", R"(''$'\001')"},
      {"\x1B[31m", R"(''$'\033''[31m')"},
      {"\x7F", R"(''$'\177')"},
      {"\n'", R"(''$'\n'\''')"},
      {"a'\nb", R"('a'\'''$'\n''b')"},
      // Beyond ASCII.
      {"\u00E4", "'\u00E4'"},
      {"\u65E5\u672C", "'\u65E5\u672C'"},
      {"\U0001F600", "'\U0001F600'"},
      {"\u0085", R"(''$'\302\205')"},
      {"\u2028", R"(''$'\342\200\250')"},
      {"\xFF", R"(''$'\377')"},
      {"a\xFF"
       "b",
       R"('a'$'\377''b')"},
      {"\xC3", R"(''$'\303')"},
      {"\xC3(", R"(''$'\303''(')"},
      {"\xC0\xAF", R"(''$'\300\257')"},          // An overlong encoding.
      {"\xED\xA0\x80", R"(''$'\355\240\200')"},  // A surrogate.
      {"\xF4\x90\x80\x80", R"(''$'\364\220\200\200')"},
  };
  for (const auto& [name, quoted] : cases) EXPECT_EQ(Quote(name), quoted);
}

TEST(QuoteTest, EveryByteGivesOnePrintableLine) {
  for (int first = 1; first < 256; ++first) {
    for (int second = 1; second < 256; ++second) {
      const std::string name = {static_cast<char>(first), static_cast<char>(second)};
      for (const char c : Quote(name)) {
        const auto byte = static_cast<unsigned char>(c);
        ASSERT_TRUE(byte >= 0x20 && byte != 0x7F) << first << " " << second;
      }
    }
  }
}

TEST(FileErrorTest, MessagesAreThoseOfGnuCp) {
  const struct {
    Operation operation;
    const char* message;
  } cases[] = {
      {Operation::kStat, "cannot stat 'x y': Permission denied"},
      {Operation::kOpen, "cannot open 'x y' for reading: Permission denied"},
      {Operation::kCreate, "cannot create regular file 'x y': Permission denied"},
      {Operation::kRead, "error reading 'x y': Permission denied"},
      {Operation::kWrite, "error writing 'x y': Permission denied"},
      {Operation::kClose, "failed to close 'x y': Permission denied"},
      {Operation::kReadDirectory, "error reading directory 'x y': Permission denied"},
      {Operation::kAccessDirectory, "cannot access 'x y': Permission denied"},
      {Operation::kMakeDirectory, "cannot create directory 'x y': Permission denied"},
      {Operation::kReadLink, "cannot read symbolic link 'x y': Permission denied"},
      {Operation::kMakeSymlink, "cannot create symbolic link 'x y': Permission denied"},
      {Operation::kMakeHardLink,
       "cannot create hard link 'x y' to 'other': Permission denied"},
      {Operation::kMakeFifo, "cannot create fifo 'x y': Permission denied"},
      {Operation::kMakeSpecial, "cannot create special file 'x y': Permission denied"},
      {Operation::kRemove, "cannot remove 'x y': Permission denied"},
      {Operation::kSetTimes, "preserving times for 'x y': Permission denied"},
      {Operation::kSetOwner, "failed to preserve ownership for 'x y': Permission denied"},
      {Operation::kSetMode, "preserving permissions for 'x y': Permission denied"},
      {Operation::kListXattrs, "listing attributes of 'x y': Permission denied"},
      {Operation::kGetXattr, "getting attribute 'other' of 'x y': Permission denied"},
      {Operation::kSetXattr, "setting attribute 'other' for 'x y': Permission denied"},
      {Operation::kSetXattrs, "setting attributes for 'x y': Permission denied"},
      {Operation::kGetLabel,
       "failed to get security context of 'x y': Permission denied"},
      {Operation::kLabelNext,
       "failed to set default file creation context to 'other': Permission denied"},
      {Operation::kLabelNextByPolicy,
       "failed to set default file creation context for 'x y': Permission denied"},
      {Operation::kSetLabel,
       "failed to set the security context of 'x y': Permission denied"},
      {Operation::kClone, "failed to clone 'x y' from 'other': Permission denied"},
  };
  for (const auto& [operation, message] : cases) {
    const FileError error = MakeFileError(operation, "x y", EACCES, "other");
    EXPECT_EQ(error.message, message);
    EXPECT_EQ(error.operation, operation);
    EXPECT_EQ(error.error_number, EACCES);
    EXPECT_EQ(error.path, "x y");
  }
}

TEST(FileErrorTest, ThePathKeepsItsBytesAndTheMessageIsUtf8) {
  const FileError error = MakeFileError(Operation::kStat, "a\xFF", ENOENT);
  EXPECT_EQ(error.path, "a\xFF");
  EXPECT_EQ(error.message, R"(cannot stat 'a'$'\377': No such file or directory)");
}

TEST(FileErrorTest, ARefusalHasItsWholeMessage) {
  const FileError error = MakeRefusal("p", "'p' and 'q' are the same file");
  EXPECT_EQ(error.operation, Operation::kRefuse);
  EXPECT_EQ(error.error_number, 0);
  EXPECT_EQ(error.path, "p");
  EXPECT_EQ(error.message, "'p' and 'q' are the same file");
}

// What fails on a directory above a source or a target is worded otherwise, but is the
// same for machines.
TEST(FileErrorTest, EveryOperationHasANameOfItsOwn) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(Operation::kRefuse); ++i) {
    const auto operation = static_cast<Operation>(i);
    const bool is_of_parent = operation == Operation::kMakeParent ||
                              operation == Operation::kLookAtParent ||
                              operation == Operation::kSetTimesOfParent;
    const std::string name(OperationName(operation));
    EXPECT_EQ(names.insert(name).second, !is_of_parent) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  }
}

TEST(FileErrorTest, ErrnoValuesHaveTheirNames) {
  EXPECT_EQ(ErrnoName(0), "");
  EXPECT_EQ(ErrnoName(ENOSPC), "ENOSPC");
  EXPECT_EQ(ErrnoName(EAGAIN), "EAGAIN");
  EXPECT_EQ(ErrnoName(4711), "errno 4711");
}

}  // namespace
}  // namespace ringcp
