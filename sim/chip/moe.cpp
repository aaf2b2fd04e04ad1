// A routed mixture-of-experts layer on one rank, in closed form from its plan (moe.hpp):
//
//   t = fixed + Σ_{up, down} ((waves·tile)⁴ + (weights·tb)⁴)^¼ + passes·permuted·tb
//   tile = main loop + ends,  waves = max(1, tiles/units + tail)
// The rank is the heaviest of ep (expert_load.hpp). Wrong for kernels that are tuned shape by shape.
#include <algorithm>
#include <cmath>

#include "sim/chip/moe.hpp"
#include "sim/chip/play_kernel.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

KernelPlan kernel_plan_of(const GroupedPlan& grouped, double units) {
  KernelPlan plan;
  plan.tile_m = grouped.row_tile;
  plan.tile_n = grouped.column_tile;
  plan.tiles = 0;
  Bytes weights;
  for (const GroupedGemm& gemm : grouped.gemms) {
    plan.tiles += gemm.tiles;
    weights += gemm.weights;
  }
  plan.waves = std::ceil(plan.tiles / units);
  plan.active_units = std::min(plan.tiles, units);
  plan.kernels = grouped.launches;
  plan.shared_cache = weights + grouped.permuted;
  plan.device_written = grouped.permuted * (1 - grouped.row_hit) / 2;
  plan.device_read = weights * (1 - grouped.weight_hit) + plan.device_written;
  return plan;
}

// All products, one grid after the other.
KernelPrice play_experts(const GroupedPlan& grouped, const KernelPlan& plan, Seconds permute,
                         const KernelContext& context) {
  std::vector<tile::Grid> grids;
  for (const GroupedGemm& gemm : grouped.gemms) grids.push_back(grid_of_experts(grouped, gemm, context));
  return play_kernel(grids, {.work = grouped.work, .plan = plan, .more = grouped.fixed + permute}, context);
}

KernelPrice price_moe_simt(const work::MoeGemm& op, const KernelContext& context, Fidelity fidelity) {
  const spec::ChipSpec& chip = context.chip;
  const GroupedPlan grouped = plan_moe(op, context);
  const auto units = static_cast<double>(chip.units);

  ResourceTimes times{};
  Seconds main;
  for (const GroupedGemm& gemm : grouped.gemms) {
    const double rounds = gemm.tiles / units;
    const Seconds compute = std::max(1.0, rounds + grouped.tail) * (gemm.main_loop + gemm.ends);
    const Seconds memory = stream_time(chip, gemm.weights, grouped.weight_hit, grouped.memory_efficiency);
    main += overlap(kExpertOverlap, compute, memory);
    times.matrix += rounds * gemm.main_loop;
    times.latency += compute - rounds * gemm.main_loop;
    times.hbm += memory;
  }
  const Seconds permute =
      stream_time(chip, grouped.permuted * grouped.passes, grouped.row_hit, chip.device_memory().efficiency);
  main += permute;
  times.hbm += permute;

  const KernelPlan plan = kernel_plan_of(grouped, units);
  double ctas = 0;  // of the largest product
  for (const GroupedGemm& gemm : grouped.gemms) ctas = std::max(ctas, gemm.tiles);
  const Joules dynamic = dynamic_energy(chip, grouped.work, plan.device_read + plan.device_written);
  const Seconds power = power_time(chip, dynamic, main, context.sustained);
  if (power > main) times.power = power;
  const KernelPrice closed = close_price(context, grouped.work, plan, times, std::max(main, power), grouped.fixed);
  if (fidelity == Fidelity::analytic || !PlayLimits::can_list(ctas) || !can_be_played(closed, context)) return closed;
  return play_experts(grouped, plan, permute, context);
}

}  // namespace

KernelPrice price_moe(const work::MoeGemm& op, const KernelContext& context, Fidelity fidelity) {
  if (context.chip.kind == spec::ChipKind::simt) return price_moe_simt(op, context, fidelity);
  const RankLoad rank = rank_load(op);
  return price_grouped_systolic(op,
                                {.experts = rank.active,
                                 .rows = rank.rows,
                                 .work = work_of_rank(op, rank),
                                 .permuted = permuted_bytes(op, rank.rows)},
                                context, fidelity);
}

}  // namespace mlosim::chip
