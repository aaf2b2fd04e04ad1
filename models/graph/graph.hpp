// A network's step as a list of operators in the order they run, whole (not cut over chips). Built from a ModelSpec;
// cut and placed by models/plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/graph/model.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::graph {

// Formats of the tensors of a run. Quantised formats apply to the matrices of the layers (to the routed experts alone
// where the model says so); embedding, head, router and indexer stay in `compute`, as published checkpoints keep them.
struct Precision {
  work::DType weights = work::DType::bf16;
  work::DType activations = work::DType::bf16;  // of the matrix operands
  work::DType kv_cache = work::DType::bf16;
  work::DType compute = work::DType::bf16;  // of what is not quantised: residual stream, norms, attention
};

// What an operator may be cut along over a tensor-parallel group.
enum class Partition {
  replicated,  // every rank does all of it
  column,      // GEMM: n; elementwise: cols
  row,         // GEMM: k; its output is a partial sum, all-reduced after it
  heads,       // attention: heads and kv_heads; batched GEMM: batch; elementwise: rows
  experts,     // MoE: expert groups and their matrices; its output is summed over the group
  vocabulary,  // LM head: n; embedding: a rank's part of the table, all-reduced
};

struct GraphNode {
  std::string name;  // within its block: "attention.qkv"
  work::Operator op;
  Partition partition = Partition::replicated;
  bool sequence = false;        // replicated work on each token alone, which sequence parallelism divides over tp: a
                                // GEMM's m (of a weight gradient k), a pass's rows
  bool attention_side = false;  // belongs to the attention block (data-parallel under attention_dp)
  bool joins_next_reduction =
      false;             // its partial sum is added to that of the next row or experts node: one reduction for both
  bool attends = false;  // its output sums over keys: partial where a rank has a part of them (context parallelism)
  std::int64_t kv_columns = 0;  // of a GEMM's n, the keys' and values' (or latent's) part: cut at most kv_ways ways
  std::int64_t kv_ways = 1;
};

// Columns of a column GEMM that one of `ranks` ranks computes, rounded up: keys and values are repeated where there are
// fewer KV heads than ranks.
std::int64_t columns_of_rank(const GraphNode& node, std::int64_t ranks);

// A run of equal layers, or one of the ends of the network.
struct Block {
  std::string name;                  // "embedding", "layers.0" (of the first of its kind), "encoder.0", "head"
  std::vector<std::int64_t> layers;  // indices of the layers that it stands for; empty for the ends
  std::vector<GraphNode> nodes;

  std::int64_t repeat() const { return layers.empty() ? 1 : static_cast<std::int64_t>(layers.size()); }
};

// Blocks in the order in which each first occurs. Layers of different kinds (windowed and full attention, dense and
// MoE) are different blocks even where they alternate.
struct Graph {
  std::vector<Block> blocks;
};

// Fusions that change which operators there are.
struct GraphOptions {
  bool fuses_residual_norm = true;    // residual addition inside the norm
  bool fuses_gate_activation = true;  // activation and gate product in one kernel
  bool fuses_rope = true;             // rotary embedding and KV append inside the attention call
  bool fused_attention = true;        // flash-style; otherwise scores, softmax and context are three operators
};

// One forward step: `batch` sequences of `new_tokens` tokens each, whose keys and values end up `context` tokens long
// (context >= new_tokens). Decode is new_tokens = 1 with context of the cache; prefill has new_tokens = context.
//
// Encoders take the whole sequence at once; ViT's length is that of its image whatever new_tokens says.
// Encoder-decoders read the prompt in the encoder: prefill runs it over new_tokens, projects its keys and values for
// every decoder layer and runs the decoder's first token; decode runs the decoder alone, over source_tokens (0: all of
// `context`) of the encoder and the rest of `context` of its own.
//
// Of cp ranks each has an even part of a prompt's tokens, near ones and far ones (zigzag), so that its queries see on
// average as many keys as the last queries of half a prompt and half a part; in decode each has an even part of the
// cache, windows included (the cache is interleaved).
struct StepShape {
  std::int64_t batch = 1;
  std::int64_t new_tokens = 1;
  std::int64_t context = 1;
  bool decode = false;
  bool all_logits = false;  // every token reaches the head (training, scoring) instead of each sequence's last
  std::int64_t source_tokens = 0;
  std::int64_t cp = 1;  // ranks that share each sequence: the graph is one rank's
};

Graph build_inference_graph(const ModelSpec& model, const StepShape& step, const Precision& precision,
                            const GraphOptions& options);

// Bytes that one sequence of `context` tokens keeps between steps, over all layers (the whole model, not one rank):
// keys and values, of windowed layers those inside the window, MLA's latent with its rotary key and the indexer's key,
// the fp32 state and the convolution's last inputs of linear attention. Encoders keep nothing; an encoder-decoder keeps
// each token once, the prompt's in the cross-attention and the output's in the self-attention.
Bytes kv_cache_bytes(const ModelSpec& model, std::int64_t context, work::DType kv_cache);
// Of one decoder layer.
Bytes layer_kv_cache_bytes(const ModelSpec& model, std::int64_t layer, std::int64_t context, work::DType kv_cache);

}  // namespace mlosim::graph
