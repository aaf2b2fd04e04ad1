// The plan of a routed expert layer. Its terms:
//   tile  of r×c results, r by the library's rule (spec::RowTiles):
//         main loop 2·r·c·K/(rate·e·(r/most)^p), and the ends
//   tiles Σ_experts ⌈rows/r⌉·⌈N/c⌉ of each product
//   bytes A·N·K·e of weights, A experts with a row, and the passes that permute, activate and combine
// Weight gradients: A·⌈N/r⌉·⌈K/c⌉ tiles as deep as an expert's mean rows; each reads its operands, adds to fp32 sums.
#include <algorithm>
#include <cmath>

#include "sim/chip/moe.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

constexpr Bytes kRowElement(2);  // permuted rows and results are 16-bit

double d(std::int64_t n) { return static_cast<double>(n); }

// Of an expert's hidden layer on this rank, and what the first product puts out for it.
struct Widths {
  double inter, up;
};

Widths widths_of(const work::MoeGemm& op) {
  const double inter = d(op.inter) / d(op.tp);
  return {.inter = inter, .up = op.gated ? 2 * inter : inter};
}

double measure_of(const work::MoeGemm& op, const RankLoad& rank, spec::TileMeasure by) {
  const double local = std::max(1.0, d(op.experts) / d(op.ep));
  switch (by) {
    case spec::TileMeasure::rows_per_active_expert:
      return rank.mean();
    case spec::TileMeasure::rows_per_local_expert:
      return d(op.tokens) * d(op.topk) / local;
    case spec::TileMeasure::tokens_per_local_expert:
      return d(op.tokens) / local;
    case spec::TileMeasure::tokens:
      return d(op.tokens);
  }
  MLOSIM_CHECK(false);
}

const spec::MoeParameters& parameters_of(const work::MoeGemm& op, const RankLoad& rank, const KernelContext& context) {
  spec::KernelCall call{.dtype = op.activations, .weights = op.weights};
  call[spec::CallSize::tokens] = op.tokens;
  call[spec::CallSize::experts] = op.experts;
  call[spec::CallSize::reach] = static_cast<std::int64_t>(std::ceil(rank.mean()));
  return context.chip.moe.of(call, context.kernel);
}

// What one expert's product reads besides rows that stay in the caches: its weights, or a gradient's two operands and
// the fp32 sum that it is added to.
Bytes bytes_of(const ExpertProduct& product, const work::MoeGemm& op) {
  if (!product.rows) return product.columns * product.depth * work::bytes_per_element(op.weights);
  constexpr Bytes kAddedTo(8);
  return product.columns * *product.rows * kAddedTo +
         product.depth * (product.columns + *product.rows) * work::bytes_per_element(op.activations);
}

// Of `bytes_of`, the operand that has the product's columns.
Bytes shared_bytes_of(const ExpertProduct& product, const work::MoeGemm& op) {
  return product.columns * product.depth * work::bytes_per_element(product.rows ? op.activations : op.weights);
}

// Gradients have matrices for results, whatever the number of tokens: the widest tiles.
const spec::RowTiles::Tile& tile_of(const work::MoeGemm& op, const RankLoad& rank, const spec::RowTiles& tiles) {
  return op.pass == work::MoePass::weight_gradient ? tiles.tiles.back() : tiles.of(measure_of(op, rank, tiles.by));
}

}  // namespace

RankLoad rank_load(const work::MoeGemm& op) {
  RankLoad rank;
  for (const ExpertLoad& load : heaviest_rank_loads(op)) {
    if (load.tokens <= 0) continue;
    rank.loads.push_back(load);
    rank.rows += load.experts * load.tokens;
    rank.active += load.experts;
  }
  return rank;
}

std::vector<ExpertProduct> products_of(const work::MoeGemm& op, double mean_rows) {
  const Widths widths = widths_of(op);
  const double hidden = d(op.hidden);
  const ExpertProduct up{.columns = widths.up, .depth = hidden, .rows = {}};
  switch (op.pass) {
    case work::MoePass::forward:
      return {up, {.columns = hidden, .depth = widths.inter, .rows = {}}};
    case work::MoePass::up:
      return {up};
    case work::MoePass::input_gradient:
      return {{.columns = widths.inter, .depth = hidden, .rows = {}},
              {.columns = hidden, .depth = widths.up, .rows = {}}};
    case work::MoePass::weight_gradient:
      return {{.columns = hidden, .depth = mean_rows, .rows = widths.inter},
              {.columns = hidden, .depth = mean_rows, .rows = widths.up}};
  }
  MLOSIM_CHECK(false);
}

work::OpWork work_of_rank(const work::MoeGemm& op, const RankLoad& rank) {
  work::OpWork work = work::work_of(op);
  const double even_rows = d(op.tokens) * d(op.topk) / d(op.ep);
  work.matrix = work.matrix * (rank.rows / even_rows);
  work.vector = work.vector * (rank.rows / even_rows);
  work.exponentials *= rank.rows / even_rows;
  if (op.pass == work::MoePass::weight_gradient) return work;
  double parameters = 0;
  for (const ExpertProduct& product : products_of(op, rank.mean()))
    parameters += rank.active * product.columns * product.depth;
  const Bytes weights = parameters * work::bytes_per_element(op.weights);
  work.read += weights - work.weights;
  work.weights = weights;
  return work;
}

Bytes permuted_bytes(const work::MoeGemm& op, double rows) {
  const Widths widths = widths_of(op);
  const double hidden = d(op.hidden), tokens = d(op.tokens);
  switch (op.pass) {
    case work::MoePass::forward:
      return kRowElement * (4 * rows * hidden + rows * 2 * (widths.up + widths.inter) + 2 * tokens * hidden);
    case work::MoePass::up:
      return kRowElement * (2 * rows * hidden + rows * (2 * widths.up + widths.inter) + tokens * hidden);
    case work::MoePass::input_gradient:
      return kRowElement * (4 * rows * hidden + rows * (3 * widths.up + 2 * widths.inter) + 2 * tokens * hidden);
    case work::MoePass::weight_gradient:
      return Bytes(0);
  }
  MLOSIM_CHECK(false);
}

GroupedPlan plan_moe(const work::MoeGemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  GroupedPlan plan;
  plan.rank = rank_load(op);
  const RankLoad& rank = plan.rank;
  const spec::MoeParameters& parameters = parameters_of(op, rank, context);
  plan.work = work_of_rank(op, rank);
  const spec::RowTiles& row_tiles = parameters.row_tiles;
  const spec::RowTiles::Tile& tile = tile_of(op, rank, row_tiles);
  plan.row_tile = tile.rows;
  plan.column_tile = tile.columns > 0 ? tile.columns : parameters.column_tile;
  double tiles_of_rows = 0;
  for (const ExpertLoad& load : rank.loads) tiles_of_rows += load.experts * std::ceil(load.tokens / d(plan.row_tile));

  const bool narrow = work::bytes_per_element(plan.work.matrix_dtype) <= Bytes(1);
  const double efficiency = (narrow ? parameters.matrix_efficiency_8bit : parameters.matrix_efficiency) *
                            std::pow(d(plan.row_tile) / d(row_tiles.tiles.back().rows), parameters.narrow_exponent);
  const FlopsPerSecond unit_rate = require_matrix_rate(chip, plan.work.matrix_dtype) / d(chip.units);
  for (const ExpertProduct& product : products_of(op, rank.mean())) {
    const double column_tiles = ceil_div(product.columns, d(plan.column_tile));
    const double height = product.rows ? rank.active * ceil_div(*product.rows, d(plan.row_tile)) : tiles_of_rows;
    plan.gemms.push_back(
        {.columns = product.columns,
         .depth = product.depth,
         .rows = product.rows,
         .column_tiles = column_tiles,
         .tiles = height * column_tiles,
         .main_loop = Flops(2 * d(plan.row_tile * plan.column_tile) * product.depth) / (unit_rate * efficiency),
         .ends = parameters.tile_overhead / chip.clock,
         .weights = rank.active * bytes_of(product, op),
         .shared = rank.active * shared_bytes_of(product, op)});
  }
  plan.tail = parameters.tail;
  plan.memory_efficiency = parameters.memory_efficiency;

  const double remote = std::max(0.0, d(op.tokens) * d(op.topk) - rank.rows);
  plan.permuted = permuted_bytes(op, rank.rows + parameters.remote_rows * remote);
  plan.passes = parameters.permute_passes;
  plan.weight_hit = resident_share(chip, plan.work.weights + plan.permuted + context.operands.between_uses);
  plan.row_hit = resident_share(chip, plan.permuted);
  plan.fixed = parameters.fixed + d(op.experts) / d(op.ep) * parameters.per_expert;
  plan.launches = parameters.launches;
  return plan;
}

}  // namespace mlosim::chip
