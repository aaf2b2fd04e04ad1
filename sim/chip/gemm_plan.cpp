#include <fmt/format.h>

#include <algorithm>

#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/play_kernel.hpp"
#include "sim/chip/pricing.hpp"

namespace mlosim::chip {
namespace {

constexpr double kSplitMargin = 1.02;        // a split plan must be cheaper by this factor besides split_preference
constexpr double kMostAccumulators = 65536;  // fp32 elements of a unit's register file or tensor memory

// What the library compares plans by.
double preference_of(const GemmProblem& p, double time, double split) {
  return split > 1 ? time * kSplitMargin + p.g.split_preference.si() : time;
}

// The tile that the author of a kernel has fixed.
spec::GemmTile tile_of(const work::Gemm& op, const GemmProblem& p) {
  const work::Tiling& tiling = op.tiling;
  spec::GemmTile tile{.n = tiling.tile_n, .m = tiling.tile_m};
  if (p.g.operand_path == spec::OperandPath::tensor_memory && tiling.cluster_m * tiling.cluster_n > 1) tile.units = 2;
  const double elements = static_cast<double>(tile.m * tile.n / tile.units);
  if (elements > kMostAccumulators) {
    throw spec::InputError(fmt::format("a tile of {}x{} has {:.0f} accumulators a unit", tile.m, tile.n, elements),
                           fmt::format("a unit holds {:.0f} in fp32", kMostAccumulators));
  }
  const double staged = static_cast<double>(std::max<std::int64_t>(1, tiling.stages) * tiling.tile_k) *
                        (static_cast<double>(tile.m) * p.ea + static_cast<double>(tile.n) * p.ew) /
                        static_cast<double>(tile.units);
  if (staged > p.scratchpad) {
    throw spec::InputError(
        fmt::format("{} stages of {}x{}x{} take {:.0f} KiB of shared memory", std::max<std::int64_t>(1, tiling.stages),
                    tile.m, tile.n, tiling.tile_k, staged / 1024),
        fmt::format("a unit has {:.0f} KiB for them", p.scratchpad / 1024));
  }
  return tile;
}

// Prices plans in the order of the library's lists and hands on those that the visitor's limit does not rule out.
//   visit(layout, cost, preference);  limit(): the preference above which a plan is of no use
template <class Visit, class Limit>
void each_plan(const work::Gemm& op, const GemmProblem& p, const KernelContext& context, Visit visit, Limit limit) {
  const spec::GemmParameters& g = p.g;
  const double chunks = p.chunks(), least = least_time(p);
  const bool may_split = p.m * p.n * p.k >= static_cast<double>(g.splits_from_volume);
  const auto offer = [&](const GemmLayout& layout) {
    const GemmCost cost = estimate_gemm(p, layout, context, limit());
    visit(layout, cost, preference_of(p, cost.total(), layout.split));
  };
  if (op.tiling.tile_m > 0) {
    const spec::GemmTile tile = tile_of(op, p);
    return offer(lay_out(p, tile, static_cast<double>(std::max<std::int64_t>(1, op.tiling.split_k))));
  }
  for (const spec::GemmTile& tile : g.tiles) {
    if (op.m < tile.least_rows || op.m > tile.most_rows) continue;
    const double tiles = std::ceil(p.m / static_cast<double>(tile.m)) * std::ceil(p.n / static_cast<double>(tile.n));
    for (const std::int64_t split : g.splits) {
      const double s = static_cast<double>(split);
      if (op.tiling.split_k > 0
              ? split != op.tiling.split_k
              : split > 1 && (!may_split || s > std::max(1.0, chunks / 4) || tiles * p.batch > 2 * p.units))
        continue;
      // Most splits lose by their reduction alone; what is left to price is a third.
      if (split > 1 && preference_of(p, least + reduction_time(p, s), s) >= limit()) continue;
      offer(lay_out(p, tile, s));
    }
  }
  if (op.m == 1) {
    for (const std::int64_t rows : g.vector_rows) offer(lay_out_vector(p, static_cast<double>(rows)));
  }
}

}  // namespace

GemmChoice plan_gemm(const work::Gemm& op, const GemmProblem& p, const KernelContext& context) {
  GemmChoice best;
  bool is_offered = false;
  each_plan(
      op, p, context,
      [&](const GemmLayout& layout, const GemmCost& cost, double preference) {
        if (preference < best.preference || !is_offered)
          best = {.layout = layout, .cost = cost, .preference = preference};
        is_offered = true;
      },
      [&] { return best.preference; });
  if (!is_offered) {
    throw spec::InputError(
        fmt::format("{} has no GEMM kernel that splits k in {}", context.chip.name, op.tiling.split_k),
        fmt::format("it has those that split it in {}", fmt::join(p.g.splits, ", ")));
  }
  return best;
}

std::vector<GemmChoice> best_gemm_plans(const work::Gemm& op, const GemmProblem& p, const KernelContext& context,
                                        std::size_t count) {
  std::vector<GemmChoice> plans;
  each_plan(
      op, p, context,
      [&](const GemmLayout& layout, const GemmCost& cost, double preference) {
        plans.push_back({.layout = layout, .cost = cost, .preference = preference});
      },
      [] { return std::numeric_limits<double>::infinity(); });
  std::stable_sort(plans.begin(), plans.end(),
                   [](const GemmChoice& a, const GemmChoice& b) { return a.preference < b.preference; });
  if (plans.size() > count) plans.resize(count);
  return plans;
}

KernelPlan describe_gemm(const work::Gemm& op, const GemmProblem& p, const GemmChoice& choice) {
  const GemmLayout& layout = choice.layout;
  KernelPlan plan;
  plan.tile_n = layout.tile.n;
  plan.tile_m = layout.tile.m;
  plan.tile_k = op.tiling.tile_k > 0 ? op.tiling.tile_k : static_cast<std::int64_t>(kStepBytes / p.ea);
  plan.units_per_tile = layout.tile.units;
  plan.split = static_cast<std::int64_t>(layout.split);
  plan.tiles = layout.ctas;
  plan.waves = layout.rounds;
  plan.active_units = layout.active;
  plan.per_unit = layout.per_unit;
  plan.resident = layout.resident;
  plan.stages = op.tiling.stages > 0 ? static_cast<double>(op.tiling.stages) : layout.vector_rows > 0 ? 0 : p.stages;
  plan.kernels = 1 + (plan.split > 1 ? 1 : 0) + (op.quantise_activations ? 1 : 0);
  plan.device_read = Bytes(choice.cost.read);
  plan.device_written = Bytes(choice.cost.written);
  plan.shared_cache = Bytes(choice.cost.l2_bytes);
  return plan;
}

KernelPrice price_gemm_plan(const work::Gemm& op, const GemmProblem& p, const GemmChoice& choice,
                            const KernelContext& context, Fidelity fidelity) {
  const GemmCost& cost = choice.cost;
  const Seconds more = Seconds(cost.reduction) + quantiser_time(op, p, context);
  const Seconds overhead = p.g.fixed + Seconds(cost.ends()) + more;
  const ResourceTimes times{.matrix = Seconds(cost.matrix),
                            .vector = {},
                            .l2 = Seconds(std::max(cost.l2, cost.load)),
                            .hbm = Seconds(cost.hbm),
                            .latency = Seconds(cost.steps),
                            .power = Seconds(cost.power)};
  const KernelPrice closed =
      close_price(context, work::work_of(op), describe_gemm(op, p, choice), times, Seconds(cost.main), overhead);
  if (fidelity == Fidelity::analytic || !PlayLimits::can_list(choice.layout.ctas) || !can_be_played(closed, context))
    return closed;
  return play_kernel({grid_of_gemm(p, choice.layout, context)},
                     {.work = closed.work, .plan = closed.plan, .more = more, .overlap_norm = p.g.overlap_norm},
                     context);
}

KernelPrice price_gemm_simt(const work::Gemm& op, const KernelContext& context, Fidelity fidelity) {
  const GemmProblem p = pose_gemm(op, context);
  return price_gemm_plan(op, p, plan_gemm(op, p, context), context, fidelity);
}

std::vector<PlanEstimate> best_plans(const work::Operator& op, const KernelContext& context, std::size_t count) {
  const auto* gemm = std::get_if<work::Gemm>(&op);
  if (!gemm || context.chip.kind != spec::ChipKind::simt) return {};
  const GemmProblem p = pose_gemm(*gemm, context);
  std::vector<PlanEstimate> plans;
  for (const GemmChoice& choice : best_gemm_plans(*gemm, p, context, count)) {
    const KernelPrice price = price_gemm_plan(*gemm, p, choice, context, Fidelity::analytic);
    plans.push_back({.plan = price.plan,
                     .time = price.time,
                     .preference = price.time + Seconds(choice.preference - choice.cost.total())});
  }
  return plans;
}

}  // namespace mlosim::chip
