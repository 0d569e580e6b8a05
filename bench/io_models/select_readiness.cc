// select(2): sets of bits, which the kernel reads and overwrites at each call, for
// descriptors below FD_SETSIZE (1024).

#include <sys/select.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {
namespace {

class SelectReadiness : public Readiness {
 public:
  SelectReadiness() {
    FD_ZERO(&reading_);
    FD_ZERO(&writing_);
  }

  absl::Status Watch(int descriptor, Interest interest) override {
    if (descriptor >= FD_SETSIZE) {
      return absl::UnavailableError(absl::StrCat("select: descriptor ", descriptor,
                                                 " is not below FD_SETSIZE (", FD_SETSIZE,
                                                 ")"));
    }
    FD_CLR(descriptor, &reading_);
    FD_CLR(descriptor, &writing_);
    if (interest == Interest::kRead) FD_SET(descriptor, &reading_);
    if (interest == Interest::kWrite) FD_SET(descriptor, &writing_);
    count_ = std::max(count_, descriptor + 1);
    return absl::OkStatus();
  }

  absl::Status Wait(std::vector<int>* ready) override {
    ready->clear();
    fd_set readable = reading_;
    fd_set writable = writing_;
    if (select(count_, &readable, &writable, nullptr, nullptr) < 0) {
      return errno == EINTR ? absl::OkStatus() : Failure("select", errno);
    }
    for (int descriptor = 0; descriptor < count_; ++descriptor) {
      if (FD_ISSET(descriptor, &readable) || FD_ISSET(descriptor, &writable)) {
        ready->push_back(descriptor);
      }
    }
    return absl::OkStatus();
  }

 private:
  fd_set reading_;
  fd_set writing_;
  int count_ = 0;  // The highest descriptor ever watched, plus one.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Readiness>> MakeSelectReadiness() {
  return std::make_unique<SelectReadiness>();
}

}  // namespace ringcp::io_models
