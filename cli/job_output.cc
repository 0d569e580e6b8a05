#include "cli/job_output.h"

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

std::string_view Word(ContentsRoute::Means means) {
  switch (means) {
    case ContentsRoute::Means::kNo:
      return "no";
    case ContentsRoute::Means::kYes:
      return "yes";
    case ContentsRoute::Means::kAvoided:
      return "avoided";
    case ContentsRoute::Means::kUnsupported:
      return "unsupported";
    case ContentsRoute::Means::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view Word(ContentsRoute::Holes holes) {
  switch (holes) {
    case ContentsRoute::Holes::kNotSought:
      return "no";
    case ContentsRoute::Holes::kAsked:
      return "SEEK_HOLE";
    case ContentsRoute::Holes::kZeros:
      return "zeros";
    case ContentsRoute::Holes::kAskedAndZeros:
      return "SEEK_HOLE + zeros";
    case ContentsRoute::Holes::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::string CopiedLine(std::string_view source, std::string_view target,
                       std::string_view backup) {
  return absl::StrCat(
      Quote(source), " -> ", Quote(target),
      backup.empty() ? "" : absl::StrCat(" (backup: ", Quote(backup), ")"));
}

std::string RouteLine(const ContentsRoute& route) {
  return absl::StrCat("copy offload: ", std::string(Word(route.server)),
                      ", reflink: ", std::string(Word(route.clone)),
                      ", sparse detection: ", std::string(Word(route.holes)));
}

}  // namespace ringcp
