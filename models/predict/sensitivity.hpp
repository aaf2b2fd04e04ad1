// How a predicted time answers to the machine's parameters, by playing the workload again with one of them changed. Its
// kernels are priced in closed form (predict.hpp).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// The time of the workload on other hardware.
using TimeOf = std::function<Seconds(spec::Hardware)>;

// How the time answers to one number of the spec.
struct Elasticity {
  std::string parameter;  // "chip.hbm.bandwidth"
  double value = 0;       // d ln time / d ln p
};

// The time where one number has been changed.
struct Trial {
  Seconds time;
  std::string value;  // of the number, as text
};

class Sensitivity {
 public:
  // `hardware` is what `documents` decode to, and `base` its time; both must outlive this.
  Sensitivity(spec::HardwareDocuments documents, const spec::Hardware& hardware, Seconds base, TimeOf time_of)
      : documents_(std::move(documents)),
        hardware_(hardware),
        unchanged_{.system = hardware.system, .runtime = hardware.runtime, .provenance = {}},
        base_(base),
        time_of_(std::move(time_of)) {}

  // d ln time / d ln p over the numbers at `paths`, all scaled together, by a central difference of ±2 %, one-sided
  // where only one side is valid. Paths that the documents do not have count for nothing; none at all gives 0, and so
  // does less than a quarter of 0.001.
  double elasticity(const std::vector<std::string>& paths);

  // Bottlenecks from the time by resource, with the elasticity to the parameters behind each; largest share first.
  std::vector<Bottleneck> find_bottlenecks(const report::StepReport& report);

  // The derived and assumed numbers with an elasticity of at least 0.001, the twelve largest.
  std::vector<Assumption> find_assumptions();

  // All numbers of the machine and its software whose elasticity is at least `least` either way, largest first: each
  // by a central difference, counts of 16 and more by the whole numbers nearest to ±2 %.
  std::vector<Elasticity> find_elasticities(double least);

  // The time with one number `factor` times as large (counts rounded); empty where the result is no valid spec, or no
  // machine that the workload runs on.
  std::optional<Trial> try_factor(const std::string& path, double factor);

 private:
  using Paths = std::span<const std::string>;

  // The documents with the i-th number scaled by factor(i), decoded; empty where there is none to scale. Mistakes are
  // collected in `decoding`.
  std::optional<spec::Hardware> scaled(Paths paths, const std::function<double(std::size_t)>& factor,
                                       spec::Decoding& decoding);
  // The time with the numbers scaled; empty where there is none to scale or where the result is no valid spec.
  std::optional<Seconds> time_with(Paths paths, const std::function<double(std::size_t)>& factor);
  // Leaves out the numbers that are invalid on both sides, such as counts.
  std::vector<std::string> with_neighbours(std::vector<std::string> paths);
  // Of one number, whole or not.
  double elasticity_of(const std::string& path);
  // Appends the numbers that the time may depend on to `found`: sequential bifurcation (Bettonville and Kleijnen 1997).
  // Numbers that change nothing when they are scaled together, each by a factor of its own so that no two cancel,
  // change nothing alone; others are halved down to one or two. `matter`: together they are known to change something.
  void sift(Paths paths, bool matter, std::vector<std::string>& found);

  spec::HardwareDocuments documents_;  // changed and put back by scaled
  const spec::Hardware& hardware_;
  spec::Hardware unchanged_;  // without the provenance, to be copied
  Seconds base_;
  TimeOf time_of_;
};

}  // namespace mlosim::predict
