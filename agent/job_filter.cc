#include "agent/job_filter.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/field_violations.h"
#include "proto/job_spec.h"

namespace ringcp {
namespace {

// Takes words off the front of a filter.
class FilterReader {
 public:
  explicit FilterReader(std::string_view text) : rest_(text) { SkipSpace(); }

  bool at_end() const { return rest_.empty(); }

  // The rest of the filter, shortened for a message.
  std::string Where() const {
    if (at_end()) return "at its end";
    return absl::StrCat("at '", absl::CHexEscape(std::string(rest_.substr(0, 32))), "'");
  }

  // A word without quotes, up to white space or '='; empty if there is none.
  std::string_view Word() {
    size_t length = 0;
    while (length < rest_.size() && rest_[length] != '=' && rest_[length] != '"' &&
           !absl::ascii_isspace(static_cast<unsigned char>(rest_[length]))) {
      ++length;
    }
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    SkipSpace();
    return word;
  }

  bool Equals() {
    if (!rest_.starts_with('=')) return false;
    rest_.remove_prefix(1);
    SkipSpace();
    return true;
  }

  // A word or a quoted text; nothing if there is neither.
  std::optional<std::string> Value() {
    if (!rest_.starts_with('"')) {
      const std::string_view word = Word();
      if (word.empty()) return std::nullopt;
      return std::string(word);
    }
    std::string value;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        SkipSpace();
        return value;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      value.push_back(rest_[i]);
    }
    return std::nullopt;
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() &&
           absl::ascii_isspace(static_cast<unsigned char>(rest_.front()))) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

}  // namespace

absl::StatusOr<JobFilter> JobFilter::Parse(std::string_view text) {
  constexpr std::string_view kField = "filter";
  constexpr std::string_view kLabelPrefix = "labels.";
  if (text.size() > kBytesMax) {
    return FieldViolation(kField, absl::StrCat("must be at most ", kBytesMax, " bytes"));
  }
  JobFilter filter;
  FilterReader reader(text);
  while (!reader.at_end()) {
    const std::string where = reader.Where();
    const std::string key(reader.Word());
    std::optional<std::string> value;
    if (reader.Equals()) value = reader.Value();
    if (!value.has_value()) {
      return FieldViolation(
          kField, absl::StrCat("must have state=STATE or labels.KEY=VALUE ", where));
    }
    if (key == "state") {
      v1::Job::State state;
      if (!v1::Job::State_Parse(*value, &state)) {
        return FieldViolation(kField, absl::StrCat("must name a state of a job ", where));
      }
      filter.states_.push_back(state);
    } else if (key.starts_with(kLabelPrefix) &&
               IsLabelKey(key.substr(kLabelPrefix.size()))) {
      filter.labels_.emplace_back(key.substr(kLabelPrefix.size()), *value);
    } else {
      return FieldViolation(
          kField, absl::StrCat("must have state=STATE or labels.KEY=VALUE ", where));
    }
    if (reader.at_end()) break;
    const std::string behind = reader.Where();
    if (reader.Word() != "AND" || reader.at_end()) {
      return FieldViolation(
          kField, absl::StrCat("must have AND between two conditions ", behind));
    }
  }
  return filter;
}

bool JobFilter::Matches(v1::Job::State state, const v1::JobSpec& spec) const {
  for (const v1::Job::State wanted : states_) {
    if (state != wanted) return false;
  }
  for (const auto& [key, value] : labels_) {
    const auto found = spec.labels().find(key);
    if (found == spec.labels().end() || found->second != value) return false;
  }
  return true;
}

}  // namespace ringcp
