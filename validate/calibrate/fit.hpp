// Bounded, robust least squares over some of an objective's parameters, by Ceres. Knows nothing of which answers can be
// trusted (identify.hpp) nor of where they are written.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "validate/calibrate/objective.hpp"

namespace mlosim::calibrate {

struct FitOptions {
  double loss_scale = 0.05;  // errors beyond about 5 % count by their size, smaller ones by their square
  int most_iterations = 25;
  std::function<bool()> stop = [] { return false; };  // asked between steps
};

struct Fit {
  std::vector<double> values;  // SI, of the free parameters
  double cost = 0;             // mean robust loss of the rows
};

// Σ ρ(r²) / 2n with ρ(s) = 2·scale²·(√(1 + s/scale²) − 1): quadratic for small r, linear for large ones.
double robust_cost(const std::vector<double>& residuals, double scale);

// Fits the parameters `free` from `start` to the rows at `subset`; all others stay as in `setting`. The result is never
// worse than the start, whose cost it is after an early stop.
Fit fit(const Objective& objective, const Setting& setting, const std::vector<std::size_t>& free,
        const std::vector<double>& start, const std::vector<std::size_t>& subset, const FitOptions& options);

}  // namespace mlosim::calibrate
