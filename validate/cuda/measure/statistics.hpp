// Samples of one state, when to stop taking them, and what is said of them. Host side only: no CUDA.
#pragma once

#include <vector>

#include "validate/cuda/measure/case.hpp"

namespace mlosim::measure {

// Sampling stops when the median is known to within `noise`, or the time of the state is used up.
struct Criterion {
  double noise = 0.005;  // standard error of the median over the median
  int min_samples = 10;
  int max_samples = 400;
  Seconds max_time{0.5};
};

struct Summary {
  Seconds median{0};
  double spread = 0;       // interquartile range over the median
  double uncertainty = 0;  // standard error of the median over the median
  int samples = 0;
};

// Quartiles by linear interpolation between order statistics. The standard error of the median is taken from the
// interquartile range as for a normal distribution: 1.2533 * (IQR / 1.349) / sqrt(n); robust to stray samples. Needs
// at least one sample.
Summary summarize(std::vector<double> seconds);

// Of at least one value.
double median(std::vector<double> values);

bool is_settled(const std::vector<double>& seconds, Seconds elapsed, const Criterion& criterion);

}  // namespace mlosim::measure
