// A GEMM plan as CTAs for the tile player: bands of tiles in the order in which the library's rasterisation visits
// them, each CTA a loop over k. The parameters are those of the closed form; waves, the tail, fill, the order of loads,
// reuse in the caches and what the memories serve when come out of the play.
#include <algorithm>

#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/play_kernel.hpp"

namespace mlosim::chip {
namespace {

constexpr std::size_t kA = 0, kW = 1;

// The parts of a split k one after the other, as the grid's last dimension; of each, one band of tiles after the other,
// and within a band, the tiles that a wave covers together.
std::vector<tile::Cta> raster(const GemmLayout& layout, std::uint32_t batch, std::uint32_t steps) {
  const auto grid_m = static_cast<std::uint32_t>(layout.grid_m), grid_n = static_cast<std::uint32_t>(layout.grid_n);
  const auto split = static_cast<std::uint32_t>(layout.split);
  const std::uint32_t outer = layout.w_streams ? grid_m : grid_n, inner = layout.w_streams ? grid_n : grid_m;
  const auto band =
      static_cast<std::uint32_t>(std::max(1.0, std::round(layout.w_streams ? layout.wave_m : layout.wave_n)));
  std::vector<tile::Cta> ctas;
  ctas.reserve(std::size_t{grid_m} * grid_n * split * batch);
  for (std::uint32_t z = 0; z < batch * split; ++z) {
    const std::uint32_t b = z / split, slice = z % split * steps;
    for (std::uint32_t first = 0; first < outer; first += band) {
      for (std::uint32_t i = 0; i < inner; ++i) {
        for (std::uint32_t o = first; o < std::min(outer, first + band); ++o) {
          const std::uint32_t m = layout.w_streams ? o : i, n = layout.w_streams ? i : o;
          ctas.push_back({.steps = steps, .first_slice = slice, .panel = {b * grid_m + m, b * grid_n + n}});
        }
      }
    }
  }
  return ctas;
}

}  // namespace

tile::Grid grid_of_gemm(const GemmProblem& p, const GemmLayout& layout, const KernelContext& context) {
  const PlayLimits limits(context);
  const spec::GemmParameters& g = p.g;
  const GemmCta cta = cta_of(p, layout);
  const double k_steps = std::max(1.0, std::round(layout.k_tile * p.ea / kStepBytes));
  const auto steps = static_cast<std::uint32_t>(std::min(k_steps, limits.steps_of(layout.ctas)));
  const double step = 1.0 / steps;
  const std::uint32_t slices = steps * static_cast<std::uint32_t>(layout.split);

  tile::Grid grid;
  grid.name = "gemm";
  const double panels_a = layout.grid_m * p.batch, panels_w = layout.grid_n * p.batch;
  grid.operands[kA] = {.panels = static_cast<std::uint32_t>(panels_a),
                       .slices = slices,
                       .slice = Bytes(p.activations / panels_a / slices),
                       .warm = p.hit_a};
  grid.operands[kW] = {.panels = static_cast<std::uint32_t>(panels_w),
                       .slices = slices,
                       .slice = Bytes(p.weights / panels_w / slices),
                       .warm = p.hit_w};
  tile::CtaKind kind;
  kind.prologue = Seconds(g.prologue / p.clock);
  kind.multiply = Seconds(cta.multiply * step / p.clock);
  kind.wait = Seconds(cta.wait * step / p.clock);
  kind.load = {Bytes(cta.load_a * step), Bytes(cta.load_w * step)};
  kind.cache_share = {cta.share_a, cta.share_w};
  kind.epilogue = Seconds(g.epilogue / p.clock);
  kind.store = Bytes(cta.store);
  kind.store_missing = layout.split > 1 ? p.eo / 4 / layout.split * (1 - p.hit_a) : 1 - p.hit_a;
  grid.kinds = {kind};
  grid.ctas = raster(layout, static_cast<std::uint32_t>(p.batch), steps);
  grid.units_per_cta = layout.tile.units;
  grid.resident = static_cast<std::int64_t>(layout.resident);
  grid.load_rate = g.unit_load * p.clock / Seconds(1);
  grid.in_flight = Bytes(cta.in_flight);
  grid.store_rate = g.epilogue_store * p.clock / Seconds(1);
  grid.exposed_ends = g.exposed_ends;
  grid.overlap_norm = g.overlap_norm;
  grid.memory_efficiency = p.hbm_rate / limits.memory_rate;
  grid.cache_efficiency = p.l2_rate / limits.cache_rate;
  grid.kept_share = g.warm_share;
  const double blocks =
      std::max(1.0, layout.active / static_cast<double>(layout.tile.units) / (layout.wave_m * layout.wave_n));
  grid.step_bytes = blocks * (layout.wave_m * grid.operands[kA].slice + layout.wave_n * grid.operands[kW].slice);
  grid.fixed = g.fixed;
  grid.merged_steps = PlayLimits::merged(k_steps, steps);
  return grid;
}

}  // namespace mlosim::chip
