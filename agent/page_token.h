// Page tokens: where a listing goes on, as a text that means nothing to the client. A
// token is good for the listing that gave it out; in another one (another filter, another
// job, another run of the agent) it is refused instead of skipping something silently.
//
// Thread-safety: a PageTokens doesn't change once it is made.

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
  // `listing` is all that tells this listing from another.
  explicit PageTokens(std::string_view listing);

  std::string Encode(int64_t position) const;

  // The position that was encoded; nothing for an empty token, which is the first page's.
  // INVALID_ARGUMENT naming the field "page_token" when it isn't one of this listing.
  absl::StatusOr<std::optional<int64_t>> Decode(std::string_view token) const;

 private:
  std::string listing_digest_;
};

// Items on a page when a request says 0, and at most.
inline constexpr int kPageSizeDefault = 100;
inline constexpr int kPageSizeMax = 1000;

// Bytes of the items on a page; a page ends early when it gets there, but holds at least
// one item. gRPC's clients accept 4 MiB.
inline constexpr size_t kPageBytesMax = 3 * 1024 * 1024;

// How many items a page has for `requested`, or INVALID_ARGUMENT naming "page_size" when
// it is negative.
absl::StatusOr<int> PageSize(int requested);

}  // namespace ringcp

#endif  // RINGCP_AGENT_PAGE_TOKEN_H_
