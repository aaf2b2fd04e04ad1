#include "sim/spec/attention_parameters.hpp"

#include "sim/spec/parameter_block.hpp"

namespace mlosim::spec {
namespace {

void read_prefill(Node& node, AttentionPrefillParameters& a, bool has_standard) {
  ParameterBlock block(node, has_standard);
  block.quantity("fixed", a.fixed);
  block.quantity("fixed_encoder", a.fixed_encoder);
  block.number("matrix_efficiency", a.matrix_efficiency, Range::fraction);
  block.number("matrix_efficiency_8bit", a.matrix_efficiency_8bit, Range::fraction);
  block.number("exponential_weight", a.exponential_weight, Range::non_negative);
  block.number("tile_overhead", a.tile_overhead, Range::non_negative);
  block.number("tail", a.tail, Range::non_negative);
  block.side("tile_rows", a.tile_rows);
  block.side("tile_cols", a.tile_cols);
  block.number("append_passes", a.append_passes, Range::non_negative);
  block.number("backward_rate", a.backward_rate, Range::positive);
  a.key_step = node.number_or("key_step", a.key_step, Range::non_negative);
  a.load_rows = node.count_or("load_rows", a.load_rows);
  a.packed_queries = node.count_or("packed_queries", a.packed_queries, 0);
  a.split_queries = node.count_or("split_queries", a.split_queries, 0);
  a.width_granule = node.count_or("width_granule", a.width_granule);
  a.overlap_norm = node.number_or("overlap_norm", a.overlap_norm);
  a.absorbed = node.flag_or("absorbed", a.absorbed);
  a.skips_window = node.flag_or("skips_window", a.skips_window);
}

void read_decode(Node& node, AttentionDecodeParameters& a, bool has_standard) {
  ParameterBlock block(node, has_standard);
  block.quantity("fixed", a.fixed);
  block.number("matrix_efficiency", a.matrix_efficiency, Range::fraction);
  block.number("tile_overhead", a.tile_overhead, Range::non_negative);
  block.quantity("split_reduction", a.split_reduction);
  block.number("memory_efficiency", a.memory_efficiency, Range::fraction);
  block.side("row_granule", a.row_granule);
  block.side("tile_cols", a.tile_cols);
  block.side("ctas_per_unit", a.ctas_per_unit);
  a.key_step = node.number_or("key_step", a.key_step, Range::non_negative);
  a.stream_rate = node.value_or<Bytes>("stream_rate", a.stream_rate, Range::non_negative);
  a.heads_per_cta = node.count_or("heads_per_cta", a.heads_per_cta, 0);
  a.split = node.word_or<KeySplit>("split",
                                   {{"none", KeySplit::none},
                                    {"fill", KeySplit::fill},
                                    {"efficient", KeySplit::efficient},
                                    {"constant", KeySplit::constant},
                                    {"waves", KeySplit::waves}},
                                   a.split);
  a.part_tiles = node.count_or("part_tiles", a.part_tiles);
  a.parts = node.count_or("parts", a.parts);
  a.waves = node.count_or("waves", a.waves);
  a.order =
      node.word_or<GridOrder>("order", {{"heads", GridOrder::heads}, {"sequences", GridOrder::sequences}}, a.order);
  a.width_granule = node.count_or("width_granule", a.width_granule);
  a.overlap_norm = node.number_or("overlap_norm", a.overlap_norm);
  a.skips_window = node.flag_or("skips_window", a.skips_window);
  if (node.has("tail")) a.tail = node.require_number("tail", Range::non_negative);
  if (node.has("fixed_8bit")) a.fixed_8bit = node.require<Seconds>("fixed_8bit");
  if (node.has("tile_overhead_8bit"))
    a.tile_overhead_8bit = node.require_number("tile_overhead_8bit", Range::non_negative);
}

}  // namespace

Kernels<AttentionPrefillParameters> decode_attention_prefill(Node node) {
  return decode_kernels<AttentionPrefillParameters>(node, read_prefill);
}

Kernels<AttentionDecodeParameters> decode_attention_decode(Node node) {
  return decode_kernels<AttentionDecodeParameters>(node, read_decode);
}

}  // namespace mlosim::spec
