#include "sim/spec/kernel_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlosim::spec {
namespace {

// A side of a tile of queries or keys: bounded, so that products of sides stay exact integers.
std::int64_t require_side(Node& node, std::string_view key) {
  constexpr std::int64_t kMost = 1 << 20;
  const std::int64_t side = node.require_count(key);
  if (side > kMost) node.fail_at(key, fmt::format("'{}' is more than {}", side, kMost));
  return std::min(side, kMost);
}

// "[n, m]" or "[n, m, units]".
GemmTile decode_tile(Node node) {
  const std::vector<Node> sides = node.items();
  if (sides.size() < 2 || sides.size() > 3) {
    node.fail("a tile is [n, m] or [n, m, units]");
    return {};
  }
  return {.n = sides[0].as_count(), .m = sides[1].as_count(), .units = sides.size() == 3 ? sides[2].as_count() : 1};
}

void decode_gemm_plans(Node node, GemmParameters& gemm) {
  for (Node& tile : node.child("tiles").items()) gemm.tiles.push_back(decode_tile(tile));
  for (const Node& split : node.child("splits").items()) gemm.splits.push_back(split.as_count());
  if (gemm.tiles.empty()) node.fail_at("tiles", "at least one tile is needed");
  if (gemm.splits.empty()) node.fail_at("splits", "at least the split 1 is needed");
  node.read_block_source();
  node.finish();
}

StreamParameters decode_stream(Node node, const StreamParameters& standard) {
  StreamParameters s{
      .fixed = node.value_or<Seconds>("fixed", standard.fixed),
      .passes = node.number_or("passes", standard.passes),
      .in_flight = node.value_or<Bytes>("in_flight", standard.in_flight),
  };
  node.finish();
  return s;
}

}  // namespace

GemmParameters decode_gemm(Node node) {
  GemmParameters g;
  decode_gemm_plans(node.require_mapping("plans"), g);
  g.operand_path = node.require_word<OperandPath>("operand_path", {{"register_file", OperandPath::register_file},
                                                                   {"shared_memory", OperandPath::shared_memory},
                                                                   {"tensor_memory", OperandPath::tensor_memory}});
  g.fixed = node.require<Seconds>("fixed");
  g.matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction);
  g.prologue = node.require_number("prologue", Range::non_negative);
  g.epilogue = node.require_number("epilogue", Range::non_negative);
  g.epilogue_store = node.require<Bytes>("epilogue_store");
  g.exposed_ends = node.require_number("exposed_ends", Range::fraction);
  g.k_step = node.require_number("k_step", Range::non_negative);
  g.split_reduction = node.require<Seconds>("split_reduction");
  g.split_preference = node.require<Seconds>("split_preference", Range::non_negative);
  g.unit_load = node.require<Bytes>("unit_load");
  g.stages_in_flight = node.require_number("stages_in_flight");
  g.overlap_norm = node.require_number("overlap_norm");
  g.warm_share = node.require_number("warm_share", Range::fraction);
  g.rotating_share = node.require_number("rotating_share", Range::fraction);
  g.operand_limit = node.require_number("operand_limit", Range::non_negative);
  node.finish();
  return g;
}

AttentionPrefillParameters decode_attention_prefill(Node node) {
  AttentionPrefillParameters a{
      .fixed = node.require<Seconds>("fixed"),
      .fixed_encoder = node.require<Seconds>("fixed_encoder"),
      .matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction),
      .matrix_efficiency_8bit = node.require_number("matrix_efficiency_8bit", Range::fraction),
      .exponential_weight = node.require_number("exponential_weight", Range::non_negative),
      .tile_overhead = node.require_number("tile_overhead", Range::non_negative),
      .tail = node.require_number("tail", Range::non_negative),
      .tile_rows = require_side(node, "tile_rows"),
      .tile_cols = require_side(node, "tile_cols"),
      .append_passes = node.require_number("append_passes", Range::non_negative),
      .packed_queries = node.count_or("packed_queries", 0, 0),
  };
  node.finish();
  return a;
}

AttentionDecodeParameters decode_attention_decode(Node node) {
  AttentionDecodeParameters a{
      .fixed = node.require<Seconds>("fixed"),
      .matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction),
      .tile_overhead = node.require_number("tile_overhead", Range::non_negative),
      .split_reduction = node.require<Seconds>("split_reduction"),
      .tail = node.require_number("tail", Range::non_negative),
      .memory_efficiency = node.require_number("memory_efficiency", Range::fraction),
      .row_granule = require_side(node, "row_granule"),
      .tile_cols = require_side(node, "tile_cols"),
      .ctas_per_unit = require_side(node, "ctas_per_unit"),
  };
  if (node.has("fixed_8bit")) a.fixed_8bit = node.require<Seconds>("fixed_8bit");
  if (node.has("tile_overhead_8bit"))
    a.tile_overhead_8bit = node.require_number("tile_overhead_8bit", Range::non_negative);
  node.finish();
  return a;
}

MoeParameters decode_moe(Node node) {
  MoeParameters m{
      .fixed = node.require<Seconds>("fixed"),
      .matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction),
      .matrix_efficiency_8bit = node.require_number("matrix_efficiency_8bit", Range::fraction),
      .narrow_exponent = node.require_number("narrow_exponent", Range::non_negative),
      .tile_overhead = node.require_number("tile_overhead", Range::non_negative),
      .tail = node.require_number("tail", Range::non_negative),
      .memory_efficiency = node.require_number("memory_efficiency", Range::fraction),
      .permute_passes = node.require_number("permute_passes", Range::non_negative),
  };
  node.finish();
  return m;
}

ElementwiseParameters decode_elementwise(Node node) {
  ElementwiseParameters e;
  e.memory_efficiency = node.require_number("memory_efficiency", Range::fraction);
  e.standard.fixed = node.require<Seconds>("fixed");
  e.standard.passes = node.require_number("passes");
  e.standard.in_flight = node.require<Bytes>("in_flight");
  for (auto& [kind, stream] : node.child("kinds").members()) e.kinds.emplace(kind, decode_stream(stream, e.standard));
  node.finish();
  return e;
}

SystolicParameters decode_systolic(Node node) {
  SystolicParameters s{
      .fixed = node.require<Seconds>("fixed"),
      .matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction),
      .memory_efficiency = node.require_number("memory_efficiency", Range::fraction),
      .fill = node.require_number("fill", Range::non_negative),
      .decode_per_sequence = node.require<Seconds>("decode_per_sequence", Range::non_negative),
      .decode_memory_efficiency = node.require_number("decode_memory_efficiency", Range::fraction),
      .prefill_matrix_efficiency = node.require_number("prefill_matrix_efficiency", Range::fraction),
      .attention_fixed = node.require<Seconds>("attention_fixed"),
  };
  node.finish();
  return s;
}

}  // namespace mlosim::spec
