#include "tests/reference_copy_cases.h"

#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

constexpr std::array<const char*, kSourceEntries> kSourceNames = {
    "none",          "empty file",  "file",          "file 4751",         "link to file",
    "dangling link", "link to dir", "link to other", "link to parent",    "empty dir",
    "dir with file", "fifo",        "socket",        "hard link of other"};
constexpr std::array<const char*, kTargetEntries> kTargetNames = {
    "none",
    "file",
    "longer file",
    "file with another name",
    "link to file",
    "dangling link",
    "link to dir",
    "link to other",
    "link to source",
    "empty dir",
    "dir with files",
    "fifo",
    "socket",
    "hard link of other",
    "hard link of source"};

// One option that makes a copy differ from a plain one.
struct Option {
  char letter;
  const char* argument;
};
constexpr Option kPlainOptions[] = {
    {'P', " -P"},
    {'H', " -H"},
    {'L', " -L"},
    {'f', " -f"},
    {'n', " -n"},
    {'R', " --remove-destination"},
    {'x', " -x"},
    {'m', " --preserve=mode"},
    {'o', " --preserve=ownership"},
    {'t', " --preserve=timestamps"},
    {'l', " --preserve=links"},
    {'D', " --no-preserve=mode"},
    {'w', " (POSIXLY_CORRECT)"},
    {'u', " (umask 077)"},
    {'U', " (umask 0)"},
    {'O', " -u"},
    {'b', " -b"},
    {'N', " --backup=numbered"},
    {'h', " -l"},
    {'s', " -s"},
    {'A', " --attributes-only"},
    {'S', " --sparse=always"},
    {'E', " --sparse=never"},
};

bool ExcludeEachOther(char one, char other) {
  for (const std::string_view group : {"PHL", "mD", "uU", "nO", "nbN", "hs", "SE"}) {
    constexpr size_t kNowhere = std::string_view::npos;
    if (group.find(one) != kNowhere && group.find(other) != kNowhere) return true;
  }
  return false;
}

// Each set consists of the letters of kPlainOptions, "r" and "a".
const std::vector<std::string>& AllOptions() {
  static const auto* const kAll = [] {
    auto* sets = new std::vector<std::string>();
    for (const std::string start : {"", "r"}) {
      sets->push_back(start);
      for (const Option& one : kPlainOptions) {
        sets->push_back(start + one.letter);
        for (const Option* other = &one + 1; other != std::end(kPlainOptions); ++other) {
          if (ExcludeEachOther(one.letter, other->letter)) continue;
          sets->push_back(start + one.letter + other->letter);
        }
      }
    }
    sets->push_back("a");
    for (const Option& one : kPlainOptions) {
      sets->push_back(std::string("a") + one.letter);
    }
    return sets;
  }();
  return *kAll;
}

CopyOptions OptionsOf(const std::string& letters) {
  CopyOptions options;
  options.umask = 022;
  for (const char letter : letters) {
    const bool all = letter == 'a';
    if (all || letter == 'r') options.recursive = true;
    if (all || letter == 'm') options.preserve.mode = true;
    if (all || letter == 'o') options.preserve.ownership = true;
    if (all || letter == 't') options.preserve.timestamps = true;
    if (all || letter == 'l') options.preserve.links = true;
    if (all || letter == 'P') options.dereference = Dereference::kNever;
    if (letter == 'H') options.dereference = Dereference::kCommandLine;
    if (letter == 'L') options.dereference = Dereference::kAlways;
    if (letter == 'f') options.force = true;
    if (letter == 'n') options.update = Update::kNone;
    if (letter == 'R') options.remove_destination = true;
    if (letter == 'x') options.one_file_system = true;
    if (letter == 'w') options.writes_through_dangling_links = true;
    if (letter == 'u') options.umask = 077;
    if (letter == 'U') options.umask = 0;
    if (letter == 'O') options.update = Update::kOlder;
    if (letter == 'b') options.backup = Backup::kSimple;
    if (letter == 'N') options.backup = Backup::kNumbered;
    if (letter == 'h') options.makes = Makes::kHardLinks;
    if (letter == 's') options.makes = Makes::kSymbolicLinks;
    if (letter == 'A') options.attributes_only = true;
    if (letter == 'S') options.sparse = Sparse::kAlways;
    if (letter == 'E') options.sparse = Sparse::kNever;
    if (letter == 'D') {
      options.default_mode = true;
      options.preserve.mode = false;
    }
  }
  return options;
}

bool IsMissing(SourceEntry entry) { return entry == SourceEntry::kNone; }
bool IsDirectory(SourceEntry entry) {
  return entry == SourceEntry::kEmptyDirectory || entry == SourceEntry::kDirectory;
}
bool IsDirectory(TargetEntry entry) {
  return entry == TargetEntry::kEmptyDirectory || entry == TargetEntry::kDirectory;
}

bool Has(const CopyCase& copy_case, SourceEntry entry) {
  return copy_case.sources[0] == entry || copy_case.sources[1] == entry;
}
bool Has(const CopyCase& copy_case, TargetEntry entry) {
  return copy_case.targets[0] == entry || copy_case.targets[1] == entry;
}

}  // namespace

int NumberOfOptions() { return static_cast<int>(AllOptions().size()); }

int64_t NumberOfCases() {
  return int64_t{kLayouts} * NumberOfOptions() * kSourceEntries * kSourceEntries *
         kTargetEntries * kTargetEntries;
}

CopyCase CaseOfNumber(int64_t number) {
  const auto next = [&number](int count) {
    const int digit = static_cast<int>(number % count);
    number /= count;
    return digit;
  };
  CopyCase copy_case;
  copy_case.options = next(NumberOfOptions());
  copy_case.layout = static_cast<Layout>(next(kLayouts));
  for (TargetEntry& target : copy_case.targets) {
    target = static_cast<TargetEntry>(next(kTargetEntries));
  }
  for (SourceEntry& source : copy_case.sources) {
    source = static_cast<SourceEntry>(next(kSourceEntries));
  }
  return copy_case;
}

int64_t NumberOfCase(const CopyCase& copy_case) {
  int64_t number = static_cast<int>(copy_case.sources[1]);
  number = number * kSourceEntries + static_cast<int>(copy_case.sources[0]);
  number = number * kTargetEntries + static_cast<int>(copy_case.targets[1]);
  number = number * kTargetEntries + static_cast<int>(copy_case.targets[0]);
  number = number * kLayouts + static_cast<int>(copy_case.layout);
  return number * NumberOfOptions() + copy_case.options;
}

bool HasTwoEntries(const CopyCase& copy_case) {
  return !IsMissing(copy_case.sources[0]) && !IsMissing(copy_case.sources[1]);
}

bool HasOneOptionAtMost(const CopyCase& copy_case) {
  const std::string& letters = AllOptions()[copy_case.options];
  return letters.size() <= (letters.starts_with('r') ? 2 : 1);
}

bool IsPossible(const CopyCase& copy_case) {
  const auto& [sources, targets] = std::tie(copy_case.sources, copy_case.targets);
  if (IsMissing(sources[0])) return false;  // If there is only one entry, it is "a".
  const CopyOptions options = OptionsOf(AllOptions()[copy_case.options]);
  const bool is_tree =
      copy_case.layout == Layout::kTree || copy_case.layout == Layout::kTreeToNew;
  if (is_tree && !options.recursive) return false;
  if (copy_case.layout == Layout::kFileToName && HasTwoEntries(copy_case)) return false;
  // A hard link has to be the second name of a file.
  if (sources[0] == SourceEntry::kHardLink || targets[0] == TargetEntry::kHardLink) {
    return false;
  }
  if (sources[1] == SourceEntry::kHardLink && IsDirectory(sources[0])) return false;
  if (targets[1] == TargetEntry::kHardLink &&
      (targets[0] == TargetEntry::kNone || IsDirectory(targets[0]))) {
    return false;
  }
  for (int i = 0; i < 2; ++i) {
    if (copy_case.layout == Layout::kTreeToNew && targets[i] != TargetEntry::kNone) {
      return false;
    }
    if (targets[i] == TargetEntry::kHardLinkOfSource &&
        (IsMissing(sources[i]) || IsDirectory(sources[i]))) {
      return false;
    }
    // If nothing is copied to a name, what it holds matters only to the other name.
    if (IsMissing(sources[i]) && (targets[i] == TargetEntry::kLinkToSource ||
                                  (targets[i] != TargetEntry::kNone &&
                                   targets[1 - i] != TargetEntry::kLinkToOther))) {
      return false;
    }
  }
  // Reading a pipe needs another process, and so does writing to a pipe that is in the
  // source or that the job itself makes.
  return !Has(copy_case, SourceEntry::kFifo) ||
         (options.recursive && !Has(copy_case, TargetEntry::kLinkToOther) &&
          !(Has(copy_case, TargetEntry::kLinkToSource) &&
            Has(copy_case, TargetEntry::kHardLink)));
}

std::string Description(const CopyCase& copy_case) {
  std::string text = "cp";
  for (const char letter : AllOptions()[copy_case.options]) {
    if (letter == 'r' || letter == 'a') {
      absl::StrAppend(&text, " -", std::string(1, letter));
    }
    for (const Option& option : kPlainOptions) {
      if (option.letter == letter) text += option.argument;
    }
  }
  const bool has_two = HasTwoEntries(copy_case);
  constexpr std::array<const char*, kLayouts> kArguments = {
      " s/a t", " -T s t", " -T s t (new)", " -T s/a t/a"};
  absl::StrAppend(&text, has_two && copy_case.layout == Layout::kNamed
                             ? " s/a s/b t"
                             : kArguments[static_cast<int>(copy_case.layout)]);
  for (int i = 0; i < 2; ++i) {
    absl::StrAppend(&text, i == 0 ? "; s/a: " : "; s/b: ",
                    kSourceNames[static_cast<int>(copy_case.sources[i])]);
  }
  for (int i = 0; i < 2; ++i) {
    absl::StrAppend(&text, i == 0 ? "; t/a: " : "; t/b: ",
                    kTargetNames[static_cast<int>(copy_case.targets[i])]);
  }
  return text;
}

CopyRequest RequestOf(const CopyCase& copy_case, EngineChoice engine) {
  CopyRequest request;
  request.options = OptionsOf(AllOptions()[copy_case.options]);
  request.options.engine = engine;
  // With -s another directory's links must not be relative.
  const std::string here =
      request.options.makes == Makes::kSymbolicLinks ? "/proc/self/cwd/" : "";
  request.sources = {here + "s/a"};
  request.target = "t";
  if (copy_case.layout == Layout::kNamed) {
    if (HasTwoEntries(copy_case)) request.sources.push_back(here + "s/b");
    return request;
  }
  request.options.target_kind = TargetKind::kNotDirectory;
  if (copy_case.layout == Layout::kFileToName) {
    request.target = "t/a";
  } else {
    request.sources = {here + "s"};
  }
  return request;
}

}  // namespace ringcp
