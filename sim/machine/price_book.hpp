// What each operator costs on a machine; equal operators are priced once. One book serves one machine and one state of
// the caches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/chip/kernel.hpp"
#include "sim/net/collective.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::machine {

// The price of a task: of a kernel (sim/chip) or of a collective (sim/net).
struct TaskPrice {
  Seconds time;
  Seconds overhead;                                   // part of `time` that is launch, start, end or protocol
  Seconds bound;                                      // no task takes less
  chip::Resource limiter = chip::Resource::latency;   // of the part that is no overhead
  chip::Resource bound_by = chip::Resource::latency;  // of the whole
  Joules dynamic_energy;                              // of one chip; static power is drawn all the time (sim/report)
  Joules fabric_energy{}, scale_out_energy{};         // of what one chip sends; not under its power cap
  chip::ChipUse use{};                                // of its chip, beside `overhead`
  int kernels = 1;                                    // that the host launches
  bool is_collective = false;
  std::optional<chip::KernelPrice> kernel{};  // none of a collective
  std::string detail{};                       // tile plan or algorithm: "128x256 split 2", "ring LL128"
};

// How an operator is priced.
struct PriceOptions {
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  chip::OperandState operands;
  bool sustained = false;
  bool custom_all_reduce = true;               // the runtime's own all-reduce is taken where it has one
  std::int64_t max_events = chip::kMaxEvents;  // of the play of one kernel
  std::string_view kernel = {};  // that ran, by the name that the runtime's profile gives it; empty: as it chooses
};

// One operator's price. Throws spec::InputError for an operator that the machine cannot run.
TaskPrice price_operator(const work::Operator& op, const spec::Hardware& hardware, const PriceOptions& options);

// What the network says of a collective: the runtime's own all-reduce or the library's. Throws as price_operator.
net::CollectivePrice price_collective(const work::Collective& op, const spec::Hardware& hardware,
                                      const PriceOptions& options);

class PriceBook {
 public:
  PriceBook(const spec::Hardware& hardware, chip::Fidelity fidelity, chip::OperandState operands, bool sustained)
      : hardware_(hardware), options_{.fidelity = fidelity, .operands = operands, .sustained = sustained} {}

  PriceBook(const spec::Hardware& hardware, const PriceOptions& options) : hardware_(hardware), options_(options) {}

  // Throws as price_operator.
  const TaskPrice& price(const work::Operator& op);

  // To be called where numbers of the network have changed in place, but none of the chip or the runtime.
  void forget_collectives();

  const spec::Hardware& hardware() const { return hardware_; }
  const PriceOptions& options() const { return options_; }
  std::uint64_t events() const { return events_; }  // played for the prices so far

 private:
  const spec::Hardware& hardware_;
  PriceOptions options_;
  std::map<work::Operator, TaskPrice> prices_;
  std::uint64_t events_ = 0;
};

}  // namespace mlosim::machine
