// Collects what is wrong with a request, field by field, and makes it a status that a
// client can take apart: INVALID_ARGUMENT with a google.rpc.BadRequest as its payload.
//
// Thread-safety: a FieldViolations belongs to one thread at a time.

#ifndef RINGCP_PROTO_FIELD_VIOLATIONS_H_
#define RINGCP_PROTO_FIELD_VIOLATIONS_H_

#include <string_view>

#include "absl/status/status.h"
#include "third_party/google_rpc/rpc_status.pb.h"

namespace ringcp {

class FieldViolations {
 public:
  // The most violations that are reported; further ones are only counted. A status
  // travels in HTTP/2 trailers, of which gRPC's clients accept 8 KiB in total.
  static constexpr int kViolationsMax = 8;

  // `field` is named as a client writes it ("spec.sources[1]"); `description` continues
  // the sentence ("must be an absolute path"). Both are UTF-8 and at most about 150
  // bytes.
  void Add(std::string_view field, std::string_view description);

  bool empty() const { return count_ == 0; }

  // OK if there are no violations. The message is the first one, and how many more there
  // are.
  absl::Status ToStatus() const;

 private:
  google::rpc::BadRequest told_;
  int count_ = 0;
};

// The status for a single violation.
absl::Status FieldViolation(std::string_view field, std::string_view description);

}  // namespace ringcp

#endif  // RINGCP_PROTO_FIELD_VIOLATIONS_H_
