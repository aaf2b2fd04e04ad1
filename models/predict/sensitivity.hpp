// How a predicted time answers to the machine's parameters, by playing the workload again with one of them changed. Its
// kernels are priced in closed form (predict.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// The time of the workload on other hardware.
using TimeOf = std::function<Seconds(const spec::Hardware&)>;

class Sensitivity {
 public:
  // `hardware` is what `documents` decode to, and `base` its time; both must outlive this.
  Sensitivity(spec::HardwareDocuments documents, const spec::Hardware& hardware, Seconds base, TimeOf time_of)
      : documents_(std::move(documents)), hardware_(hardware), base_(base), time_of_(std::move(time_of)) {}

  // d ln time / d ln p over the numbers at `paths`, all scaled together, by a central difference of ±2 %, one-sided
  // where only one side is valid. Paths that the documents do not have count for nothing; none at all gives 0, and so
  // does less than a quarter of 0.001.
  double elasticity(const std::vector<std::string>& paths);

  // Bottlenecks from the time by resource, with the elasticity to the parameters behind each; largest share first.
  std::vector<Bottleneck> find_bottlenecks(const report::StepReport& report);

  // The derived and assumed numbers with an elasticity of at least 0.001, the twelve largest.
  std::vector<Assumption> find_assumptions();

 private:
  // The time with the numbers scaled; empty where there is none to scale or where the result is no valid spec.
  std::optional<Seconds> time_with(const std::vector<std::string>& paths, double factor);

  spec::HardwareDocuments documents_;  // changed and put back by time_with
  const spec::Hardware& hardware_;
  Seconds base_;
  TimeOf time_of_;
};

}  // namespace mlosim::predict
