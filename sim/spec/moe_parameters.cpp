#include "sim/spec/moe_parameters.hpp"

#include <algorithm>

#include "sim/spec/parameter_block.hpp"

namespace mlosim::spec {
namespace {

// "{rows: [16, 32, 64], kind: …, source: …}".
std::vector<std::int64_t> decode_row_tiles(Node node) {
  std::vector<std::int64_t> tiles;
  for (const Node& rows : node.child("rows").items()) tiles.push_back(rows.as_count());
  node.read_block_source();
  node.finish();
  if (!tiles.empty() && std::is_sorted(tiles.begin(), tiles.end())) return tiles;
  node.fail_at("rows", "expected at least one number of rows, in ascending order");
  return {128};
}

void read_moe(Node& node, MoeParameters& m, bool has_standard) {
  ParameterBlock block(node, has_standard);
  block.quantity("fixed", m.fixed);
  block.number("matrix_efficiency", m.matrix_efficiency, Range::fraction);
  block.number("matrix_efficiency_8bit", m.matrix_efficiency_8bit, Range::fraction);
  block.number("narrow_exponent", m.narrow_exponent, Range::non_negative);
  block.number("tile_overhead", m.tile_overhead, Range::non_negative);
  block.number("tail", m.tail, Range::non_negative);
  block.number("memory_efficiency", m.memory_efficiency, Range::fraction);
  block.number("permute_passes", m.permute_passes, Range::non_negative);
  m.remote_rows = node.number_or("remote_rows", m.remote_rows, Range::non_negative);
  m.per_expert = node.value_or<Seconds>("per_expert", m.per_expert, Range::non_negative);
  m.column_tile = node.count_or("column_tile", m.column_tile);
  m.launches = static_cast<int>(std::min<std::int64_t>(node.count_or("launches", m.launches), 1000));
  if (node.has("row_tiles")) m.row_tiles = decode_row_tiles(node.require_mapping("row_tiles"));
}

}  // namespace

Kernels<MoeParameters> decode_moe(Node node) { return decode_kernels<MoeParameters>(node, read_moe); }

}  // namespace mlosim::spec
