// How many tokens the experts of one rank get. Deterministic: quantiles of the distribution, no drawing.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/work/operator.hpp"

namespace mlosim::chip {

// `experts` of them get `tokens` rows each. Fractions are averages.
struct ExpertLoad {
  double experts = 0;
  double tokens = 0;
};

// The loads of the rank that sets the pace.
// balanced: tokens·topk/experts each; fewer rows than experts reach one expert each.
// power_law: popularities are quantiles of a truncated Pareto of the exponent on [1, 0.8·tokens], on [0.01, 2] where
// there are fewer rows than experts, scaled to tokens·topk rows in whole tokens, at most `tokens` each. Of ep groups it
// is the heaviest: the most popular expert and, of each ep-th part of the others, the upper quartile, which meets the
// expected heaviest group of random assignments within about 8 %.
std::vector<ExpertLoad> heaviest_rank_loads(const work::MoeGemm& op);

}  // namespace mlosim::chip
