#include "validate/compare/disagreement.hpp"

#include <algorithm>
#include <cmath>

#include "validate/compare/score.hpp"

namespace mlosim::compare {

double log_apart(const ScoredRow& row) { return std::log(row.predicted / *row.analytic); }

Disagreement disagreement_of(const std::vector<const ScoredRow*>& rows) {
  Disagreement d;
  std::vector<double> apart;
  for (const ScoredRow* row : rows) {
    if (!row->analytic) continue;
    const double event = row->predicted / row->measured - 1, analytic = *row->analytic / row->measured - 1;
    d.event_mape += std::abs(event);
    d.event_bias += event;
    d.analytic_mape += std::abs(analytic);
    d.analytic_bias += analytic;
    d.bias += log_apart(*row);
    apart.push_back(std::abs(log_apart(*row)));
  }
  d.rows = apart.size();
  if (apart.empty()) return d;
  for (double* sum : {&d.event_mape, &d.event_bias, &d.analytic_mape, &d.analytic_bias, &d.bias})
    *sum /= static_cast<double>(d.rows);
  d.median = percentile(apart, 0.5);
  d.p90 = percentile(apart, 0.9);
  return d;
}

std::vector<std::size_t> most_apart(const std::vector<ScoredRow>& rows, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].analytic) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(log_apart(rows[a])) > std::abs(log_apart(rows[b]));
  });
  order.resize(std::min(order.size(), count));
  return order;
}

}  // namespace mlosim::compare
