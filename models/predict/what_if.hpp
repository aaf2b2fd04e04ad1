// How a workload's time answers to each number of its machine: the elasticity of every one that matters, what one of
// them would have to become to halve the time, and which numbers the answer is least sure of. All by pricing the
// workload again on the changed machine, in closed form; used by `mlosim explain`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/setting.hpp"
#include "models/predict/workload.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/provenance.hpp"

namespace mlosim::predict {

// A number of the machine or of its software.
struct ParameterFacts {
  std::string parameter;  // "chip.hbm.bandwidth"
  std::string value;      // as written
  spec::SourceKind kind = spec::SourceKind::assumed;
  std::string source;
  double elasticity = 0;   // of the time: d ln t / d ln p
  double uncertainty = 0;  // of the number, relative: one standard deviation
  double effect() const;   // |elasticity| · uncertainty: of the time
};

// The smallest change of one number that halves the time.
struct HalvedBy {
  std::string parameter;
  std::string value;             // as written
  std::optional<double> factor;  // none: none within reach halves it
  std::string needed;            // value at that factor, or at the best
  double best = 1;               // share of the time that is left at the best
};

struct WhatIf {
  std::vector<ParameterFacts> elasticities;  // of 0.005 and more either way, largest first
  std::vector<HalvedBy> halved_by;           // by factor, those that cannot last
  std::vector<ParameterFacts> doubts;        // by effect, those of 0.1 % and more
  double doubt = 0;                          // of the time from all of them, as if independent
};

// Relative uncertainty of a number by the kind of its source, from hw_specs/uncertainty.yaml.
using UncertaintyTable = std::map<spec::SourceKind, double>;

// Empty where the library has no such file: nothing is in doubt. Throws spec::InputError.
UncertaintyTable read_uncertainty(const spec::Library& library);
UncertaintyTable decode_uncertainty(spec::Node node);

// A fitted number's own standard error where its source says one ("se 5.8 %"), else that of its kind.
double uncertainty_of(const spec::Provenance& provenance, const UncertaintyTable& table);

WhatIf ask_what_if(const Workload& workload, const Setting& setting, chip::Fidelity fidelity,
                   const UncertaintyTable& table);

}  // namespace mlosim::predict
