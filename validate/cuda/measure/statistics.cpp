#include "validate/cuda/measure/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace mlosim::measure {
namespace {

// Of sorted samples, at a fraction between 0 and 1.
double quantile(const std::vector<double>& sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

}  // namespace

Summary summarize(std::vector<double> seconds) {
  if (seconds.empty()) throw std::logic_error("a summary of no samples");
  std::sort(seconds.begin(), seconds.end());
  const double median = quantile(seconds, 0.5);
  const double range = quantile(seconds, 0.75) - quantile(seconds, 0.25);
  const double deviation = range / 1.349;  // of a normal distribution with this interquartile range
  const double error = 1.2533 * deviation / std::sqrt(static_cast<double>(seconds.size()));
  const auto relative = [median](double x) {
    if (median > 0) return x / median;
    return x > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  };
  return {.median = Seconds(median),
          .spread = relative(range),
          .uncertainty = relative(error),
          .samples = static_cast<int>(seconds.size())};
}

double median(std::vector<double> values) { return summarize(std::move(values)).median.count(); }

bool is_settled(const std::vector<double>& seconds, Seconds elapsed, const Criterion& criterion) {
  const auto samples = static_cast<int>(seconds.size());
  if (samples == 0) return false;
  if (elapsed >= criterion.max_time || samples >= criterion.max_samples) return true;
  return samples >= criterion.min_samples && summarize(seconds).uncertainty <= criterion.noise;
}

}  // namespace mlosim::measure
