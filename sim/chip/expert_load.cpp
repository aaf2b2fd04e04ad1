#include "sim/chip/expert_load.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::chip {
namespace {

constexpr std::int64_t kQuantiles = 64;  // more experts than these are priced in equal groups
constexpr double kUpperQuartile = 0.25;  // of a stratum, counted from its most popular expert
constexpr double kMostPopular = 0.8;  // share of the tokens that the most popular expert gets at most, before scaling

double d(std::int64_t n) { return static_cast<double>(n); }

// Popularity of the expert at a rank, 0 the most popular; ranks may be fractions.
class Pareto {
 public:
  Pareto(double exponent, double least, double most, double experts)
      : shape_(1 - exponent),
        least_(least),
        log_range_(std::log(std::max(1.0, most / least))),
        grown_(std::expm1(shape_ * log_range_)),
        experts_(experts) {}

  double at(double rank) const {
    const double quantile = 1 - (rank + 0.5) / experts_;
    constexpr double kFlat = 1e-9;  // an exponent of 1 is uniform in the logarithm
    const double log = std::abs(shape_) < kFlat ? quantile * log_range_ : std::log1p(quantile * grown_) / shape_;
    return least_ * std::exp(log);
  }

 private:
  double shape_, least_, log_range_, grown_, experts_;
};

// Ranks first, first + step, … stand for `weight` experts each.
struct Ranks {
  double first = 0, step = 1, weight = 1;
  std::int64_t count = 0;
};

void add_loads(std::vector<ExpertLoad>& loads, const Pareto& popularity, const Ranks& ranks) {
  for (std::int64_t i = 0; i < ranks.count; ++i)
    loads.push_back({.experts = ranks.weight, .tokens = popularity.at(ranks.first + d(i) * ranks.step)});
}

// Factor that scales popularities to `rows` in all when none may exceed `most`.
double scale_to(const std::vector<ExpertLoad>& loads, double rows, double most) {
  double scale = 0;
  double capped_rows = 0, free = 0;
  for (const ExpertLoad& load : loads) free += load.experts * load.tokens;
  // Popularities fall along the list, so those at the limit are its head.
  for (const ExpertLoad& load : loads) {
    scale = (rows - capped_rows) / free;
    if (scale * load.tokens <= most) break;
    capped_rows += load.experts * most;
    free -= load.experts * load.tokens;
  }
  return scale;
}

// Popularities of the experts of the heaviest of ep groups.
std::vector<ExpertLoad> heaviest_group(const Pareto& popularity, const work::MoeGemm& op) {
  std::vector<ExpertLoad> group{{.experts = 1, .tokens = popularity.at(0)}};
  const std::int64_t others = std::max<std::int64_t>(1, op.experts / op.ep) - 1;
  if (others == 0) return group;
  const std::int64_t strata = std::min(others, kQuantiles);
  const double stride = d(op.experts - 1) / d(strata);
  add_loads(group, popularity,
            {.first = 1 + kUpperQuartile * stride, .step = stride, .weight = d(others) / d(strata), .count = strata});
  return group;
}

std::vector<ExpertLoad> power_law_loads(const work::MoeGemm& op) {
  const double tokens = d(op.tokens), rows = tokens * d(op.topk);
  const bool sparse = rows <= d(op.experts);
  const Pareto popularity(op.exponent, sparse ? 0.01 : 1, sparse ? 2 : kMostPopular * tokens, d(op.experts));

  std::vector<ExpertLoad> all;
  const std::int64_t parts = std::min(op.experts, kQuantiles);
  const double part = d(op.experts) / d(parts);
  add_loads(all, popularity, {.first = (part - 1) / 2, .step = part, .weight = part, .count = parts});
  const double scale = scale_to(all, rows, tokens);

  const auto round_all = [&](std::vector<ExpertLoad>& loads) {
    double sum = 0;
    for (ExpertLoad& load : loads) {
      load.tokens = std::round(std::min(tokens, scale * load.tokens));
      sum += load.experts * load.tokens;
    }
    return sum;
  };
  std::vector<ExpertLoad> own = op.ep > 1 ? heaviest_group(popularity, op) : all;
  const double unassigned = std::max(0.0, rows - round_all(all));
  round_all(own);
  // Rows that rounding has left over go to idle experts, one each; the heaviest rank gets a deviation more than its
  // share.
  const double share = unassigned / d(op.ep);
  const double extra = op.ep > 1 ? share + std::sqrt(share) : share;
  double idle = std::max(1.0, d(op.experts) / d(op.ep));
  for (const ExpertLoad& load : own) idle -= load.tokens > 0 ? load.experts : 0;
  const bool empty = own.front().tokens <= 0;
  if (extra > 0 && idle > 0)
    own.push_back({.experts = std::min(idle, empty ? std::max(1.0, extra) : extra), .tokens = 1});
  return own;
}

}  // namespace

std::vector<ExpertLoad> heaviest_rank_loads(const work::MoeGemm& op) {
  if (op.distribution == work::ExpertDistribution::power_law) return power_law_loads(op);
  const double experts = std::max(1.0, d(op.experts) / d(op.ep));
  const double rows = d(op.tokens) * d(op.topk) / d(op.ep);
  const double reached = std::clamp(std::ceil(rows), 1.0, experts);
  return {{.experts = reached, .tokens = std::max(1.0, rows / reached)}};
}

}  // namespace mlosim::chip
