// The prediction of one measured row, under the protocol that it was measured by.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/machine/price_book.hpp"
#include "sim/spec/hardware.hpp"
#include "validate/suite/measurement.hpp"

namespace mlosim::compare {

// How finely kernels are priced.
struct Fineness {
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  std::int64_t max_events = chip::kMaxEvents;  // of the play of one kernel
};

// Under the row's protocol: the kernel's price and what else was timed. `price` is the kernel's own.
struct RowPrediction {
  Seconds time;
  Watts power;  // mean of the chip over `time`
  machine::TaskPrice price;
};

// Throws spec::InputError where the machine cannot run the operator.
RowPrediction predict_row(const suite::Measurement& row, const spec::Hardware& hardware, const Fineness& fineness = {});

// The machines that rows ran on, read once each: a system with a runtime's kernels and a version of its collectives.
class Machines {
 public:
  // Reads what the rows of the tables need. A row of a system that there is none of is moved to its table's `skipped`;
  // throws spec::InputError where a system, chip or runtime that there is has mistakes.
  Machines(const spec::Library& library, std::vector<suite::Table>& tables);

  const spec::Hardware& of(const suite::Measurement& row) const;
  // What was wrong and has a way round: a runtime that there is none of.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // system, runtime, version of the collectives
  static Key key_of(const suite::Measurement& row);
  spec::Hardware read(const spec::Library& library, const suite::Measurement& row);

  std::map<Key, spec::Hardware> machines_;
  std::vector<std::string> warnings_;  // each once
};

}  // namespace mlosim::compare
