#include "core/base/file_error.h"

#include <locale.h>
#include <wctype.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringcp {
namespace {

bool (*is_utf8_of_person)() = nullptr;

bool IsQuotingForPerson() { return is_utf8_of_person != nullptr; }

bool IsUtf8OfPerson() {
  static const bool kIsUtf8 = is_utf8_of_person();
  return kIsUtf8;
}

struct Wording {
  Operation operation;
  const char* name;
  const char* before;  // "cannot stat "
  const char* after;   // " for reading"
};

constexpr std::array kWordings = {
    Wording{Operation::kStat, "stat", "cannot stat ", ""},
    Wording{Operation::kOpen, "open", "cannot open ", " for reading"},
    Wording{Operation::kCreate, "create", "cannot create regular file ", ""},
    Wording{Operation::kRead, "read", "error reading ", ""},
    Wording{Operation::kWrite, "write", "error writing ", ""},
    Wording{Operation::kClose, "close", "failed to close ", ""},
    Wording{Operation::kReadDirectory, "readdir", "error reading directory ", ""},
    Wording{Operation::kAccessDirectory, "opendir", "cannot access ", ""},
    Wording{Operation::kMakeDirectory, "mkdir", "cannot create directory ", ""},
    Wording{Operation::kMakeParent, "mkdir", "cannot make directory ", ""},
    Wording{Operation::kLookAtParent, "stat", "failed to get attributes of ", ""},
    Wording{Operation::kReadLink, "readlink", "cannot read symbolic link ", ""},
    Wording{Operation::kMakeSymlink, "symlink", "cannot create symbolic link ", ""},
    Wording{Operation::kMakeSymlinkTo, "symlinkto", "cannot create symbolic link ", ""},
    Wording{Operation::kMakeHardLink, "link", "cannot create hard link ", ""},
    Wording{Operation::kMakeFifo, "mkfifo", "cannot create fifo ", ""},
    Wording{Operation::kMakeSpecial, "mknod", "cannot create special file ", ""},
    Wording{Operation::kRemove, "unlink", "cannot remove ", ""},
    Wording{Operation::kBackUp, "backup", "cannot backup ", ""},
    Wording{Operation::kTakeBack, "unbackup", "cannot un-backup ", ""},
    Wording{Operation::kSetTimes, "utimens", "preserving times for ", ""},
    Wording{Operation::kSetTimesOfParent, "utimens", "failed to preserve times for ", ""},
    Wording{Operation::kSetOwner, "chown", "failed to preserve ownership for ", ""},
    Wording{Operation::kSetMode, "chmod", "preserving permissions for ", ""},
    Wording{Operation::kListXattrs, "listxattr", "listing attributes of ", ""},
    Wording{Operation::kGetXattr, "getxattr", "getting attribute ", " of "},
    Wording{Operation::kSetXattr, "setxattr", "setting attribute ", " for "},
    Wording{Operation::kSetXattrs, "setxattrs", "setting attributes for ", ""},
    Wording{Operation::kGetLabel, "getlabel", "failed to get security context of ", ""},
    Wording{Operation::kLabelNext, "labelnext",
            "failed to set default file creation context to ", ""},
    Wording{Operation::kLabelNextByPolicy, "labelbypolicy",
            "failed to set default file creation context for ", ""},
    Wording{Operation::kSetLabel, "setlabel", "failed to set the security context of ",
            ""},
    Wording{Operation::kClone, "clone", "failed to clone ", ""},
    Wording{Operation::kRefuse, "refuse", "not copied: ", ""},
};

const Wording& WordingOf(Operation operation) {
  for (const Wording& wording : kWordings) {
    if (wording.operation == operation) return wording;
  }
  return kWordings.back();
}

// The length of the UTF-8 sequence at the start of `text`; 0 if it is malformed.
size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  size_t length = 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and values above U+10FFFF are malformed.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

// The code point of a well-formed sequence of `length` bytes.
wchar_t Utf8CodePoint(std::string_view sequence, size_t length) {
  if (length == 1) return static_cast<unsigned char>(sequence[0]);
  uint32_t code = static_cast<unsigned char>(sequence[0]) & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(sequence[i]) & 0x3Fu);
  }
  return static_cast<wchar_t>(code);
}

// Whether a terminal shows `code` unchanged: it is neither a control nor a line
// separator.
bool IsPrintable(wchar_t code) {
  // Debian always has this locale, whatever the user's is. Without it only ASCII counts
  // as printable.
  static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (code < 0x80) return code >= 0x20 && code != 0x7F;
  if (IsQuotingForPerson() && !IsUtf8OfPerson()) return false;
  return kUtf8 != nullptr && iswprint_l(static_cast<wint_t>(code), kUtf8) != 0;
}

// The length of the printable character at the start of `text`; 0 if it needs an escape.
size_t PrintableLength(std::string_view text) {
  const size_t length = Utf8SequenceLength(text);
  return length > 0 && IsPrintable(Utf8CodePoint(text, length)) ? length : 0;
}

std::string Escape(unsigned char byte) {
  switch (byte) {
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\v':
      return "\\v";
    default:
      return absl::StrFormat("\\%03o", byte);
  }
}

bool AllPrintable(std::string_view name) {
  while (!name.empty()) {
    const size_t length = PrintableLength(name);
    if (length == 0) return false;
    name.remove_prefix(length);
  }
  return true;
}

// Whether `name` holds characters, besides single quotes, that mean something to the
// shell, by the rules of GNU's quotearg.
bool HasShellCharacters(std::string_view name) {
  return name.find_first_of("!\"$&()*;<=>?[\\^`{|}") != std::string_view::npos ||
         name.find_first_of("#~", 1) != std::string_view::npos;
}

}  // namespace

void QuoteForPerson(bool (*is_utf8)()) { is_utf8_of_person = is_utf8; }

std::string_view OperationName(Operation operation) { return WordingOf(operation).name; }

std::string ErrnoName(int error_number) {
  if (error_number == 0) return "";
  const char* name = strerrorname_np(error_number);
  return name != nullptr ? name : absl::StrCat("errno ", error_number);
}

std::string Quote(std::string_view name) {
  // Double quotes around a single quote are easier to read, but only if the shell would
  // find nothing to expand inside them.
  if (name.find('\'') != std::string_view::npos && !HasShellCharacters(name) &&
      AllPrintable(name)) {
    return absl::StrCat("\"", std::string(name), "\"");
  }
  std::string quoted = "'";
  bool escaping = false;  // Inside $'...'.
  while (!name.empty()) {
    if (name[0] == '\'') {
      quoted += "'\\''";
      escaping = false;
      name.remove_prefix(1);
      continue;
    }
    const size_t length = PrintableLength(name);
    const bool escape = length == 0;
    if (escape && !escaping) quoted += "'$'";
    if (!escape && escaping) quoted += "''";
    escaping = escape;
    if (escape) {
      quoted += Escape(static_cast<unsigned char>(name[0]));
      name.remove_prefix(1);
    } else {
      quoted.append(name.substr(0, length));
      name.remove_prefix(length);
    }
  }
  return quoted + "'";
}

namespace {

// `name` quoted as GNU programs quote it in running text (quotearg's locale style).
std::string QuoteInText(std::string_view name) {
  const bool is_typographic = IsQuotingForPerson() && IsUtf8OfPerson();
  std::string quoted = is_typographic ? "‘" : "'";
  while (!name.empty()) {
    const size_t length = PrintableLength(name);
    if (length == 0) {
      quoted += Escape(static_cast<unsigned char>(name[0]));
    } else if (name[0] == '\\' || (name[0] == '\'' && !is_typographic)) {
      absl::StrAppend(&quoted, "\\", std::string(1, name[0]));
    } else {
      quoted.append(name.substr(0, length));
    }
    name.remove_prefix(length == 0 ? 1 : length);
  }
  return quoted + (is_typographic ? "’" : "'");
}

}  // namespace

FileError MakeFileError(Operation operation, std::string_view path, int error_number,
                        std::string_view other_path) {
  const Wording& wording = WordingOf(operation);
  FileError error;
  error.operation = operation;
  error.error_number = error_number;
  error.path = std::string(path);
  std::string reason;
  if (error_number != 0) {
    std::array<char, 128> text = {};
    // Only the ring returns ECANCELED: for an op that the kernel did not accept.
    const char* const words =
        error_number == ECANCELED
            ? "the kernel had no thread or no memory for it (see ulimit -u)"
            : strerror_r(error_number, text.data(), text.size());
    reason = absl::StrCat(": ", words);
  }
  std::string other;
  if (operation == Operation::kMakeHardLink || operation == Operation::kMakeSymlinkTo) {
    other = absl::StrCat(" to ", Quote(other_path));
  }
  if (operation == Operation::kClone) other = absl::StrCat(" from ", Quote(other_path));
  if (operation == Operation::kGetXattr || operation == Operation::kSetXattr) {
    error.message = absl::StrCat(wording.before, Quote(other_path), wording.after,
                                 Quote(path), reason);
    return error;
  }
  // GNU cp quotes names in some messages as texts.
  const std::string named = operation == Operation::kSetMode     ? QuoteInText(path)
                            : operation == Operation::kLabelNext ? QuoteInText(other_path)
                                                                 : Quote(path);
  error.message = absl::StrCat(wording.before, named, wording.after, other, reason);
  return error;
}

FileError MakeRefusal(std::string_view path, std::string message) {
  FileError error;
  error.path = std::string(path);
  error.message = std::move(message);
  return error;
}

std::string QuoteIfNeeded(std::string_view name) {
  const bool is_plain = !name.empty() && AllPrintable(name) &&
                        !HasShellCharacters(name) &&
                        name.find_first_of(" '") == std::string_view::npos &&
                        name[0] != '#' && name[0] != '~';
  return is_plain ? std::string(name) : Quote(name);
}

}  // namespace ringcp
