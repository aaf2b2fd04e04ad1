// A routed mixture-of-experts layer on one rank: two grouped GEMMs over the experts' rows, and the permutation,
// activation and combination passes around them.
//
//   t = fixed + experts·t_e + Σ_{up, down} ((waves·tile)⁴ + (A·N·K·e·tb)⁴)^¼ + permute·bytes·tb
//   tile  of r×c results, r the smallest of the library's row tiles that holds an active expert's mean rows:
//         2·r·c·K/(rate·e·(r/most)^p) + overhead
//   waves Σ_experts ⌈rows/r⌉·⌈N/c⌉ / units + tail;   A experts with a row, whose weights are read once
// The rank is the heaviest of ep (expert_load.hpp). Wrong for kernels that are tuned shape by shape.
#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/chip/expert_load.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

constexpr double kOverlap = 4;
constexpr Bytes kRowElement(2);  // permuted rows and results are 16-bit

double d(std::int64_t n) { return static_cast<double>(n); }

struct RankLoad {
  std::vector<ExpertLoad> loads;
  double rows = 0;
  double active = 0;  // experts with a row

  double mean() const { return rows / active; }
};

RankLoad rank_load(const work::MoeGemm& op) {
  RankLoad rank;
  rank.loads = heaviest_rank_loads(op);
  for (const ExpertLoad& load : rank.loads) {
    if (load.tokens <= 0) continue;
    rank.rows += load.experts * load.tokens;
    rank.active += load.experts;
  }
  return rank;
}

std::int64_t row_tile_of(const RankLoad& rank, const std::vector<std::int64_t>& tiles) {
  const auto fits = std::find_if(tiles.begin(), tiles.end(), [&](std::int64_t rows) { return d(rows) >= rank.mean(); });
  return fits != tiles.end() ? *fits : tiles.back();
}

const spec::MoeParameters& parameters_of(const work::MoeGemm& op, const RankLoad& rank, const KernelContext& context) {
  spec::KernelCall call{.dtype = op.activations, .weights = op.weights};
  call[spec::CallSize::tokens] = op.tokens;
  call[spec::CallSize::experts] = op.experts;
  call[spec::CallSize::reach] = static_cast<std::int64_t>(std::ceil(rank.mean()));
  return context.chip.moe.of(call, context.kernel);
}

// The work of the heaviest rank: what the bounds and the energy are counted from.
work::OpWork work_of_rank(const work::MoeGemm& op, const RankLoad& rank) {
  work::OpWork work = work::work_of(op);
  const double even_rows = d(op.tokens) * d(op.topk) / d(op.ep);
  const double width = d(op.inter) / d(op.tp), matrices = op.gated ? 3 : 2;
  work.matrix = work.matrix * (rank.rows / even_rows);
  work.vector = work.vector * (rank.rows / even_rows);
  work.exponentials *= rank.rows / even_rows;
  const Bytes weights = rank.active * d(op.hidden) * width * matrices * work::bytes_per_element(op.weights);
  work.read += weights - work.weights;
  work.weights = weights;
  return work;
}

// Rows gathered and written in expert order, up and down results in and out, tokens read and combined.
Bytes permuted_bytes(const work::MoeGemm& op, double rows) {
  const double width = d(op.inter) / d(op.tp);
  const double up = op.gated ? 2 * width : width;
  return kRowElement * (4 * rows * d(op.hidden) + rows * (2 * up + 2 * width) + 2 * d(op.tokens) * d(op.hidden));
}

struct GroupedGemm {
  double columns = 1, depth = 1;
};

KernelPrice price_moe_simt(const work::MoeGemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const RankLoad rank = rank_load(op);
  const spec::MoeParameters& parameters = parameters_of(op, rank, context);
  const work::OpWork work = work_of_rank(op, rank);
  const double units = d(chip.units), width = d(op.inter) / d(op.tp);
  const std::int64_t row_tile = row_tile_of(rank, parameters.row_tiles);
  double row_tiles = 0;
  for (const ExpertLoad& load : rank.loads) row_tiles += load.experts * std::ceil(load.tokens / d(row_tile));
  const bool narrow = work::bytes_per_element(work.matrix_dtype) <= Bytes(1);
  const double efficiency = (narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency) *
                            std::pow(d(row_tile) / d(parameters.row_tiles.back()), parameters.narrow_exponent);
  const FlopsPerSecond unit_rate = require_matrix_rate(chip, work.matrix_dtype) / units;

  const double remote = std::max(0.0, d(op.tokens) * d(op.topk) - rank.rows);
  const Bytes permuted = permuted_bytes(op, rank.rows + parameters.remote_rows * remote);
  const double weight_hit = resident_share(chip, work.weights + permuted + context.operands.between_uses);
  const double row_hit = resident_share(chip, permuted);

  KernelPlan plan;
  plan.tile_m = row_tile;
  plan.tile_n = parameters.column_tile;
  plan.tiles = 0;
  ResourceTimes times{};
  Seconds main;
  for (const GroupedGemm& gemm :
       {GroupedGemm{op.gated ? 2 * width : width, d(op.hidden)}, GroupedGemm{d(op.hidden), width}}) {
    const double tiles = row_tiles * std::ceil(gemm.columns / d(parameters.column_tile));
    const Seconds multiply = Flops(2 * d(row_tile * parameters.column_tile) * gemm.depth) / (unit_rate * efficiency);
    const Seconds tile = multiply + parameters.tile_overhead / chip.clock;
    const Seconds compute = std::max(1.0, tiles / units + parameters.tail) * tile;
    const Bytes weights = rank.active * gemm.columns * gemm.depth * work::bytes_per_element(op.weights);
    const Seconds memory = stream_time(chip, weights, weight_hit, parameters.memory_efficiency);
    main += overlap(kOverlap, compute, memory);
    times.matrix += tiles / units * multiply;
    times.latency += compute - tiles / units * multiply;
    times.hbm += memory;
    plan.tiles += tiles;
  }
  const Seconds permute =
      stream_time(chip, permuted * parameters.permute_passes, row_hit, chip.device_memory().efficiency);
  main += permute;
  times.hbm += permute;

  plan.waves = std::ceil(plan.tiles / units);
  plan.active_units = std::min(plan.tiles, units);
  plan.kernels = parameters.launches;
  plan.shared_cache = work.weights + permuted;
  const Bytes device = work.weights * (1 - weight_hit) + permuted * (1 - row_hit);
  plan.device_written = permuted * (1 - row_hit) / 2;
  plan.device_read = device - plan.device_written;

  const Seconds power = power_time(chip, dynamic_energy(chip, work, device), main, context.sustained);
  if (power > main) times.power = power;
  const Seconds overhead = parameters.fixed + d(op.experts) / d(op.ep) * parameters.per_expert;
  return close_price(context, work, plan, times, std::max(main, power), overhead);
}

}  // namespace

KernelPrice price_moe(const work::MoeGemm& op, const KernelContext& context) {
  if (context.chip.kind == spec::ChipKind::simt) return price_moe_simt(op, context);
  const RankLoad rank = rank_load(op);
  return price_grouped_systolic(op,
                                {.experts = rank.active,
                                 .rows = rank.rows,
                                 .work = work_of_rank(op, rank),
                                 .permuted = permuted_bytes(op, rank.rows)},
                                context);
}

}  // namespace mlosim::chip
