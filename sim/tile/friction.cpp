#include "sim/tile/friction.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace mlosim::tile {
namespace {

// (Σ xᵖ)^(1/p); the largest for p = 0.
double norm(double p, const std::array<double, 3>& parts) {
  const double most = *std::max_element(parts.begin(), parts.end());
  if (p <= 0 || most <= 0) return most;
  double sum = 0;
  for (const double x : parts) sum += std::pow(x / most, p);
  return most * std::pow(sum, 1 / p);
}

}  // namespace

Friction::Friction(const Grid& grid, const SimtChip& chip, double slots, double together)
    : grid_(grid), together_(together) {
  const auto units = static_cast<double>(grid.units_per_cta);
  double steps = 0, crossed = 0, moved = 0;
  std::array<std::vector<bool>, kOperands> is_used;
  for (std::size_t o = 0; o < kOperands; ++o) is_used[o].resize(grid.operands[o].panels);
  for (const Cta& cta : grid.ctas) {
    const CtaKind& kind = grid.kinds[cta.kind];
    steps += cta.steps;
    for (std::size_t o = 0; o < kOperands; ++o) {
      crossed += cta.steps * kind.load[o].si() * kind.cache_share[o] * units;
      if (kind.load[o] > Bytes(0) && cta.panel[o] != kNoPanel) is_used[o][cta.panel[o]] = true;
    }
    crossed += kind.store.si() * units;
    moved += kind.store.si() * units * kind.store_missing;
  }
  for (std::size_t o = 0; o < kOperands; ++o) {
    const Operand& operand = grid.operands[o];
    const auto used = static_cast<double>(std::count(is_used[o].begin(), is_used[o].end(), true));
    moved += used * operand.slices * operand.slice.si() * (1 - operand.warm);
  }
  const double in_turn = steps / slots;
  cache_ = crossed / (chip.levels.front().server.rate * grid.cache_efficiency) / in_turn;
  memory_ = moved / (chip.levels.back().server.rate * grid.memory_efficiency) / in_turn;
}

double Friction::of(const CtaKind& kind, double load) {
  if (known_kind_ == &kind && known_load_ == load) return known_;
  const std::array<double, 3> unit{kind.multiply.si() * together_, load * together_, kind.wait.si()};
  const double most = std::max({norm(0, unit), cache_, memory_});
  known_kind_ = &kind;
  known_load_ = load;
  known_ = most > 0 ? norm(grid_.shared_norm, {norm(grid_.overlap_norm, unit), cache_, memory_}) / most : 1;
  return known_;
}

}  // namespace mlosim::tile
