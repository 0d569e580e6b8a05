#include "proto/job_spec.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/file_error.h"
#include "proto/field_violations.h"
#include "proto/options_conversion.h"
#include "proto/path_codec.h"
#include "proto/unknown_fields.h"

namespace ringcp {
namespace {

// Whether `path`, an absolute path, names something that is different in each process.
// The client's /dev/stdout, for example, would be the agent's own one, most likely its
// log.
bool IsOwnOfEachProcess(const std::string& path) {
  std::vector<absl::string_view> names;
  for (const absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (name == "." || (name == ".." && names.empty())) continue;
    if (name == "..") {
      names.pop_back();
    } else {
      names.push_back(name);
    }
  }
  if (names.size() < 2) return false;
  if (names[0] == "proc") return names[1] == "self" || names[1] == "thread-self";
  return names[0] == "dev" && (names[1] == "stdin" || names[1] == "stdout" ||
                               names[1] == "stderr" || names[1] == "fd");
}

void ReadPath(std::string_view text, std::string_view field, std::string* path,
              FieldViolations* violations) {
  auto decoded = PathFromApi(text);
  if (decoded.ok()) {
    *path = *std::move(decoded);
    if (IsOwnOfEachProcess(*path)) {
      violations->Add(field, absl::StrCat("must not be ", Quote(*path),
                                          ", which is the agent's own there; "
                                          "copy it without an agent"));
    }
  } else {
    violations->Add(field, std::string(decoded.status().message()));
  }
}

void CheckLabels(const v1::JobSpec& spec, FieldViolations* violations) {
  if (spec.labels_size() > kLabelsMax) {
    violations->Add("spec.labels", absl::StrCat("must be at most ", kLabelsMax));
    return;
  }
  for (const auto& [key, value] : spec.labels()) {
    // A wrong key may hold any bytes, and any number of them.
    const auto field = [&key = key] {
      return absl::StrCat("spec.labels[", absl::CHexEscape(key.substr(0, 32)), "]");
    };
    if (!IsLabelKey(key)) {
      violations->Add(field(), "must have a key that matches [a-z][a-z0-9_-]{0,62}");
    }
    if (value.size() > kLabelValueBytesMax) {
      violations->Add(field(),
                      absl::StrCat("must be at most ", kLabelValueBytesMax, " bytes"));
    }
  }
}

// Reads all of `spec`; the result is meaningful only if there are no violations.
CopyRequest ReadSpec(const v1::JobSpec& spec, FieldViolations* violations) {
  CopyRequest request;
  RefuseUnknownFields(spec, "spec", violations);
  if (spec.ByteSizeLong() > kSpecBytesMax) {
    violations->Add("spec", absl::StrCat("must be at most ", kSpecBytesMax, " bytes"));
  }
  if (spec.sources().empty()) {
    violations->Add("spec.sources", "must have at least one path");
  } else if (spec.sources_size() > kSourcesMax) {
    violations->Add("spec.sources",
                    absl::StrCat("must have at most ", kSourcesMax, " paths"));
  } else {
    request.sources.resize(spec.sources_size());
    for (int i = 0; i < spec.sources_size(); ++i) {
      ReadPath(spec.sources(i), absl::StrCat("spec.sources[", i, "]"),
               &request.sources[i], violations);
    }
  }
  ReadPath(spec.target(), "spec.target", &request.target, violations);
  request.options = ReadOptions(spec.options(), violations);
  if (request.options.target_kind == TargetKind::kNotDirectory &&
      spec.sources_size() > 1) {
    violations->Add("spec.options.target_kind",
                    "must not be NOT_DIRECTORY with more than one source");
  }
  CheckLabels(spec, violations);
  return request;
}

absl::Status WritePath(std::string_view path, std::string_view field, std::string* text) {
  auto encoded = PathToApi(path);
  if (!encoded.ok()) {
    return FieldViolation(field, std::string(encoded.status().message()));
  }
  *text = *std::move(encoded);
  return absl::OkStatus();
}

}  // namespace

bool IsLabelKey(std::string_view key) {
  if (key.empty() || key.size() > kLabelKeyBytesMax) return false;
  if (!absl::ascii_islower(static_cast<unsigned char>(key[0]))) return false;
  for (const unsigned char byte : key) {
    if (!absl::ascii_islower(byte) && !absl::ascii_isdigit(byte) && byte != '_' &&
        byte != '-') {
      return false;
    }
  }
  return true;
}

absl::Status ValidateJobSpec(const v1::JobSpec& spec) {
  FieldViolations violations;
  ReadSpec(spec, &violations);
  return violations.ToStatus();
}

absl::Status ValidateRequestId(std::string_view request_id) {
  if (request_id.size() <= kRequestIdBytesMax) return absl::OkStatus();
  return FieldViolation("request_id",
                        absl::StrCat("must be at most ", kRequestIdBytesMax, " bytes"));
}

absl::StatusOr<CopyRequest> CopyRequestFromSpec(const v1::JobSpec& spec, mode_t umask) {
  FieldViolations violations;
  CopyRequest request = ReadSpec(spec, &violations);
  if (!violations.empty()) return violations.ToStatus();
  request.options.umask = umask;
  return request;
}

absl::StatusOr<v1::JobSpec> SpecFromCopyRequest(const CopyRequest& request) {
  v1::JobSpec spec;
  for (size_t i = 0; i < request.sources.size(); ++i) {
    absl::Status status = WritePath(
        request.sources[i], absl::StrCat("spec.sources[", i, "]"), spec.add_sources());
    if (!status.ok()) return status;
  }
  absl::Status status = WritePath(request.target, "spec.target", spec.mutable_target());
  if (!status.ok()) return status;
  WriteOptions(request.options, spec.mutable_options());
  return spec;
}

}  // namespace ringcp
