// The options that say what is copied, what is kept of it, and where it goes.

#include "cli/copy_options.h"

#include <array>
#include <string_view>

#include "cli/backup_options.h"
#include "cli/option_actions.h"
#include "cli/preserve_options.h"
#include "cli/run_options.h"

namespace ringcp {
namespace {

constexpr std::array<std::string_view, 3> kReflinkWords = {"auto", "always", "never"};
constexpr std::array<Reflink, 3> kReflinks = {Reflink::kAuto, Reflink::kAlways,
                                              Reflink::kNever};

// As GNU cp lists them.
constexpr std::array<std::string_view, 3> kSparseWords = {"never", "auto", "always"};
constexpr std::array<Sparse, 3> kSparse = {Sparse::kNever, Sparse::kAuto,
                                           Sparse::kAlways};

absl::Status SetTargetDirectory(const OptionText&, const char* argument,
                                ParsedOptions* parsed) {
  if (parsed->target_directory.has_value()) {
    return absl::FailedPreconditionError("multiple target directories specified");
  }
  parsed->target_directory = argument;
  return absl::OkStatus();
}

constexpr std::array<std::string_view, 4> kUpdateWords = {"all", "none", "none-fail",
                                                          "older"};
constexpr std::array<Update, 4> kUpdates = {Update::kAll, Update::kNone,
                                            Update::kNoneFail, Update::kOlder};

// --direct implies --no-cache, so it stays.
absl::Status SetNoCache(const OptionText&, const char*, ParsedOptions* parsed) {
  PageCache& page_cache = OptionsOf(parsed).page_cache;
  if (page_cache == PageCache::kKeep) page_cache = PageCache::kDrop;
  return absl::OkStatus();
}

absl::Status AskFirst(const OptionText&, const char*, ParsedOptions* parsed) {
  OptionsOf(parsed).interactive = true;
  parsed->no_clobber = false;
  return absl::OkStatus();
}

absl::Status KeepExistingFiles(const OptionText&, const char*, ParsedOptions* parsed) {
  OptionsOf(parsed).interactive = false;
  parsed->no_clobber = true;
  return absl::OkStatus();
}

absl::Status SetContext(const OptionText&, const char* argument, ParsedOptions* parsed) {
  if (argument == nullptr) {
    OptionsOf(parsed).default_context = true;
  } else {
    OptionsOf(parsed).context = argument;
  }
  return absl::OkStatus();
}

constexpr std::string_view kWhat = "What is copied";
constexpr std::string_view kKept = "What is kept of it";
constexpr std::string_view kWhere = "Where it goes";

using Options = CopyOptions;

constexpr CopyOptionRow kRows[] = {
    {{.letters = "rR",
      .word = "recursive",
      .heading = kWhat,
      .text = "copy directories with what is in them"},
     Set<&Options::recursive, true>},
    {{.word = "strip-trailing-slashes",
      .heading = kWhat,
      .text = "remove slashes from the end of each SOURCE"},
     Set<&Options::strip_trailing_slashes, true>},
    {{.letters = "x",
      .word = "one-file-system",
      .heading = kWhat,
      .text = "stay on the file system of each SOURCE"},
     Set<&Options::one_file_system, true>},
    {{.word = "attributes-only",
      .heading = kWhat,
      .text = "don't copy the files' contents, just their attributes"},
     Set<&Options::attributes_only, true>},
    {{.word = "copy-contents",
      .heading = kWhat,
      .text = "with -r, copy the contents of pipes and devices"},
     Set<&Options::copy_contents, true>},
    {{.letters = "H",
      .heading = kWhat,
      .text = "follow symbolic links that are named as SOURCE"},
     Set<&Options::dereference, Dereference::kCommandLine>},
    {{.letters = "L",
      .word = "dereference",
      .heading = kWhat,
      .text = "always follow symbolic links in SOURCE"},
     Set<&Options::dereference, Dereference::kAlways>},
    {{.letters = "P",
      .word = "no-dereference",
      .heading = kWhat,
      .text = "never follow symbolic links in SOURCE"},
     Set<&Options::dereference, Dereference::kNever>},
    {{.letters = "d",
      .heading = kWhat,
      .text = "same as --no-dereference --preserve=links"},
     KeepLinksAsTheyAre},

    {{.letters = "a",
      .word = "archive",
      .heading = kKept,
      .text = "same as -dR --preserve=all"},
     Archive},
    {{.letters = "p",
      .heading = kKept,
      .text = "same as --preserve=mode,ownership,timestamps"},
     Preserve},
    {{.word = "preserve",
      .argument = Argument::kOptional,
      .argument_name = "ATTR_LIST",
      .values = kAttributeWords,
      .heading = kKept,
      .text = "preserve the attributes of the comma-separated list (default: "
              "mode,ownership,timestamps), if possible; further: links, context, xattr, "
              "all. An access control list goes with the mode"},
     Preserve},
    {{.word = "no-preserve",
      .argument = Argument::kRequired,
      .argument_name = "ATTR_LIST",
      .values = kAttributeWords,
      .heading = kKept,
      .text = "don't preserve the attributes of the list"},
     DontPreserve},
    {{.letters = "Z",
      .heading = kKept,
      .text = "give targets the SELinux context that the system's policy says"},
     Set<&Options::default_context, true>},
    {{.word = "context",
      .argument = Argument::kOptional,
      .argument_name = "CTX",
      .heading = kKept,
      .text = "like -Z, or give new files the SELinux context CTX"},
     SetContext},

    {{.letters = "l",
      .word = "link",
      .heading = kWhere,
      .text = "make hard links to the files instead of copying them"},
     SetInParsed<&ParsedOptions::hard_links, true>},
    {{.letters = "s",
      .word = "symbolic-link",
      .heading = kWhere,
      .text = "make symbolic links to the files instead of copying them"},
     SetInParsed<&ParsedOptions::symbolic_links, true>},
    {{.letters = "t",
      .word = "target-directory",
      .argument = Argument::kRequired,
      .argument_name = "DIRECTORY",
      .heading = kWhere,
      .text = "copy all SOURCE arguments into DIRECTORY"},
     SetTargetDirectory},
    {{.letters = "T",
      .word = "no-target-directory",
      .heading = kWhere,
      .text = "treat TARGET as a normal file"},
     SetInParsed<&ParsedOptions::no_target_directory, true>},
    {{.word = "parents",
      .heading = kWhere,
      .text = "copy each SOURCE to its name, as typed, below DIRECTORY, with the "
              "directories above it"},
     Set<&Options::parents, true>},
    {{.letters = "f",
      .word = "force",
      .heading = kWhere,
      .text = "if an existing target can't be opened, remove it and try again (not with "
              "-n)"},
     Set<&Options::force, true>},
    {{.letters = "i",
      .word = "interactive",
      .heading = kWhere,
      .text = "ask before an existing file is overwritten (overrides a -n before it)"},
     AskFirst},
    {{.letters = "n",
      .word = "no-clobber",
      .heading = kWhere,
      .text = "don't overwrite an existing file; wins over --update (overrides a -i "
              "before it)"},
     KeepExistingFiles},
    {{.letters = "u",
      .word = "update",
      .argument = Argument::kOptional,
      .argument_name = "UPDATE",
      .values = kUpdateWords,
      .heading = kWhere,
      .text = "which existing files to replace: 'all' (default), 'none', 'none-fail' "
              "(none, and each is an error), or 'older' than their SOURCE (also without "
              "UPDATE)"},
     SetToOptionalWord<&Options::update, kUpdates, Update::kOlder>},
    {{.word = "remove-destination",
      .heading = kWhere,
      .text = "remove each existing target file before it is copied to (not with -n)"},
     Set<&Options::remove_destination, true>},
    {{.letters = "b",
      .word = "backup",
      .argument = Argument::kOptional,
      .argument_name = "CONTROL",
      .values = kBackupWords,
      .heading = kWhere,
      .text = "keep each existing target file under another name: 'simple', with a "
              "suffix; 'numbered'; or 'existing' (default), numbered if there are such "
              "backups of it. The environment's VERSION_CONTROL is the default; 'none' "
              "makes no backup. Not with -n"},
     SetBackup},
    {{.letters = "S",
      .word = "suffix",
      .argument = Argument::kRequired,
      .argument_name = "SUFFIX",
      .heading = kWhere,
      .text = "make backups, the simple ones with SUFFIX (default: the environment's "
              "SIMPLE_BACKUP_SUFFIX, or '~')"},
     SetBackupSuffix},
    {{.word = "keep-directory-symlink",
      .heading = kWhere,
      .text =
          "copy a directory into the directory that a symbolic link in its place leads "
          "to"},
     Set<&Options::keep_directory_symlink, true>},
    {{.word = "sparse",
      .argument = Argument::kRequired,
      .argument_name = "WHEN",
      .values = kSparseWords,
      .heading = kWhere,
      .text =
          "let blocks of zeros take no room: 'auto' (default; where they take none in "
          "SOURCE), 'always', or 'never'"},
     SetToWord<&Options::sparse, kSparse>},
    {{.word = "reflink",
      .argument = Argument::kOptional,
      .argument_name = "WHEN",
      .values = kReflinkWords,
      .heading = kWhere,
      .text = "clone files, so that they share their blocks until one is written to: "
              "'auto' (default; copy where that can't be), 'always' (fail there; also "
              "without WHEN), or 'never'"},
     SetToOptionalWord<&Options::reflink, kReflinks, Reflink::kAlways>},
    {{.word = "direct",
      .heading = kWhere,
      .text = "copy files of more than a block past the page cache (O_DIRECT), where the "
              "file systems can, and leave nothing of the others in it",
      .is_gnu = false},
     Set<&Options::page_cache, PageCache::kBypass>},
    {{.word = "no-cache",
      .heading = kWhere,
      .text = "leave nothing of what is copied in the page cache",
      .is_gnu = false},
     SetNoCache},
};

}  // namespace

const std::vector<CopyOptionRow>& CopyOptionRows() {
  static const std::vector<CopyOptionRow> kAllRows = [] {
    std::vector<CopyOptionRow> all(std::begin(kRows), std::end(kRows));
    all.insert(all.end(), RunOptionRows().begin(), RunOptionRows().end());
    return all;
  }();
  return kAllRows;
}

std::vector<const OptionText*> CopyOptionTexts() {
  std::vector<const OptionText*> texts;
  for (const CopyOptionRow& row : CopyOptionRows()) texts.push_back(&row.text);
  return texts;
}

}  // namespace ringcp
