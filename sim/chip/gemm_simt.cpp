// GEMM on a GPU: search of the library's plans (tile, split-K), each priced in closed form; the cheapest is taken.
//
// C[m,n] = A[m,k]·W[n,k]ᵀ, `batch` copies. A tile of tile_n rows of W and tile_m rows of A is worked on by one unit (or
// a pair); T tiles times S splits make the grid, c of them on the busiest unit, `resident` at once, in r rounds.
//   main  = unit ‖ L2 ‖ HBM ‖ power           (‖: overlap norm, pricing.hpp)
//   unit  = (c·matrix ‖ c·load ‖ r·k-steps) + (r−1)·exposed·(prologue + epilogue)
//   time  = fixed + prologue + epilogue + main + [S>1] split reduction + quantiser
// load is Little's law per unit: bytes in flight over latency, capped. Source: our own study of measured bf16 GEMMs on
// A100, H100, B200 and L40S; plan choice, CTA ends and waves explain most there, in that order. Wrong where: GEMV
// kernel families switch by shape (m = 1), library heuristics that leave split-K out, operands between 0.5 and 0.8 of a
// partitioned L2.

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/chip/pricing.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

constexpr double kChunkBytes = 64;  // granule of k per row
constexpr double kStepBytes = 128;  // of k per row that one main-loop step consumes
constexpr double kAccumulatorTile =
    32768;                           // elements of output tile that fit a unit's registers or tensor memory at once
constexpr double kMostResident = 8;  // CTAs per unit
constexpr double kUsableScratchpad = 0.9;     // for stages; the rest holds the epilogue and barriers
constexpr double kMostCopies = 5;             // of the weights in a benchmark loop (measurement protocol)
constexpr double kSplitMargin = 1.02;         // a split plan must be cheaper by this factor besides split_preference
constexpr double kWarpTile = 64;              // side of the output that one warp's mma.sync covers
constexpr double kThreads = 16;               // along each side of a tile that vector lanes compute
constexpr double kReductionShare = 0.5;       // of the L2 rate that the split-K reduction reaches
constexpr double kGemvVectorFlops = 256;      // per clk and unit, where no matrix unit is used
constexpr double kGemvInFlight = 0.4 * 4096;  // bytes that one CTA keeps in flight

// The operator and what does not depend on the plan.
struct Problem {
  explicit Problem(const spec::GemmParameters& kernels) : g(kernels) {}

  const spec::GemmParameters& g;  // of the operator's format
  double batch = 0, m = 0, n = 0, k = 0;
  double ea = 0, ew = 0, eo = 0;                    // bytes per element of A, W, C
  double chunk = 0;                                 // elements of k per chunk
  double weights = 0, activations = 0, output = 0;  // bytes
  double hit_a = 0, hit_w = 0;                      // shares found in the last cache
  double flops_per_clk = 0;                         // of one unit
  double clock = 0;                                 // Hz
  double l2_rate = 0, hbm_rate = 0;                 // B/s, efficiency included
  double l2_latency = 0, hbm_latency = 0;           // clk
  double scratchpad = 0;                            // bytes for stages
  double half_cache = 0;                            // bytes: an operand below it is read once
  double units = 0;
  Joules matrix_energy;
};

// Seconds by part, for one plan.
struct Cost {
  double matrix = 0, load = 0, steps = 0, l2 = 0, hbm = 0, power = 0;
  double main = 0, ends = 0, reduction = 0;
  double read = 0, written = 0, l2_bytes = 0;
  double tiles = 0, active = 0, rounds = 0;

  double total() const { return main + ends + reduction; }
};

double norm(double p, double a, double b, double c) { return overlap(p, Seconds(a), Seconds(b), Seconds(c)).si(); }

Problem pose(const work::Gemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork work = work::work_of(op);
  require_matrix_rate(chip, work.matrix_dtype);
  const spec::GemmParameters& g = chip.gemm.of(op.activations, op.weights);
  Problem p(g);
  p.batch = static_cast<double>(op.batch);
  p.m = static_cast<double>(op.m);
  p.n = static_cast<double>(op.n);
  p.k = static_cast<double>(op.k);
  p.ea = work::bytes_per_element(op.activations).si();
  p.ew = work::bytes_per_element(op.weights).si();
  p.eo = work::bytes_per_element(op.output).si();
  p.chunk = kChunkBytes / p.ea;
  p.weights = p.batch * p.n * p.k * p.ew;
  p.activations = p.batch * p.m * p.k * p.ea;
  p.output = p.batch * p.m * p.n * p.eo;
  const auto rate = chip.matrix.find(work.matrix_dtype);
  p.flops_per_clk = (rate != chip.matrix.end() ? rate->second : chip.vector).si();
  p.clock = chip.clock.si();
  const spec::MemoryLevel& l2 = *chip.first_shared_cache();
  const spec::MemoryLevel& hbm = chip.device_memory();
  p.l2_rate = l2.bandwidth.si() * l2.efficiency;
  p.hbm_rate = hbm.bandwidth.si() * hbm.efficiency * g.memory_share;
  p.l2_latency = l2.latency.si() * p.clock;
  p.hbm_latency = hbm.latency.si() * p.clock;
  p.scratchpad = chip.scratchpad()->capacity.si() * kUsableScratchpad;
  const double cache = chip.last_cache()->capacity.si();
  p.half_cache = cache / 2;
  p.units = static_cast<double>(chip.units);
  p.matrix_energy = work.matrix * chip.matrix_energy(work.matrix_dtype);

  // Residency: re-used activations keep warm_share of the cache, weights that are cycled through rotating_share.
  const double own = p.weights + p.activations + p.output;
  double cycle = own + context.operands.between_uses.si();
  if (context.operands.rotates_weights && p.weights <= cache) {
    cycle += p.weights * (std::min(kMostCopies, std::ceil(cache / p.weights) + 1) - 1);
  }
  p.hit_a = cyclic_hit_share(Bytes(own), Bytes(cache * g.warm_share));
  p.hit_w = cyclic_hit_share(Bytes(cycle), Bytes(cache * g.rotating_share));
  return p;
}

// Bytes that the multipliers take from shared memory or registers per k of one unit's tile.
double operand_bytes(const spec::GemmTile& tile, const Problem& p) {
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

// Device-memory reads: each operand once where it is not in the cache, and again for every wave block that needs it
// where it does not fit half the cache.
double device_reads(const Problem& p, double a, double b, double grid_m, double grid_n, double active) {
  double cols = std::clamp(std::sqrt(active * b / a), 1.0, grid_n);
  const double rows = std::clamp(active / cols, 1.0, grid_m);
  cols = std::clamp(active / rows, 1.0, grid_n);
  const double passes_w = p.weights < p.half_cache ? 1 : std::ceil(grid_m / rows);
  const double passes_a = p.activations < p.half_cache ? 1 : std::ceil(grid_n / cols);
  const double all = std::min(p.weights * passes_w + p.activations, p.weights + p.activations * passes_a);
  return p.weights * (1 - p.hit_w) + p.activations * (1 - p.hit_a) + (all - p.weights - p.activations);
}

// A lower bound of the plan's time, cheap to compute: perfect overlap and no power cap.
double floor_of(const Cost& cost) {
  return std::max({cost.matrix, cost.load, cost.steps, cost.l2, cost.hbm}) + cost.ends + cost.reduction;
}

// Main part from the unit's time and the chip's levels, clock under the power cap included.
void finish_main(Cost& cost, double unit, const Problem& p, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double undisturbed = norm(p.g.overlap_norm, unit, cost.l2, cost.hbm);
  const Joules dynamic = p.matrix_energy + Bytes(cost.read + cost.written) * chip.power.device_memory;
  cost.power = power_time(chip, dynamic, Seconds(undisturbed), context.sustained).si();
  cost.main = norm(p.g.overlap_norm, undisturbed, cost.power, 0);
}

// Adding up the partial results of a split-K plan, which are fp32.
double reduction_time(const Problem& p, double split) {
  return p.g.split_reduction.si() + (4 * split + p.eo) * p.m * p.n * p.batch / (kReductionShare * p.l2_rate);
}

// No plan takes less: each operand moves once, and no more than all units multiply.
double least_time(const Problem& p) {
  const spec::GemmParameters& g = p.g;
  const double moved = p.weights * (1 - p.hit_w) + (p.activations + p.output) * (1 - p.hit_a);
  const double multiplied = 2 * p.batch * p.m * p.n * p.k / (p.units * p.flops_per_clk * g.matrix_efficiency);
  return std::max(moved / p.hbm_rate, multiplied / p.clock) + (g.prologue + g.epilogue) / p.clock;
}

// Prices one plan; gives up, with a time that is not below `limit`, once it cannot win.
Cost estimate(const spec::GemmTile& tile, double split, double grid_m, double grid_n, const Problem& p,
              const KernelContext& context, double limit) {
  const spec::GemmParameters& g = p.g;
  const double a = static_cast<double>(tile.n), b = static_cast<double>(tile.m), pair = static_cast<double>(tile.units);
  Cost cost;
  cost.tiles = grid_m * grid_n * p.batch * split;
  const double per_unit = std::ceil(cost.tiles * pair / p.units);
  cost.active = std::min(cost.tiles * pair, p.units);
  const double resident =
      std::min(per_unit, std::clamp(std::floor(kAccumulatorTile * pair / (a * b)), 1.0, kMostResident));
  cost.rounds = std::ceil(per_unit / resident);
  const double chunks = std::ceil(p.k / p.chunk);
  const double k_tile = std::ceil(chunks / split) * p.chunk;

  const double multiply = 2 * a * b * k_tile / (pair * p.flops_per_clk * g.matrix_efficiency);
  const double operands = operand_bytes(tile, p) * k_tile * g.operand_limit / kChunkBytes;
  const double bytes_per_k = (a * p.ew + b * p.ea) / pair;
  const double in_flight = std::min(
      p.scratchpad, resident * std::min(g.stages_in_flight * bytes_per_k * kStepBytes / p.ea, k_tile * bytes_per_k));
  const double hit = (a * p.hit_w + b * p.hit_a) / (a + b);
  const double latency = p.l2_latency * hit + p.hbm_latency * (1 - hit);
  const double rate = std::min(g.unit_load.si(), in_flight / latency);

  const bool has_long_rows = g.long_row > Bytes(0) && p.k * p.ea >= g.long_row.si();
  cost.matrix = per_unit * std::max(multiply, operands) * (has_long_rows ? g.long_row_slowdown : 1) / p.clock;
  cost.load = per_unit * bytes_per_k * k_tile / rate / p.clock;
  cost.steps = cost.rounds * g.k_step * k_tile * p.ea / kStepBytes / p.clock;
  cost.read = device_reads(p, a, b, grid_m, grid_n, cost.active);
  cost.written = p.output * (1 - p.hit_a);
  cost.hbm = (cost.read + cost.written) / p.hbm_rate;
  const bool in_clusters =
      g.operand_path == spec::OperandPath::shared_memory || g.operand_path == spec::OperandPath::tensor_memory;
  const bool multicasts = in_clusters && (a >= b ? grid_m : grid_n) >= 2 * pair;
  const double wide = a >= b ? a * p.ew : b * p.ea, narrow = a >= b ? b * p.ea : a * p.ew;
  cost.l2_bytes =
      grid_m * grid_n * p.batch * std::min(chunks * p.chunk, p.k) * (wide / (multicasts ? 2 : 1) + narrow) + p.output;
  cost.l2 = cost.l2_bytes / p.l2_rate;

  // A tile's end: stores of a round run in phase and share the device memory; partial sums are fp32.
  const double store_bytes = resident * a * b / pair * (split > 1 ? 4 : p.eo);
  const double store_hbm = cost.active * resident * a * b / pair * p.eo * (1 - p.hit_a) / p.hbm_rate;
  const double epilogue = g.epilogue / p.clock + std::max(store_bytes / g.epilogue_store.si() / p.clock, store_hbm);
  cost.ends = g.prologue / p.clock + epilogue;
  if (split > 1) cost.reduction = reduction_time(p, split);
  if (const double floor = floor_of(cost); floor >= limit) {
    cost.main = floor;
    return cost;
  }
  const double unit =
      norm(g.overlap_norm, cost.matrix, cost.load, cost.steps) + (cost.rounds - 1) * g.exposed_ends * cost.ends;
  finish_main(cost, unit, p, context);
  return cost;
}

// Matrix times vector without the matrix unit: each CTA streams `rows` rows of W.
Cost estimate_gemv(double rows, const Problem& p, const KernelContext& context) {
  const spec::GemmParameters& g = p.g;
  Cost cost;
  cost.tiles = std::ceil(p.n / rows) * p.batch;
  const double per_unit = std::ceil(cost.tiles / p.units);
  cost.active = std::min(cost.tiles, p.units);
  const double resident = std::min(per_unit, kMostResident);
  cost.rounds = std::ceil(per_unit / resident);
  const double latency = p.l2_latency * p.hit_w + p.hbm_latency * (1 - p.hit_w);
  const double rate = std::min(g.unit_load.si(), resident * kGemvInFlight / latency);
  cost.matrix = per_unit * 2 * rows * p.k / kGemvVectorFlops / p.clock;
  cost.load = per_unit * rows * p.ew * p.k / rate / p.clock;
  cost.read = p.weights * (1 - p.hit_w) + p.activations * (1 - p.hit_a);
  cost.written = p.output * (1 - p.hit_a);
  cost.hbm = (cost.read + cost.written) / p.hbm_rate;
  cost.l2_bytes = p.weights + p.output;
  cost.l2 = cost.l2_bytes / p.l2_rate;
  cost.ends = (g.prologue + g.epilogue) / p.clock;
  const double unit = norm(g.overlap_norm, cost.matrix, cost.load, 0) + (cost.rounds - 1) * g.exposed_ends * cost.ends;
  finish_main(cost, unit, p, context);
  return cost;
}

struct Choice {
  Cost cost;
  double preference = std::numeric_limits<double>::infinity();
  KernelPlan plan;

  void offer(const Cost& other, double preferred, std::int64_t tile_n, std::int64_t tile_m, std::int64_t units,
             std::int64_t split) {
    if (preferred >= preference) return;
    preference = preferred;
    cost = other;
    plan.tile_n = tile_n;
    plan.tile_m = tile_m;
    plan.units_per_tile = units;
    plan.split = split;
  }
};

// Time of the dynamic quantisation of A, where the operator has one.
Seconds quantiser_time(const work::Gemm& op, const spec::GemmParameters& g, const KernelContext& context) {
  if (!op.quantise_activations) return Seconds(0);
  const spec::Quantiser& one = g.quantiser ? *g.quantiser : context.runtime.quantiser;
  const spec::Quantiser& q = op.batch > 1 && g.batched_quantiser ? *g.batched_quantiser : one;
  const double rows = static_cast<double>(op.batch) * static_cast<double>(op.m);
  const Bytes bytes =
      rows * static_cast<double>(op.k) * (work::bytes_per_element(op.output) + work::bytes_per_element(op.activations));
  const Seconds stream = q.passes * bytes / context.chip.device_memory().bandwidth;
  return q.fixed + overlap(g.overlap_norm, stream, rows * q.per_row);
}

}  // namespace

KernelPrice price_gemm_simt(const work::Gemm& op, const KernelContext& context) {
  const Problem p = pose(op, context);
  const spec::GemmParameters& g = p.g;
  const double chunks = std::ceil(p.k / p.chunk);
  const double least = least_time(p);
  const auto prefer = [&](double time, std::int64_t split) {
    return split > 1 ? time * kSplitMargin + g.split_preference.si() : time;
  };
  Choice best;
  for (const spec::GemmTile& tile : g.tiles) {
    if (op.m < tile.least_rows || op.m > tile.most_rows) continue;
    const double grid_m = std::ceil(p.m / static_cast<double>(tile.m)),
                 grid_n = std::ceil(p.n / static_cast<double>(tile.n));
    for (const std::int64_t split : g.splits) {
      const double s = static_cast<double>(split);
      if (split > 1 &&
          (op.k < g.splits_from_depth || s > std::max(1.0, chunks / 4) || grid_m * grid_n * p.batch > 2 * p.units))
        continue;
      // Most splits lose by their reduction alone; what is left to price is a third.
      if (split > 1 && prefer(least + reduction_time(p, s), split) >= best.preference) continue;
      const Cost cost = estimate(tile, s, grid_m, grid_n, p, context, best.preference);
      best.offer(cost, prefer(cost.total(), split), tile.n, tile.m, tile.units, split);
    }
  }
  if (op.m == 1) {
    for (const std::int64_t rows : g.vector_rows) {
      const Cost cost = estimate_gemv(static_cast<double>(rows), p, context);
      best.offer(cost, cost.total(), rows, 1, 1, 1);
    }
  }

  const Cost& cost = best.cost;
  KernelPlan plan = best.plan;
  plan.tile_k = static_cast<std::int64_t>(kStepBytes / p.ea);
  plan.tiles = cost.tiles;
  plan.waves = cost.rounds;
  plan.active_units = cost.active;
  plan.kernels = 1 + (plan.split > 1 ? 1 : 0) + (op.quantise_activations ? 1 : 0);
  plan.device_read = Bytes(cost.read);
  plan.device_written = Bytes(cost.written);
  plan.shared_cache = Bytes(cost.l2_bytes);
  const Seconds overhead = g.fixed + Seconds(cost.ends + cost.reduction) + quantiser_time(op, g, context);
  const ResourceTimes times{.matrix = Seconds(cost.matrix),
                            .vector = {},
                            .l2 = Seconds(std::max(cost.l2, cost.load)),
                            .hbm = Seconds(cost.hbm),
                            .latency = Seconds(cost.steps),
                            .power = Seconds(cost.power)};
  return close_price(context, work::work_of(op), plan, times, Seconds(cost.main), overhead);
}

}  // namespace mlosim::chip
