// Matrix products on systolic chips: dense, batched, and grouped by expert.
#include <algorithm>
#include <cmath>

#include "sim/chip/moe.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

constexpr Bytes kRegisterColumn(32);  // 8 sublanes of 4 bytes: what the second-minor dimension is padded to

double d(std::int64_t n) { return static_cast<double>(n); }

double row_granule_of(work::DType dtype) { return kRegisterColumn / work::bytes_per_element(dtype); }

// A product by its plan: what close_price needs of it.
struct TimedProduct {
  std::int64_t cores = 1;  // that work on it: more read shared operands more often
  tile::SystolicPlan plan;
  tile::GridTime time;
  tile::GridParts parts;
  Seconds busy;   // without its ends, and not below the time that its energy takes
  Seconds power;  // that time where it binds
};

// Time of a plan, not below the one that its energy takes.
struct PoweredTime {
  const work::OpWork& work;  // the product's own: a plan that reads more may be slower at the power cap
  const KernelContext& context;

  Seconds power(const tile::SystolicPlan& plan, const tile::GridTime& time) const {
    return power_time(context.chip, dynamic_energy(context.chip, work, plan.read + plan.written),
                      time.total - time.ends, context.sustained);
  }
  Seconds total(const tile::SystolicPlan& plan) const {
    return std::max(plan.estimate.total, plan.estimate.ends + power(plan, plan.estimate));
  }
};

TimedProduct time_product(const tile::ArrayProduct& product, const work::OpWork& work, const KernelContext& context,
                          const std::optional<tile::SystolicTile>& tile, Fidelity fidelity) {
  const PoweredTime powered{work, context};
  tile::SystolicMachine machine = tile::build_machine(context.chip);
  const auto plan_on = [&](std::int64_t cores) {
    machine.cores = cores;
    return tile::plan_product(machine, product, tile,
                              [&](const tile::SystolicPlan& plan) { return powered.total(plan); });
  };
  TimedProduct timed{};
  timed.cores = machine.cores;
  timed.plan = plan_on(timed.cores);
  for (std::int64_t cores = timed.cores / 2; cores >= 1; cores /= 2) {
    const tile::SystolicPlan fewer = plan_on(cores);
    if (powered.total(fewer) >= powered.total(timed.plan)) continue;
    timed.cores = cores;
    timed.plan = fewer;
  }
  machine.cores = timed.cores;
  if (fidelity == Fidelity::event) {
    for (tile::StepRun& run : timed.plan.grid.runs) run.step.matrix = tile::play_block(machine, timed.plan.block);
  }
  timed.time = time_grid(machine, timed.plan.grid, fidelity);
  timed.parts = tile::parts_of(machine, timed.plan.grid);
  const Seconds power = powered.power(timed.plan, timed.time);
  timed.busy = std::max(timed.time.total - timed.time.ends, power);
  if (power >= timed.busy) timed.power = power;
  return timed;
}

KernelPlan plan_of(const TimedProduct& timed) {
  const tile::SystolicPlan& systolic = timed.plan;
  KernelPlan plan;
  plan.tile_m = systolic.tile.m;
  plan.tile_n = systolic.tile.n;
  plan.tile_k = systolic.tile.k;
  plan.tiles = systolic.steps() * d(timed.cores);
  plan.waves = systolic.steps();
  plan.active_units = d(timed.cores);
  plan.device_read = systolic.read;
  plan.device_written = systolic.written;
  plan.shared_cache = systolic.read + systolic.written;
  return plan;
}

void add_times(ResourceTimes& times, const TimedProduct& timed) {
  times.matrix += timed.parts.matrix;
  times.hbm += timed.parts.memory;
  times.latency += timed.parts.scalar;
  times.power += timed.power;
}

}  // namespace

KernelPrice price_gemm_systolic(const work::Gemm& op, const KernelContext& context, Fidelity fidelity) {
  std::optional<tile::SystolicTile> tile;
  if (op.tiling.tile_m > 0) tile = {.m = op.tiling.tile_m, .n = op.tiling.tile_n, .k = op.tiling.tile_k};
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork work = work::work_of(op);
  const double copies = d(op.batch);
  const TimedProduct timed = time_product(
      {
          .m = d(op.m),
          .n = d(op.n),
          .k = d(op.k),
          .copies = copies,
          // A quantisation of the activations is fused: they are read in the format that they come in.
          .a = work::bytes_per_element(op.quantise_activations ? op.output : op.activations),
          .w = work::bytes_per_element(op.weights),
          .c = work::bytes_per_element(op.output) * (op.accumulates ? 2 : 1),
          .row_granule = row_granule_of(work.matrix_dtype),
          .rows_per_clk = tile::rows_per_clk(chip, require_matrix_rate(chip, work.matrix_dtype)),
      },
      work, context, tile, fidelity);
  ResourceTimes times{};
  add_times(times, timed);
  return close_price(context, work, plan_of(timed), times, timed.busy, chip.systolic.fixed + timed.time.ends);
}

KernelPrice price_grouped_systolic(const work::MoeGemm& op, const GroupedRows& group, const KernelContext& context,
                                   Fidelity fidelity) {
  const spec::ChipSpec& chip = context.chip;
  const double mean_rows = group.rows / group.experts;
  const std::vector<ExpertProduct> products = products_of(op, mean_rows);
  const auto volume_of = [&](const ExpertProduct& product) {
    return product.rows.value_or(mean_rows) * product.columns * product.depth;
  };
  double volume = 0;
  for (const ExpertProduct& product : products) volume += volume_of(product);
  KernelPlan plan;
  ResourceTimes times{};
  Seconds main, overhead;
  for (const ExpertProduct& expert : products) {
    const bool is_gradient = expert.rows.has_value();
    const tile::ArrayProduct product{
        .m = expert.rows.value_or(mean_rows),
        .n = expert.columns,
        .k = expert.depth,
        .copies = group.experts,
        .a = work::bytes_per_element(op.activations),
        .w = work::bytes_per_element(is_gradient ? op.activations : op.weights),
        .c = is_gradient ? Bytes(8) : Bytes(2),  // added to fp32 sums
        .row_granule = row_granule_of(group.work.matrix_dtype),
        .rows_per_clk = tile::rows_per_clk(chip, require_matrix_rate(chip, group.work.matrix_dtype)),
    };
    work::OpWork own = group.work;  // the product's share of it
    const double share = volume_of(expert) / volume;
    own.matrix *= share;
    own.vector *= share;
    const TimedProduct timed = time_product(product, own, context, std::nullopt, fidelity);
    main += timed.busy;
    overhead += chip.systolic.fixed + timed.time.ends;
    add_times(times, timed);
    const Bytes read = plan.device_read, written = plan.device_written;
    plan = plan_of(timed);
    plan.device_read += read;
    plan.device_written += written;
  }
  const Seconds permute = group.permuted / (chip.device_memory().bandwidth * chip.systolic.memory_efficiency);
  main += permute;
  times.hbm += permute;
  const int passes = op.pass == work::MoePass::weight_gradient ? 0 : op.pass == work::MoePass::up ? 1 : 2;
  overhead += passes * chip.systolic.fixed;
  plan.kernels = static_cast<int>(products.size()) + passes;  // permute, up with its activation, down, combine
  plan.device_read += group.permuted / 2;
  plan.device_written += group.permuted / 2;
  const Seconds power = power_time(chip, dynamic_energy(chip, group.work, plan.device_read + plan.device_written), main,
                                   context.sustained);
  if (power > main) times.power = power;
  return close_price(context, group.work, plan, times, std::max(main, power), overhead);
}

}  // namespace mlosim::chip
