// A bandwidth that serves transfers one after another: a DMA engine, a bus, a link with in-order delivery.
//
//   start  = max(arrival, when one of the servers is free)        in the order of arrival
//   served = start + bytes / rate                                  exact: the server's time is not rounded
//   done   = served + latency                                      rounded up to a picosecond; latency holds no server
//
// The whole future of a transfer is known when it arrives: one event each. A new rate therefore holds for the transfers
// that arrive after it. Transfers that shall share the rate belong on a FairResource.
#pragma once

#include <coroutine>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event/facts.hpp"
#include "sim/event/fluid.hpp"
#include "sim/event/simulator.hpp"

namespace mlosim::event {

class FifoResource final : public Waitable {
 public:
  struct Spec {
    std::string name;
    BytesPerSecond rate;  // of each server
    Span latency;
    int servers = 1;
    StallReason when_busy = StallReason::link_bandwidth;  // what a wait for a server is called
  };

  // Requires: rate > 0, latency >= 0, servers >= 1.
  FifoResource(Simulator& sim, Spec spec);
  FifoResource(const FifoResource&) = delete;
  FifoResource& operator=(const FifoResource&) = delete;

  std::string_view kind() const override { return "transfer"; }
  std::string_view name() const override { return spec_.name; }

  // Takes the transfer up now and fires `done` when it has arrived; the time of that is returned. Requires: bytes >= 0.
  Time start(Bytes bytes, Event& done);

  class Transfer : public Waiter {
   public:
    Transfer(FifoResource& resource, Bytes bytes) : resource_(resource), bytes_(bytes) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, resource_);
      resource_.start(bytes_, *this);
    }
    void await_resume() { end_wait(); }

   private:
    FifoResource& resource_;
    Bytes bytes_;
  };
  // `co_await resource.transfer(bytes)`.
  Transfer transfer(Bytes bytes) { return Transfer(*this, bytes); }

  void set_rate(BytesPerSecond rate);

  // Both are emitted when the transfer is taken up, that is, ahead of its end.
  Facts<TransferFact>& transfer_facts() { return transfer_facts_; }
  Facts<StallFact>& stall_facts() { return stall_facts_; }

 private:
  Simulator& sim_;
  Spec spec_;
  std::vector<fluid::Wide> free_at_;  // min-heap, one a server
  Facts<TransferFact> transfer_facts_;
  Facts<StallFact> stall_facts_;
};

}  // namespace mlosim::event
