// A bandwidth that all transfers share at every moment (processor sharing): HBM under many streams, a switched link.
//
// With W the sum of the weights of the flows under way, a flow of weight w moves at
//   w * min(flow_cap, rate / W)
// and ends when the integral of that equals its bytes. Virtual time V, the bytes moved by a flow of weight 1, has
// dV/dt = min(flow_cap, rate / W), and a flow that begins at V ends at V + bytes / w: a heap of these ends suffices,
// and a change of W or rate costs O(1); O(log n) a flow. After Parekh and Gallager, "A generalized processor sharing
// approach to flow control in integrated services networks", 1993.
//
// The fluid is exact to 2^-32 ps; only the moment at which a flow is told of its end is rounded up to a picosecond.
// One resource knows nothing of others: flows over several links need max-min sharing (sim/net).
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event/facts.hpp"
#include "sim/event/fluid.hpp"
#include "sim/event/simulator.hpp"

namespace mlosim::event {

class FairResource final : public Waitable {
 public:
  struct Spec {
    std::string name;
    BytesPerSecond rate;
    std::optional<BytesPerSecond> flow_cap = std::nullopt;  // the most that a flow of weight 1 can draw
    Span latency = Span();                                  // added to the end of each flow; holds no share
  };

  // Requires: rate >= 0 (0: nothing moves until it is set), flow_cap > 0, latency >= 0.
  FairResource(Simulator& sim, Spec spec);
  FairResource(const FairResource&) = delete;
  FairResource& operator=(const FairResource&) = delete;

  std::string_view kind() const override { return "transfer"; }
  std::string_view name() const override { return spec_.name; }

  // Begins a flow and fires `done` when it has ended. Requires: bytes >= 0, weight > 0.
  void start(Bytes bytes, Event& done, double weight = 1);

  class Transfer : public Waiter {
   public:
    Transfer(FairResource& resource, Bytes bytes, double weight)
        : resource_(resource), bytes_(bytes), weight_(weight) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, resource_);
      resource_.start(bytes_, *this, weight_);
    }
    void await_resume() { end_wait(); }

   private:
    FairResource& resource_;
    Bytes bytes_;
    double weight_;
  };
  // `co_await resource.transfer(bytes)`.
  Transfer transfer(Bytes bytes, double weight = 1) { return Transfer(*this, bytes, weight); }

  // Holds from now on, for the flows under way too.
  void set_rate(BytesPerSecond rate);

  std::size_t flow_count() const { return flows_.size(); }

  // Emitted when a flow ends; a flow starts when it arrives.
  Facts<TransferFact>& transfer_facts() { return transfer_facts_; }

 private:
  struct Flow {
    fluid::Wide end;         // in virtual time
    std::uint64_t sequence;  // flows that end together are told in the order of their arrival
    Event* done;
    double weight;
    Bytes bytes;
    Time arrived;

    friend bool operator>(const Flow& a, const Flow& b) {
      return a.end != b.end ? a.end > b.end : a.sequence > b.sequence;
    }
  };
  struct Wake : Timer {
    explicit Wake(FairResource& r) : Timer(&wake), resource(r) {}
    static void wake(Simulator& sim, Event& event);
    FairResource& resource;
  };

  void move_to_now();
  void end_first(fluid::Wide at);
  void arm();
  fluid::Wide end_of_first() const;
  double speed() const;

  Simulator& sim_;
  Spec spec_;
  Wake wake_;
  std::vector<Flow> flows_;  // min-heap
  double weights_ = 0;       // of the flows under way
  fluid::Wide moment_ = 0;   // up to which the fluid has moved
  fluid::Wide virtual_ = 0;  // virtual time at that moment, in 2^-32 bytes
  std::uint64_t started_ = 0;
  Facts<TransferFact> transfer_facts_;
};

}  // namespace mlosim::event
