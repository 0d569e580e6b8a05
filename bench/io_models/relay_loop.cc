#include "bench/io_models/relay_loop.h"

#include <algorithm>

namespace ringcp::io_models {
namespace {

class RelayLoop {
 public:
  RelayLoop(std::vector<Relay>* relays, Readiness* readiness)
      : relays_(relays), readiness_(readiness), open_(relays->size()) {
    for (Relay& relay : *relays_) {
      const int highest = std::max(relay.reading(), relay.writing());
      if (by_descriptor_.size() <= static_cast<size_t>(highest)) {
        by_descriptor_.resize(highest + 1, nullptr);
      }
      by_descriptor_[relay.reading()] = &relay;
      by_descriptor_[relay.writing()] = &relay;
    }
  }

  absl::StatusOr<int64_t> Run() {
    for (const Relay& relay : *relays_) {
      absl::Status status = readiness_->Watch(relay.reading(), Interest::kRead);
      if (!status.ok()) return status;
    }
    std::vector<int> ready;
    while (open_ > 0) {
      absl::Status status = readiness_->Wait(&ready);
      for (size_t i = 0; status.ok() && i < ready.size(); ++i) {
        Relay* relay = by_descriptor_[ready[i]];
        if (relay->step() != Relay::Step::kEnded) status = GoOn(relay);
      }
      if (!status.ok()) return status;
    }
    return would_block_;
  }

 private:
  // Does as much as possible without waiting.
  absl::Status GoOn(Relay* relay) {
    const Relay::Step waited_for = relay->step();
    for (;;) {
      const Relay::Step before = relay->step();
      const absl::StatusOr<bool> blocked = relay->Call();
      if (!blocked.ok()) return blocked.status();
      if (relay->step() == Relay::Step::kEnded) {
        --open_;
        return Unwatch(*relay);
      }
      if (*blocked) {
        ++would_block_;
        return WaitFor(*relay, waited_for);
      }
      // One message is passed on. Finding out whether another one is there costs a call,
      // so that is done only if readiness is reported once.
      const bool passed = before == Relay::Step::kWrite && relay->step() != before;
      if (passed && !readiness_->tells_once()) return WaitFor(*relay, waited_for);
    }
  }

  // Watches for the relay's next step, unless `before` was the same.
  absl::Status WaitFor(const Relay& relay, Relay::Step before) {
    if (relay.step() == before) return absl::OkStatus();
    const bool reads = relay.step() == Relay::Step::kRead;
    if (relay.reading() != relay.writing()) {
      const int other = reads ? relay.writing() : relay.reading();
      absl::Status status = readiness_->Watch(other, Interest::kNone);
      if (!status.ok()) return status;
    }
    return readiness_->Watch(relay.descriptor(),
                             reads ? Interest::kRead : Interest::kWrite);
  }

  absl::Status Unwatch(const Relay& relay) {
    absl::Status status = readiness_->Watch(relay.reading(), Interest::kNone);
    if (!status.ok()) return status;
    return readiness_->Watch(relay.writing(), Interest::kNone);
  }

  std::vector<Relay>* const relays_;
  Readiness* const readiness_;
  std::vector<Relay*> by_descriptor_;
  size_t open_;
  int64_t would_block_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> ServeRelays(std::vector<Relay>* relays, Readiness* readiness) {
  return RelayLoop(relays, readiness).Run();
}

}  // namespace ringcp::io_models
