// Facts: what the model says of itself while it runs, as typed records; every report is a reader of facts.
//
// A model owns one Facts<F> for each kind of fact and emits; an Observer<F> attached to it is told, in the order of
// attachment. Without observers an emission is one predicted branch, and the fact is not even built. Records of streams
// and kernels are defined where those are (sim/machine); here are the facts of the resources of this folder.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/event/time.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::event {

template <class Fact>
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(const Fact& fact) = 0;
};

template <class Fact>
class Facts {
 public:
  // The observer must outlive the emissions.
  void attach(Observer<Fact>& observer) { observers_.push_back(&observer); }
  bool is_observed() const { return !observers_.empty(); }

  // Tells every observer the fact that `build()` returns; `build` is not called when there is none.
  template <class Build>
  void emit(Build&& build) const {
    if (observers_.empty()) [[likely]]
      return;
    const Fact fact = build();
    for (Observer<Fact>* observer : observers_) observer->observe(fact);
  }

 private:
  std::vector<Observer<Fact>*> observers_;
};

// Why something that could work does not: the whole vocabulary of bottlenecks.
enum class StallReason : std::uint8_t {
  dependency,         // an operand or an earlier task is not done
  launch,             // the host has not issued it yet
  slot,               // no SM, MXU or queue entry is free
  memory_capacity,    // no room in registers, shared memory, VMEM or HBM
  compute,            // the arithmetic units are busy
  on_chip_bandwidth,  // shared memory, VMEM or L2 is saturated
  memory_bandwidth,   // HBM or DRAM is saturated
  link_bandwidth,     // a link, switch or NIC is saturated
  latency,            // a request is under way and nothing is saturated
  synchronization,    // a barrier or collective waits for its slowest member
  throttle,           // a power or thermal limit holds the clock down
};

std::string_view name_of(StallReason reason);

// Bytes that have moved through a resource. It waited from `arrived` to `started`.
struct TransferFact {
  std::string_view resource;  // valid during the emission
  Bytes bytes;
  Time arrived;
  Time started;
  Time finished;
};

// Something waited. Emitted when the end of the wait is known, which may be ahead of it.
struct StallFact {
  std::string_view who;  // valid during the emission
  StallReason reason;
  Time from;
  Time until;
};

}  // namespace mlosim::event
