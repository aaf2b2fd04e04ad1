#include "sim/spec/moe_parameters.hpp"

#include <algorithm>

#include "sim/spec/parameter_block.hpp"

namespace mlosim::spec {
namespace {

// "{rows: [16, 64], columns: [32, 64], by: tokens_per_local_expert, up_to: [1], kind: …, source: …}"; without `up_to`,
// a tile is taken up to as many as its rows.
RowTiles decode_row_tiles(Node node) {
  RowTiles decoded;
  decoded.by = node.word_or<TileMeasure>("by",
                                         {{"rows_per_active_expert", TileMeasure::rows_per_active_expert},
                                          {"rows_per_local_expert", TileMeasure::rows_per_local_expert},
                                          {"tokens_per_local_expert", TileMeasure::tokens_per_local_expert},
                                          {"tokens", TileMeasure::tokens}},
                                         decoded.by);
  std::vector<RowTiles::Tile> tiles;
  for (const Node& rows : node.child("rows").items()) {
    const std::int64_t count = rows.as_count();
    tiles.push_back({.rows = count, .columns = 0, .up_to = static_cast<double>(count)});
  }
  const auto ascends = [](const RowTiles::Tile& a, const RowTiles::Tile& b) { return a.rows < b.rows; };
  if (tiles.empty() || !std::is_sorted(tiles.begin(), tiles.end(), ascends))
    node.fail_at("rows", "expected at least one number of rows, in ascending order");
  if (node.has("columns")) {
    const std::vector<Node> columns = node.child("columns").items();
    if (columns.size() != tiles.size()) node.fail_at("columns", "expected one number of columns for each of the rows");
    for (std::size_t i = 0; i < std::min(columns.size(), tiles.size()); ++i) tiles[i].columns = columns[i].as_count();
  }
  if (node.has("up_to")) {
    const std::vector<Node> limits = node.child("up_to").items();
    if (limits.size() + 1 != tiles.size()) node.fail_at("up_to", "expected a limit for each of the rows but the last");
    double last = 0;
    for (std::size_t i = 0; i < std::min(limits.size(), tiles.size()); ++i) {
      tiles[i].up_to = static_cast<double>(limits[i].as_count());
      if (tiles[i].up_to <= last) node.fail_at("up_to", "expected limits in ascending order");
      last = tiles[i].up_to;
    }
  }
  node.read_block_source();
  node.finish();
  if (!tiles.empty()) decoded.tiles = std::move(tiles);
  return decoded;
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

const RowTiles::Tile& RowTiles::of(double measure) const {
  const auto fits = std::find_if(tiles.begin(), tiles.end(), [&](const Tile& tile) { return tile.up_to >= measure; });
  return fits != tiles.end() ? *fits : tiles.back();
}

Kernels<MoeParameters> decode_moe(Node node) { return decode_kernels<MoeParameters>(node, read_moe); }

}  // namespace mlosim::spec
