#include "cli/preserve_options.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/argument_match.h"
#include "cli/option_actions.h"

namespace ringcp {
namespace {

// In the order of kAttributeWords.
enum Attribute : size_t {
  kModeAttribute,
  kTimestampsAttribute,
  kOwnershipAttribute,
  kLinksAttribute,
  kContextAttribute,
  kXattrAttribute,
  kAllAttributes,
};

void PreserveMode(bool on, CopyOptions* options) {
  options->preserve.mode = on;
  options->default_mode = !on;
}

void PreserveUsualAttributes(CopyOptions* options) {
  PreserveMode(true, options);
  options->preserve.ownership = true;
  options->preserve.timestamps = true;
}

// -a and --preserve=all take nothing back from what was asked for before.
template <typename Kept>
void PreserveAsWell(Kept as, Kept* kept) {
  const bool is_weaker = *kept == Kept::kReported && as == Kept::kTried;
  if (*kept == Kept::kNone || is_weaker) *kept = as;
}

void PreserveAttribute(size_t attribute, bool on, CopyOptions* options) {
  switch (attribute) {
    case kModeAttribute:
      PreserveMode(on, options);
      break;
    case kTimestampsAttribute:
      options->preserve.timestamps = on;
      break;
    case kOwnershipAttribute:
      options->preserve.ownership = on;
      break;
    case kLinksAttribute:
      options->preserve.links = on;
      break;
    case kContextAttribute:
      options->preserve.context = on ? Context::kRequired : Context::kNone;
      break;
    case kXattrAttribute:
      options->preserve.xattrs = on ? Xattrs::kRequired : Xattrs::kNone;
      break;
    case kAllAttributes:
      PreserveMode(on, options);
      options->preserve.timestamps = on;
      options->preserve.ownership = on;
      options->preserve.links = on;
      if (!on) {
        options->preserve.xattrs = Xattrs::kNone;
        options->preserve.context = Context::kNone;
      } else {
        PreserveAsWell(Xattrs::kReported, &options->preserve.xattrs);
        PreserveAsWell(Context::kReported, &options->preserve.context);
      }
      break;
  }
}

// Applies a comma-separated list of attributes: they are kept (`on`), or not.
absl::Status PreserveList(bool on, const OptionText& option, const char* argument,
                          ParsedOptions* parsed) {
  const std::vector<std::string> words = absl::StrSplit(argument, ',');
  for (const std::string& word : words) {
    absl::StatusOr<size_t> attribute =
        MatchArgument(absl::StrCat("--", option.word), word, option.values);
    if (!attribute.ok()) return attribute.status();
    PreserveAttribute(*attribute, on, &OptionsOf(parsed));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Preserve(const OptionText& option, const char* argument,
                      ParsedOptions* parsed) {
  if (argument != nullptr) return PreserveList(true, option, argument, parsed);
  PreserveUsualAttributes(&OptionsOf(parsed));
  return absl::OkStatus();
}

absl::Status DontPreserve(const OptionText& option, const char* argument,
                          ParsedOptions* parsed) {
  return PreserveList(false, option, argument, parsed);
}

absl::Status KeepLinksAsTheyAre(const OptionText&, const char*, ParsedOptions* parsed) {
  OptionsOf(parsed).dereference = Dereference::kNever;
  OptionsOf(parsed).preserve.links = true;
  return absl::OkStatus();
}

absl::Status Archive(const OptionText& option, const char*, ParsedOptions* parsed) {
  OptionsOf(parsed).recursive = true;
  PreserveUsualAttributes(&OptionsOf(parsed));
  PreserveAsWell(Xattrs::kTried, &OptionsOf(parsed).preserve.xattrs);
  PreserveAsWell(Context::kTried, &OptionsOf(parsed).preserve.context);
  return KeepLinksAsTheyAre(option, nullptr, parsed);
}

}  // namespace ringcp
