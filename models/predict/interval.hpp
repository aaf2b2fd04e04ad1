// Intervals of predicted times, at kIntervalLevel: of one kernel from the residuals of its like, of a whole workload
// from those of its operators and what they have in common.
#pragma once

#include <string_view>
#include <vector>

#include "models/predict/evaluate.hpp"
#include "models/predict/residuals.hpp"
#include "models/predict/workload.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::predict {

inline constexpr double kIntervalLevel = 0.8;

struct Interval {
  Seconds low, high;
};

// Around key.time, which is inside; not below `bound`, where key.time itself is not.
Interval kernel_interval(const Residuals& residuals, const ResidualKey& key, Seconds bound);

// All the calls of one operator in a workload.
struct TimePart {
  std::string_view kind;  // parts of one kind have errors in common
  Seconds time;
  Quantiles quantiles;
};

// The ends of ln(measured / predicted) of a time that `parts` make up, by error propagation in the logarithm: with
// x_i = share_i · end_i, end² = Σ_ij ρ_ij x_i x_j. ρ is 1 for a part with itself, `within_kind` for parts of one kind,
// `across_kinds` otherwise; the distances to what was measured are those of one machine and go together within a kind.
// Conservative within a kind: `within_kind` is measured between rows of one operator, and taken for two of them as
// well. Wrong where parts overlap: they are counted one after the other.
Quantiles combine(const std::vector<TimePart>& parts, Seconds total, double within_kind, double across_kinds);

// Equal operators are one part, and so is the time that no operator accounts for. A network adds what its software does
// beside the operators, independently of them. Not below the operators' bounds, where the predicted time is not.
Interval workload_interval(const Residuals& residuals, const Evaluation& evaluation, Task task,
                           const spec::Hardware& hardware);

}  // namespace mlosim::predict
