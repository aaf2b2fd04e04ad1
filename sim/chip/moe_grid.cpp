// A grouped product as CTAs for the tile player: the row tiles of each expert times its column tiles. Experts with more
// rows have more tiles; what is left over in the last wave, and weights that row tiles of one expert share, come out of
// the play.
#include <algorithm>
#include <cmath>

#include "sim/chip/play_kernel.hpp"

namespace mlosim::chip {

tile::Grid grid_of_experts(const GroupedPlan& plan, const GroupedGemm& gemm, const KernelContext& context) {
  const PlayLimits limits(context);
  constexpr double kSteps = 4;  // enough for the weights to stream beside the products
  const auto steps = static_cast<std::uint32_t>(std::min(kSteps, limits.steps_of(gemm.tiles)));
  const auto columns = static_cast<std::uint32_t>(gemm.column_tiles);

  tile::Grid grid;
  grid.name = "experts";
  // Loads that stand for several experts of equal rows may stand for a part of one: whole experts are handed out.
  std::uint32_t experts = 0;
  double owed = 0;
  for (const ExpertLoad& load : plan.rank.loads) {
    owed += load.experts;
    const double rows = gemm.rows.value_or(load.tokens);
    const auto row_tiles = static_cast<std::uint32_t>(std::ceil(rows / static_cast<double>(plan.row_tile)));
    for (; owed > 0.5; owed -= 1, ++experts) {
      for (std::uint32_t c = 0; c < columns; ++c) {
        for (std::uint32_t r = 0; r < row_tiles; ++r)
          grid.ctas.push_back({.steps = steps, .panel = {experts * columns + c, tile::kNoPanel}});
      }
    }
  }
  if (grid.ctas.empty()) {  // less than half an expert on average
    experts = 1;
    for (std::uint32_t c = 0; c < columns; ++c) grid.ctas.push_back({.steps = steps, .panel = {c, tile::kNoPanel}});
  }
  const double panels = static_cast<double>(experts) * columns;
  const Bytes slice = gemm.shared / (panels * steps);
  const Bytes once = (gemm.weights - gemm.shared) / static_cast<double>(grid.ctas.size());
  grid.operands[0] = {.panels = experts * columns, .slices = steps, .slice = slice, .warm = plan.weight_hit};
  grid.kinds = {{.prologue = gemm.ends,
                 .multiply = gemm.main_loop / steps,
                 .wait = {},
                 .load = {slice},
                 .epilogue = {},
                 .store = once}};
  // Uneven waves leave half a tile's time on average; a library's tail beyond that is of tiles slower than others.
  const double rounds = gemm.tiles / static_cast<double>(context.chip.units);
  const double late = std::max(1.0, rounds + plan.tail) - std::max(1.0, rounds + kUnevenWaves);
  grid.straggle = std::max(0.0, late) * (gemm.main_loop + gemm.ends);
  grid.shared_norm = kExpertOverlap;
  grid.memory_efficiency = plan.memory_efficiency;
  grid.cache_efficiency = context.chip.first_shared_cache()->efficiency;
  grid.kept_share = context.chip.last_cache()->reuse_share;
  grid.step_bytes = static_cast<double>(context.chip.units) * slice;
  grid.merged_steps = PlayLimits::merged(kSteps, steps);
  return grid;
}

}  // namespace mlosim::chip
