// Page tokens say where a listing goes on, in a text that means nothing to the client. A
// token is valid only for the listing that issued it; another listing (another filter,
// another job, another run of the agent) refuses the token instead of silently skipping
// items.
//
// Thread-safety: a PageTokens is immutable.

#ifndef RINGCP_AGENT_PAGE_TOKEN_H_
#define RINGCP_AGENT_PAGE_TOKEN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringcp {

class PageTokens {
 public:
  // `listing` is everything that tells this listing from others.
  explicit PageTokens(std::string_view listing);

  std::string Encode(int64_t position) const;

  // The position that was encoded; nothing for an empty token, which asks for the first
  // page. INVALID_ARGUMENT naming the field "page_token" if `token` is not from this
  // listing.
  absl::StatusOr<std::optional<int64_t>> Decode(std::string_view token) const;

 private:
  std::string listing_digest_;
};

// Items on a page: the number if a request says 0, and the maximum.
inline constexpr int kPageSizeDefault = 100;
inline constexpr int kPageSizeMax = 1000;

// The most bytes of the items on a page. A page ends before it exceeds them, but holds at
// least one item. gRPC's clients accept 4 MiB.
inline constexpr size_t kPageBytesMax = 3 * 1024 * 1024;

// How many items a page has for `requested`, or INVALID_ARGUMENT naming "page_size" if
// that is negative.
absl::StatusOr<int> PageSize(int requested);

}  // namespace ringcp

#endif  // RINGCP_AGENT_PAGE_TOKEN_H_
