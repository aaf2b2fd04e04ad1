#include "validate/suite/decode_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mlosim::suite {
namespace {

// A measured format as the operator's formats of activations and weights.
struct Format {
  std::string_view name, activations, weights;
  bool quantised = false;  // a stack quantises the activations first
};
constexpr std::array kFormats{Format{"bfloat16", "bf16", "bf16"},
                              Format{"bf16", "bf16", "bf16"},
                              Format{"float16", "fp16", "fp16"},
                              Format{"fp16", "fp16", "fp16"},
                              Format{"float32", "fp32", "fp32"},
                              Format{"fp32", "fp32", "fp32"},
                              Format{"tf32", "tf32", "tf32"},
                              Format{"float64", "fp64", "fp64"},
                              Format{"fp64", "fp64", "fp64"},
                              Format{"fp8", "fp8", "fp8", true},
                              Format{"fp8_block", "fp8_block", "fp8_block", true},
                              Format{"mxfp8", "mxfp8", "mxfp8", true},
                              Format{"nvfp4", "nvfp4", "nvfp4", true},
                              Format{"mxfp4", "mxfp4", "mxfp4", true},
                              Format{"int8", "int8", "int8", true},
                              Format{"sq", "int8", "int8", true},
                              Format{"int8_wo", "bf16", "int8"},
                              Format{"int4_wo", "bf16", "int4"},
                              Format{"w4a16_mxfp4", "bf16", "mxfp4"},
                              Format{"w4a8_mxfp4_mxfp8", "mxfp8", "mxfp4", true}};

const Format* find_format(std::string_view name) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

// Words of tables for what the contract calls otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kCollectives{
    {{"alltoall", "all_to_all"}, {"send_recv", "p2p"}, {"quantize", "quantise"}}};

std::string_view contract_word(std::string_view word) {
  for (const auto& [theirs, ours] : kCollectives) {
    if (word == theirs) return ours;
  }
  return word;
}

// Collects the members of an `ops:` entry, each placed where its cell is.
class EntryWriter {
 public:
  explicit EntryWriter(const spec::Value& row) {
    entry_.kind = spec::Value::Kind::mapping;
    entry_.file = row.file;
    entry_.line = row.line;
    entry_.column = row.column;
    entry_.members.reserve(16);
  }

  void add(std::string_view key, std::string_view text, const spec::Value& cell) {
    spec::Value value;
    value.kind = spec::Value::Kind::scalar;
    value.text = text;
    value.file = cell.file;
    value.line = cell.line;
    value.column = cell.column;
    entry_.members.push_back({std::string(key), {}, std::move(value)});
  }

  spec::Value take() { return std::move(entry_); }

 private:
  spec::Value entry_;
};

constexpr std::array<std::string_view, 18> kSizes{"batch", "m",        "n",        "k",      "seq_q",  "seq_kv",
                                                  "heads", "kv_heads", "head_dim", "window", "tokens", "hidden",
                                                  "inter", "experts",  "topk",     "tp",     "ep",     "rows"};
constexpr std::array<std::string_view, 5> kMoreSizes{"cols", "bytes", "ranks", "bytes_in", "bytes_out"};

bool is_size(std::string_view column) {
  return std::find(kSizes.begin(), kSizes.end(), column) != kSizes.end() ||
         std::find(kMoreSizes.begin(), kMoreSizes.end(), column) != kMoreSizes.end();
}

std::string_view flag_word(std::string_view text) {
  if (text == "1" || text == "True") return "true";
  if (text == "0" || text == "False") return "false";
  return text;
}

bool has_experts_distribution(std::string_view text) { return text == "balanced" || text.starts_with("power_law_"); }

// The kind of a collective: "all_reduce_custom:<stack>" is a framework's own all-reduce.
std::string_view collective_kind(std::string_view kind) {
  return kind.starts_with("all_reduce_custom") ? "all_reduce" : contract_word(kind);
}

std::string_view text_of(const RowCells& cells, std::string_view column) {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const auto& cell) { return cell.first == column; });
  return found == cells.end() ? std::string_view() : std::string_view(found->second.text);
}

bool ran_without_gate(const RowCells& cells, const Protocol& protocol) {
  const std::string_view hidden = text_of(cells, "hidden"), inter = text_of(cells, "inter");
  const auto is_row = [&](const ExpertShape& shape) {
    return hidden == std::to_string(shape.hidden) && inter == std::to_string(shape.inter);
  };
  return std::any_of(protocol.ungated_experts.begin(), protocol.ungated_experts.end(), is_row);
}

// What really ran, in the words of the contract.
std::string_view operator_word(std::string_view op, std::string_view kind, const RowCells& cells,
                               const Protocol& protocol) {
  if (protocol.keeps_tensors) return "copy";
  const auto meant = protocol.operators.find(std::string(kind));
  if (meant != protocol.operators.end()) return meant->second;
  // A gate that reads no more than it writes is the plain activation.
  if (kind == "silu_mul" && !text_of(cells, "bytes_in").empty() &&
      text_of(cells, "bytes_in") == text_of(cells, "bytes_out"))
    return "silu";
  return op == "elementwise" ? contract_word(kind) : op;
}

}  // namespace

OpEntry make_op_entry(std::string_view op, const RowCells& cells, const Protocol& protocol, const spec::Value& row) {
  EntryWriter entry(row);
  OpEntry made;
  const auto refuse = [&](std::string reason) {
    made.not_modelled = std::move(reason);
    return made;
  };
  std::string_view kind = op;
  const spec::Value* kind_cell = &row;
  for (const auto& [column, cell] : cells) {
    if (column != "kind") continue;
    kind = cell.text;
    kind_cell = &cell;
  }
  const bool is_gemm = op == "gemm" || op == "moe_gemm";
  const bool is_collective = op == "collective";
  const std::string_view word = operator_word(op, kind, cells, protocol);
  entry.add("op", word, *kind_cell);
  if (is_collective) entry.add("kind", collective_kind(kind), *kind_cell);
  for (const auto& [column, cell] : cells) {
    if (column == "dtype") {
      const std::size_t arrow = cell.text.find("->");
      const auto ran_in = protocol.formats.find(cell.text);
      const Format* format =
          find_format(ran_in != protocol.formats.end() ? std::string_view(ran_in->second)
                                                       : std::string_view(cell.text).substr(0, arrow));
      if (!format) return refuse(fmt::format("format '{}' is not modelled", cell.text));
      entry.add("dtype", format->activations, cell);
      if (arrow != std::string::npos) {
        const Format* output = find_format(std::string_view(cell.text).substr(arrow + 2));
        if (!output) return refuse(fmt::format("format '{}' is not modelled", cell.text));
        entry.add("output_dtype", output->activations, cell);
      }
      if (!is_gemm && !is_collective && format->activations != format->weights)
        return refuse(fmt::format("format '{}' is not modelled for {}", cell.text, op));
      if (is_gemm) entry.add("weights_dtype", format->weights, cell);
      if (op == "gemm" && format->quantised && protocol.quantises_activations) entry.add("quantise", "true", cell);
    } else if (column == "kv_dtype") {
      const Format* format = find_format(cell.text);
      if (!format || format->activations != format->weights)
        return refuse(fmt::format("format '{}' of a KV cache is not modelled", cell.text));
      entry.add("kv_dtype", format->activations, cell);
    } else if (column == "gated" && ran_without_gate(cells, protocol)) {
      entry.add(column, "false", cell);
    } else if (column == "causal" || column == "gated") {
      entry.add(column, flag_word(cell.text), cell);
    } else if (column == "distribution") {
      if (!has_experts_distribution(cell.text))
        return refuse(fmt::format("distribution '{}' of tokens over experts is not modelled", cell.text));
      entry.add(column, cell.text, cell);
    } else if (column == "seq_q" && op.ends_with("_decode")) {
      if (cell.text != "1") return refuse("more than one query token a step is not modelled");
    } else if (is_size(column) && !(protocol.keeps_tensors && column.starts_with("bytes"))) {
      entry.add(column, cell.text, cell);
    }
  }
  if (protocol.keeps_tensors) {
    entry.add("bytes_in", "0", row);
    entry.add("bytes_out", "0", row);
  }
  made.entry = entry.take();
  return made;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::string chip_of_device(std::string_view device) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kShort{
      {{"a100_sxm", "a100_sxm_80gb"}, {"rtx4090", "rtx_4090"}, {"v100_sxm2", "v100_sxm2_32gb"}}};
  for (const auto& [theirs, ours] : kShort) {
    if (device == theirs) return std::string(ours);
  }
  return std::string(device);
}

}  // namespace mlosim::suite
