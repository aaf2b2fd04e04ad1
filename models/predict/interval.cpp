#include "models/predict/interval.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace mlosim::predict {
namespace {

constexpr std::string_view kHost = "host";  // the kind of what no operator accounts for

Interval interval_around(Seconds time, const Quantiles& quantiles, Seconds bound) {
  return {.low = std::min(time, std::max(time * std::exp(quantiles.lower()), bound)),
          .high = time * std::exp(quantiles.upper())};
}

// Σ_ij ρ_ij x_i x_j, sorted by what i and j have in common.
class CorrelatedSum {
 public:
  void add(std::string_view kind, double x) {
    squares_ += x * x;
    by_kind_[kind] += x;
    sum_ += x;
  }

  double squared(double within_kind, double across_kinds) const {
    double kinds = 0;
    for (const auto& [kind, x] : by_kind_) kinds += x * x;
    return (1 - within_kind) * squares_ + (within_kind - across_kinds) * kinds + across_kinds * sum_ * sum_;
  }

 private:
  double squares_ = 0, sum_ = 0;
  std::map<std::string_view, double> by_kind_;
};

std::vector<TimePart> parts_of(const Residuals& residuals, const Evaluation& evaluation,
                               const spec::Hardware& hardware) {
  struct Calls {
    Seconds time;
    double count = 0;
  };
  std::map<work::Operator, Calls> by_op;
  Seconds accounted;
  for (const report::OpTotal& op : evaluation.total.ops) {
    Calls& calls = by_op[op.op];
    calls.time += op.time;
    calls.count += op.count;
    accounted += op.time;
  }
  std::vector<TimePart> parts;
  for (const auto& [op, calls] : by_op) {
    if (calls.time <= Seconds(0)) continue;
    const ResidualKey key = residual_key(op, hardware, calls.time / calls.count);
    parts.push_back({.kind = kind_of(work::name_of(op)), .time = calls.time, .quantiles = residuals.of(key)});
  }
  const double host = residuals.table().host.value;
  if (evaluation.total.makespan > accounted) {
    parts.push_back(
        {.kind = kHost, .time = evaluation.total.makespan - accounted, .quantiles = {.low = -host, .high = host}});
  }
  return parts;
}

}  // namespace

Interval kernel_interval(const Residuals& residuals, const ResidualKey& key, Seconds bound) {
  return interval_around(key.time, residuals.of(key), bound);
}

Quantiles combine(const std::vector<TimePart>& parts, Seconds total, double within_kind, double across_kinds) {
  CorrelatedSum low, high, distance;
  for (const TimePart& part : parts) {
    const double share = part.time / total;
    low.add(part.kind, share * part.quantiles.low);
    high.add(part.kind, share * part.quantiles.high);
    distance.add(part.kind, share * part.quantiles.distance);
  }
  return {.low = -std::sqrt(low.squared(within_kind, across_kinds)),
          .high = std::sqrt(high.squared(within_kind, across_kinds)),
          .distance = std::sqrt(distance.squared(1, across_kinds))};
}

Interval workload_interval(const Residuals& residuals, const Evaluation& evaluation, Task task,
                           const spec::Hardware& hardware) {
  const ResidualTable& table = residuals.table();
  const Seconds total = evaluation.total.makespan;
  // Beside each other, operators have parts of the time that add up to more than it; no sum of their bounds holds then.
  Seconds accounted, sum_of_bounds, largest_bound;
  for (const report::OpTotal& op : evaluation.total.ops) {
    accounted += op.time;
    sum_of_bounds += op.bound * op.count;
    largest_bound = std::max(largest_bound, op.bound * op.count);
  }
  const bool overlaps = accounted > total * (1 + 1e-9);
  Quantiles ends = combine(parts_of(residuals, evaluation, hardware), overlaps ? accounted : total, table.within_kind,
                           table.across_kinds);
  if (task != Task::ops) ends.distance = std::hypot(ends.distance, table.network.value);
  return interval_around(total, ends, overlaps ? largest_bound : sum_of_bounds);
}

}  // namespace mlosim::predict
