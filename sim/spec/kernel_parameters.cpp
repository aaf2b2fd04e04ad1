#include "sim/spec/kernel_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlosim::spec {
namespace {

// "[n, m]" or "[n, m, units]"; "{tile: [n, m], rows: [least, most]}" for products of some numbers of rows alone.
GemmTile decode_tile(Node node) {
  if (node.is_mapping()) {
    GemmTile tile = decode_tile(node.child("tile"));
    const std::vector<Node> rows = node.child("rows").items();
    if (rows.size() == 1 || rows.size() == 2) {
      tile.least_rows = rows[0].as_count();
      if (rows.size() == 2) tile.most_rows = rows[1].as_count();
    } else {
      node.fail_at("rows", "expected [least, most] or [least]");
    }
    node.finish();
    return tile;
  }
  const std::vector<Node> sides = node.items();
  if (sides.size() < 2 || sides.size() > 3) {
    node.fail("a tile is [n, m] or [n, m, units]");
    return {};
  }
  GemmTile tile;
  tile.n = sides[0].as_count();
  tile.m = sides[1].as_count();
  if (sides.size() == 3) tile.units = sides[2].as_count();
  return tile;
}

std::vector<std::int64_t> decode_counts(Node list) {
  std::vector<std::int64_t> counts;
  for (const Node& item : list.items()) counts.push_back(item.as_count());
  return counts;
}

// A list that is not written keeps what `gemm` has.
void decode_gemm_plans(Node node, GemmParameters& gemm) {
  if (node.has("tiles")) {
    gemm.tiles.clear();
    for (const Node& tile : node.child("tiles").items()) gemm.tiles.push_back(decode_tile(tile));
  }
  if (node.has("splits")) gemm.splits = decode_counts(node.child("splits"));
  if (node.has("vector_rows")) gemm.vector_rows = decode_counts(node.child("vector_rows"));
  gemm.splits_from_volume = node.count_or("splits_from_volume", gemm.splits_from_volume);
  const bool takes_all = std::any_of(gemm.tiles.begin(), gemm.tiles.end(), [](const GemmTile& tile) {
    return tile.most_rows == std::numeric_limits<std::int64_t>::max();
  });
  if (!takes_all) node.fail_at("tiles", "at least one tile without an upper bound of rows is needed");
  if (std::find(gemm.splits.begin(), gemm.splits.end(), 1) == gemm.splits.end())
    node.fail_at("splits", "at least the split 1 is needed");
  node.read_block_source();
  node.finish();
}

void decode_long_rows(Node& node, GemmParameters& g) {
  g.long_row = node.value_or<Bytes>("long_row", g.long_row, Range::non_negative);
  g.long_row_slowdown = node.number_or("long_row_slowdown", g.long_row_slowdown);
  if (g.long_row_slowdown < 1) node.fail_at("long_row_slowdown", "must be at least 1");
}

void decode_quantisers(Node& node, GemmParameters& g) {
  if (node.has("quantiser")) g.quantiser = decode_quantiser(node.require_mapping("quantiser"));
  if (node.has("batched_quantiser")) g.batched_quantiser = decode_quantiser(node.require_mapping("batched_quantiser"));
}

const Node::Words<OperandPath> kOperandPaths{{"register_file", OperandPath::register_file},
                                             {"shared_memory", OperandPath::shared_memory},
                                             {"tensor_memory", OperandPath::tensor_memory},
                                             {"vector_lanes", OperandPath::vector_lanes}};

// The kernels of one format: what it does not say is as in `standard`.
GemmParameters decode_gemm_format(Node node, const GemmParameters& standard) {
  GemmParameters g = standard;
  if (node.has("plans")) decode_gemm_plans(node.require_mapping("plans"), g);
  g.operand_path = node.word_or<OperandPath>("operand_path", kOperandPaths, g.operand_path);
  g.fixed = node.value_or<Seconds>("fixed", g.fixed);
  g.matrix_efficiency = node.number_or("matrix_efficiency", g.matrix_efficiency, Range::fraction);
  g.prologue = node.number_or("prologue", g.prologue, Range::non_negative);
  g.epilogue = node.number_or("epilogue", g.epilogue, Range::non_negative);
  g.epilogue_store = node.value_or<Bytes>("epilogue_store", g.epilogue_store);
  g.exposed_ends = node.number_or("exposed_ends", g.exposed_ends, Range::fraction);
  g.k_step = node.number_or("k_step", g.k_step, Range::non_negative);
  g.split_reduction = node.value_or<Seconds>("split_reduction", g.split_reduction);
  g.split_preference = node.value_or<Seconds>("split_preference", g.split_preference, Range::non_negative);
  g.unit_load = node.value_or<Bytes>("unit_load", g.unit_load);
  g.stages_in_flight = node.number_or("stages_in_flight", g.stages_in_flight);
  g.overlap_norm = node.number_or("overlap_norm", g.overlap_norm);
  g.warm_share = node.number_or("warm_share", g.warm_share, Range::fraction);
  g.rotating_share = node.number_or("rotating_share", g.rotating_share, Range::fraction);
  g.operand_limit = node.number_or("operand_limit", g.operand_limit, Range::non_negative);
  decode_long_rows(node, g);
  g.memory_share = node.number_or("memory_share", g.memory_share, Range::fraction);
  decode_quantisers(node, g);
  node.finish();
  return g;
}

RowKernel decode_row_kernel(Node node) {
  RowKernel row;
  row.threads = node.require_count("threads");
  row.least_threads = node.count_or("least_threads", row.threads);
  row.vector = node.require_number("vector");
  row.reads = node.require_number("reads");
  row.start = node.require_number("start", Range::non_negative);
  row.step = node.require_number("step", Range::non_negative);
  row.register_cols = node.count_or("register_cols", 0, 0);
  row.overlap_norm = node.require_number("overlap_norm");
  if (row.least_threads > row.threads) node.fail_at("least_threads", "more than 'threads'");
  node.finish();
  return row;
}

StreamParameters decode_stream(Node node, const StreamParameters& standard) {
  StreamParameters s{
      .fixed = node.value_or<Seconds>("fixed", standard.fixed),
      .passes = node.number_or("passes", standard.passes),
      .footprint = node.number_or("footprint", standard.footprint),
      .in_flight = node.value_or<Bytes>("in_flight", standard.in_flight),
      .memory_efficiency = node.number_or("memory_efficiency", standard.memory_efficiency, Range::fraction),
      .per_element = node.value_or<Flops>("per_element", standard.per_element),
  };
  if (node.has("row")) s.row = decode_row_kernel(node.require_mapping("row"));
  node.finish();
  return s;
}

}  // namespace

Quantiser decode_quantiser(Node node) {
  Quantiser quantiser{
      .fixed = node.require<Seconds>("fixed", Range::non_negative),
      .passes = node.require_number("passes", Range::non_negative),
      .per_row = node.require<Seconds>("per_row", Range::non_negative),
  };
  node.finish();
  return quantiser;
}

GemmFormats decode_gemm(Node node) {
  GemmFormats gemm;
  GemmParameters& g = gemm.standard;
  decode_gemm_plans(node.require_mapping("plans"), g);
  g.operand_path = node.require_word<OperandPath>("operand_path", kOperandPaths);
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
  decode_long_rows(node, g);
  g.memory_share = node.number_or("memory_share", 1, Range::fraction);
  decode_quantisers(node, g);
  Node formats = node.child("formats");
  for (const work::DType dtype : work::kDTypes) {
    const std::string name(work::name_of(dtype));
    if (formats.has(name)) gemm.formats.emplace(dtype, decode_gemm_format(formats.require_mapping(name), g));
    const std::string weights = name + "_weights";
    if (formats.has(weights)) gemm.weights_only.emplace(dtype, decode_gemm_format(formats.require_mapping(weights), g));
  }
  if (formats.is_present()) formats.finish();
  node.finish();
  return gemm;
}

const GemmParameters& GemmFormats::of(work::DType activations, work::DType weights) const {
  if (activations != weights) {
    const auto own = weights_only.find(weights);
    return own != weights_only.end() ? own->second : standard;
  }
  auto own = formats.find(activations);
  if (own == formats.end()) own = formats.find(work::arithmetic_of(activations));
  return own != formats.end() ? own->second : standard;
}

ElementwiseParameters decode_elementwise(Node node) {
  ElementwiseParameters e;
  e.standard.memory_efficiency = node.require_number("memory_efficiency", Range::fraction);
  e.resident_threads = node.count_or("resident_threads", 0, 0);
  e.row_reuse_share = node.number_or("row_reuse_share", 0, Range::non_negative);
  e.standard.fixed = node.require<Seconds>("fixed");
  e.standard.passes = node.require_number("passes");
  e.standard.in_flight = node.require<Bytes>("in_flight");
  for (auto& [kind, stream] : node.child("kinds").members()) {
    const auto& decoded = e.kinds.emplace(kind, decode_stream(stream, e.standard)).first->second;
    if (decoded.row && e.resident_threads == 0)
      stream.fail_at("row", "needs 'resident_threads', the threads that a unit runs at once");
  }
  node.finish();
  return e;
}

SystolicParameters decode_systolic(Node node) {
  SystolicParameters s;
  s.fixed = node.require<Seconds>("fixed");
  s.matrix_efficiency = node.require_number("matrix_efficiency", Range::fraction);
  s.memory_efficiency = node.require_number("memory_efficiency", Range::fraction);
  s.weight_load = node.require_number("weight_load", Range::non_negative);
  s.result = node.require_number("result", Range::non_negative);
  s.far_result = node.number_or("far_result", s.result, Range::non_negative);
  s.step = node.require_number("step", Range::non_negative);
  s.buffers = node.count_or("buffers", 2, 2);
  s.scoped = node.require<Bytes>("scoped");
  s.decode_per_sequence = node.require<Seconds>("decode_per_sequence", Range::non_negative);
  s.decode_memory_efficiency = node.require_number("decode_memory_efficiency", Range::fraction);
  s.prefill_matrix_efficiency = node.require_number("prefill_matrix_efficiency", Range::fraction);
  s.backward_rate = node.require_number("backward_rate", Range::positive);
  s.attention_fixed = node.require<Seconds>("attention_fixed");
  for (auto& [name, path] : node.child("paths").members()) {
    PathParameters& p = s.paths[name];
    if (path.has("latency")) p.latency = path.require<Seconds>("latency", Range::non_negative);
    if (path.has("rate")) p.rate = path.require<BytesPerSecond>("rate");
    p.core = path.number_or("core", 1);
    p.chip = path.number_or("chip", p.core);
    path.finish();
  }
  for (auto& [name, unit] : node.child("units").members()) {
    s.units.emplace(name,
                    UnitTiming{.latency = unit.require_number("latency"), .interval = unit.require_number("interval")});
    unit.finish();
  }
  node.finish();
  return s;
}

}  // namespace mlosim::spec
