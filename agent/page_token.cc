#include "agent/page_token.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/field_violations.h"

namespace ringcp {
namespace {

// FNV-1a: catches a token that is used in the wrong listing by mistake, but no forgery.
// It gives the same result everywhere.
uint64_t Digest(std::string_view text) {
  uint64_t digest = 14695981039346656037u;
  for (const char byte : text) {
    digest = (digest ^ static_cast<uint8_t>(byte)) * 1099511628211u;
  }
  return digest;
}

}  // namespace

PageTokens::PageTokens(std::string_view listing)
    : listing_digest_(absl::StrCat(absl::Hex(Digest(listing), absl::kZeroPad16))) {}

std::string PageTokens::Encode(int64_t position) const {
  return absl::StrCat(listing_digest_, "-", position);
}

absl::StatusOr<std::optional<int64_t>> PageTokens::Decode(std::string_view token) const {
  if (token.empty()) return std::nullopt;
  const size_t digest_size = listing_digest_.size();
  int64_t position = 0;
  if (token.size() > digest_size + 1 && token.substr(0, digest_size) == listing_digest_ &&
      token[digest_size] == '-' &&
      absl::SimpleAtoi(std::string(token.substr(digest_size + 1)), &position) &&
      position >= 0) {
    return position;
  }
  return FieldViolation("page_token",
                        "must be the next_page_token of the same request's last page");
}

absl::StatusOr<int> PageSize(int requested) {
  if (requested < 0) return FieldViolation("page_size", "must not be negative");
  return requested == 0 ? kPageSizeDefault : std::min(requested, kPageSizeMax);
}

}  // namespace ringcp
