// Plays one program on a machine and reads off its report: each phase of a prediction is one. Keeps the average power
// at the cap and tells the trace.
#pragma once

#include <string>

#include "sim/machine/price_book.hpp"
#include "sim/machine/program.hpp"
#include "sim/report/step_report.hpp"
#include "sim/report/trace.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

class StepPlayer {
 public:
  // `trace` may be null.
  StepPlayer(const spec::Hardware& hardware, report::TraceWriter* trace) : hardware_(hardware), trace_(trace) {}

  // `phase` is its name in the trace. Throws as PriceBook::price.
  report::StepReport play(const std::string& phase, const machine::Program& program, machine::PriceBook& prices);
  // The same with the host's launches taking what `launch` says.
  report::StepReport play(const std::string& phase, const machine::Program& program, machine::PriceBook& prices,
                          const spec::LaunchSpec& launch);

 private:
  const spec::Hardware& hardware_;
  report::TraceWriter* trace_;
};

}  // namespace mlosim::predict
