#include <algorithm>

#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

constexpr double kAccumulatorTile =
    32768;                               // elements of output tile that fit a unit's registers or tensor memory at once
constexpr double kMostResident = 8;      // CTAs per unit
constexpr double kWarpTile = 64;         // side of the output that one warp's mma.sync covers
constexpr double kThreads = 16;          // along each side of a tile that vector lanes compute
constexpr double kOperandRate = 64;      // bytes per clk that the multipliers take from shared memory or registers
constexpr double kReductionShare = 0.5;  // of the L2 rate that the split-K reduction reaches
constexpr double kGemvVectorFlops = 256;      // per clk and unit, where no matrix unit is used
constexpr double kGemvResident = 16;          // CTAs per unit, of 128 threads
constexpr double kGemvInFlight = 0.4 * 4096;  // bytes that one CTA keeps in flight

double norm(double p, double a, double b, double c) { return overlap(p, Seconds(a), Seconds(b), Seconds(c)).si(); }

// Bytes that the multipliers take from shared memory or registers per k of one unit's tile.
double operand_bytes(const spec::GemmTile& tile, const GemmProblem& p) {
  const double a = static_cast<double>(tile.n), b = static_cast<double>(tile.m);
  switch (p.g.operand_path) {
    case spec::OperandPath::shared_memory:
      return (std::min(a, 64.0) + b) * p.ea * std::ceil(a / 64);
    case spec::OperandPath::tensor_memory:
      return (a + b) * p.ea / static_cast<double>(tile.units);
    case spec::OperandPath::register_file:
      return a * b * p.ea * (1 / std::min(kWarpTile, a / 2) + 1 / std::min(kWarpTile, b / 2));
    case spec::OperandPath::vector_lanes:
      return a * b * p.ea * (1 / std::max(1.0, a / kThreads) + 1 / std::max(1.0, b / kThreads));
  }
  MLOSIM_CHECK(false);
}

// The block of tiles that a wave covers is near to a square of rows; the waves go along the side that leaves less to
// read again.
void order_waves(const GemmProblem& p, GemmLayout& layout) {
  const double a = static_cast<double>(layout.tile.n), b = static_cast<double>(layout.tile.m);
  layout.wave_n = std::clamp(std::sqrt(layout.active * b / a), 1.0, layout.grid_n);
  layout.wave_m = std::clamp(layout.active / layout.wave_n, 1.0, layout.grid_m);
  layout.wave_n = std::clamp(layout.active / layout.wave_m, 1.0, layout.grid_n);
  const double passes_w = p.weights < p.half_cache ? 1 : std::ceil(layout.grid_m / layout.wave_m);
  const double passes_a = p.activations < p.half_cache ? 1 : std::ceil(layout.grid_n / layout.wave_n);
  layout.w_streams = p.weights * passes_w + p.activations <= p.weights + p.activations * passes_a;
  layout.passes = layout.w_streams ? passes_w : passes_a;
}

double device_reads(const GemmProblem& p, const GemmLayout& layout) {
  return p.weights * (1 - p.hit_w) + p.activations * (1 - p.hit_a) +
         (layout.w_streams ? p.weights : p.activations) * (layout.passes - 1);
}

// Bytes per clk that reach a unit: what it requests ahead, over the latency, capped.
double load_rate(const GemmProblem& p, const GemmLayout& layout, const GemmCta& cta) {
  const double hit = (cta.load_w * p.hit_w + cta.load_a * p.hit_a) / (cta.load_w + cta.load_a);
  const double latency = p.l2_latency * hit + p.hbm_latency * (1 - hit);
  return std::min(p.g.unit_load.si(), layout.resident * cta.in_flight / latency);
}

}  // namespace

GemmLayout lay_out(const GemmProblem& p, const spec::GemmTile& tile, double split) {
  const double a = static_cast<double>(tile.n), b = static_cast<double>(tile.m), pair = static_cast<double>(tile.units);
  GemmLayout layout{.tile = tile, .split = split};
  layout.grid_m = std::ceil(p.m / b);
  layout.grid_n = std::ceil(p.n / a);
  layout.ctas = layout.grid_m * layout.grid_n * p.batch * split;
  layout.per_unit = std::ceil(layout.ctas * pair / p.units);
  layout.active = std::min(layout.ctas * pair, p.units);
  layout.places = std::clamp(std::floor(kAccumulatorTile * pair / (a * b)), 1.0, kMostResident);
  layout.resident = std::min(layout.per_unit, layout.places);
  layout.rounds = std::ceil(layout.per_unit / layout.resident);
  layout.k_tile = std::ceil(p.chunks() / split) * p.chunk;
  order_waves(p, layout);
  return layout;
}

GemmLayout lay_out_vector(const GemmProblem& p, double rows) {
  GemmLayout layout{.tile = {.n = static_cast<std::int64_t>(rows), .m = 1}, .vector_rows = rows};
  layout.grid_n = std::ceil(p.n / rows);
  layout.ctas = layout.grid_n * p.batch;
  layout.per_unit = std::ceil(layout.ctas / p.units);
  layout.active = std::min(layout.ctas, p.units);
  layout.places = kGemvResident;
  layout.resident = std::min(layout.per_unit, layout.places);
  layout.rounds = std::ceil(layout.per_unit / layout.resident);
  layout.k_tile = p.k;
  layout.wave_n = layout.active;
  return layout;
}

GemmCta cta_of(const GemmProblem& p, const GemmLayout& layout) {
  const spec::GemmParameters& g = p.g;
  GemmCta cta;
  if (layout.vector_rows > 0) {
    cta.multiply = 2 * layout.vector_rows * p.k / kGemvVectorFlops;
    cta.load_w = layout.vector_rows * p.ew * p.k;
    cta.in_flight = kGemvInFlight;
    return cta;
  }
  const double a = static_cast<double>(layout.tile.n), b = static_cast<double>(layout.tile.m);
  const double pair = static_cast<double>(layout.tile.units);
  const double products = 2 * a * b * layout.k_tile / (pair * p.flops_per_clk * g.matrix_efficiency);
  const double operands = operand_bytes(layout.tile, p) * layout.k_tile * g.operand_limit / kOperandRate;
  const bool has_long_rows = g.long_row > Bytes(0) && p.k * p.ea >= g.long_row.si();
  cta.multiply = std::max(products, operands) * (has_long_rows ? g.long_row_slowdown : 1);
  cta.wait = g.k_step * layout.k_tile * p.ea / kStepBytes;
  const double bytes_per_k = (a * p.ew + b * p.ea) / pair;
  cta.load_w = a * p.ew / pair * layout.k_tile;
  cta.load_a = b * p.ea / pair * layout.k_tile;
  cta.in_flight = std::min(p.scratchpad / layout.resident,
                           std::min(p.stages * bytes_per_k * kStepBytes / p.ea, layout.k_tile * bytes_per_k));
  const bool in_clusters =
      g.operand_path == spec::OperandPath::shared_memory || g.operand_path == spec::OperandPath::tensor_memory;
  const bool multicasts = in_clusters && p.may_multicast && (a >= b ? layout.grid_m : layout.grid_n) >= 2 * pair;
  if (multicasts) (a >= b ? cta.share_w : cta.share_a) = 0.5;
  cta.store = a * b / pair * (layout.split > 1 ? 4 : p.eo);
  return cta;
}

double reduction_time(const GemmProblem& p, double split) {
  return p.g.split_reduction.si() + (4 * split + p.eo) * p.m * p.n * p.batch / (kReductionShare * p.l2_rate);
}

double least_time(const GemmProblem& p) {
  const spec::GemmParameters& g = p.g;
  const double moved = p.weights * (1 - p.hit_w) + (p.activations + p.output) * (1 - p.hit_a);
  const double multiplied = 2 * p.batch * p.m * p.n * p.k / (p.units * p.flops_per_clk * g.matrix_efficiency);
  return std::max(moved / p.hbm_rate, multiplied / p.clock) + (g.prologue + g.epilogue) / p.clock;
}

double power_limited(const GemmProblem& p, const KernelContext& context, double device_bytes, double undisturbed) {
  const Joules dynamic = p.matrix_energy + Bytes(device_bytes) * context.chip.power.device_memory;
  return power_time(context.chip, dynamic, Seconds(undisturbed), context.sustained).si();
}

GemmCost estimate_gemm(const GemmProblem& p, const GemmLayout& layout, const KernelContext& context, double limit) {
  const spec::GemmParameters& g = p.g;
  const GemmCta cta = cta_of(p, layout);
  GemmCost cost;
  cost.matrix = layout.per_unit * cta.multiply / p.clock;
  cost.load = layout.per_unit * (cta.load_w + cta.load_a) / load_rate(p, layout, cta) / p.clock;
  cost.steps = layout.rounds * cta.wait / p.clock;
  cost.read = device_reads(p, layout);
  cost.written = p.output * (1 - p.hit_a);
  cost.hbm = (cost.read + cost.written) / p.hbm_rate;
  const double crossed = static_cast<double>(layout.tile.units) * (cta.load_w * cta.share_w + cta.load_a * cta.share_a);
  cost.l2_bytes = layout.ctas / layout.split * crossed / layout.k_tile * std::min(p.chunks() * p.chunk, p.k) + p.output;
  cost.l2 = cost.l2_bytes / std::min(p.l2_rate, p.far_rate);

  // A tile's end: stores of a round run in phase and share the device memory; partial sums are fp32.
  cost.prologue = g.prologue / p.clock;
  cost.epilogue = g.epilogue / p.clock;
  if (layout.vector_rows == 0) {
    const double store = layout.resident * cta.store / g.epilogue_store.si() / p.clock;
    const double tile = static_cast<double>(layout.tile.n * layout.tile.m / layout.tile.units);
    const double store_hbm = layout.active * layout.resident * tile * p.eo * (1 - p.hit_a) / p.hbm_rate;
    cost.epilogue += std::max(store, store_hbm);
  }
  if (layout.split > 1) cost.reduction = reduction_time(p, layout.split);
  const auto is_beyond = [&](double main) {
    cost.main = main;
    return cost.total() >= limit;
  };
  if (is_beyond(std::max({cost.matrix, cost.load, cost.steps, cost.l2, cost.hbm}))) return cost;
  const double unit =
      norm(g.overlap_norm, cost.matrix, cost.load, cost.steps) + (layout.rounds - 1) * g.exposed_ends * cost.ends();
  if (is_beyond(std::max({unit, cost.l2, cost.hbm}))) return cost;
  const double undisturbed = norm(g.overlap_norm, unit, cost.l2, cost.hbm);
  cost.power = power_limited(p, context, cost.read + cost.written, undisturbed);
  if (is_beyond(std::max(undisturbed, cost.power))) return cost;
  cost.main = norm(g.overlap_norm, undisturbed, cost.power, 0);
  return cost;
}

}  // namespace mlosim::chip
