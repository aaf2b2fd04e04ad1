// Networks that the tests of models/plan cut: small enough to derive every shape by hand, and llama-3.1-70b of the zoo.
#pragma once

#include <string>

#include "models/graph/graph.hpp"
#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::plan {

inline graph::ModelSpec read_model(const std::string& yaml) {
  const spec::Value document = spec::parse_document(yaml, "model.yaml");
  spec::Decoding decoding;
  graph::ModelSpec model = graph::decode_model(spec::Node(&document, "model", &decoding));
  decoding.diagnostics.throw_if_any();
  return model;
}

inline graph::ModelSpec dense_model() {
  return read_model("{name: dense, layers: 4, hidden: 64, heads: 8, kv_heads: 2, head_dim: 8, ffn: 96, vocab: 1000}");
}

// The first of its four layers is dense, the others route to 8 experts and one that is always on.
inline graph::ModelSpec moe_model() {
  return read_model(
      "{name: moe, layers: 4, hidden: 64, heads: 8, kv_heads: 8, head_dim: 8, ffn: 96, vocab: 1000,"
      " moe: {experts: 8, experts_per_token: 2, expert_ffn: 32, shared_experts: 1, dense_layers: 1}}");
}

inline graph::ModelSpec llama_70b() {
  return read_model(support::read_text(support::source_dir() / "models/zoo/llama-3.1-70b.yaml"));
}

}  // namespace mlosim::plan
