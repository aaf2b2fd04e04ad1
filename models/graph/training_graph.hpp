// What one micro-batch runs through in training: each kind of layer's forward, recomputed and backward operators, whole
// (not cut over chips), and the activations that it keeps in between. Without collectives and without an optimiser:
// those are the planner's. Built from the same nodes as inference.
//
// Byte counts of the passes over activations (per element, 16-bit formats; Megatron's fused kernels):
//   forward   norm 4, bias + dropout + add 7, activation 4 (gated 6), masked softmax 4, dropout of the scores 5
//   backward  norm 10, dropout 5, activation 6 (gated 10), softmax 6, sum of two gradients 6, bias gradient 2
//   loss      34 and 18 a logit in fp32 passes, 14 and 6 fused
// Flash attention's backward computes the scores again: five products for the forward's two.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/recompute.hpp"

namespace mlosim::graph {

enum class Pass {
  forward,
  recompute,        // forward again, right before the block's gradients
  input_gradient,   // on the way to the block before
  weight_gradient,  // that nothing in the step waits for: schedules may move it
};

// node.partition as in inference: `row` means a partial sum over tp is left. The input gradient of a column-cut matrix
// is `row`, that of a row-cut one `column`; weight gradients are `column` (n is the side that was cut), the LM head's
// `vocabulary`. Experts' nodes are `experts` in all passes.
struct TrainingNode {
  GraphNode node;
  Pass pass = Pass::forward;
  bool reads_input = false;  // a weight gradient of a column-cut product: all tokens of its input, which
                             // sequence-parallel ranks do not keep whole
};

// A tensor that one layer holds for one micro-batch, whole. Over tp `column` and `heads` are cut, `replicated` is cut
// where `sequence` and the run is sequence-parallel; `experts` by moe_tp alone: a rank has as many rows of experts as
// its own tokens choose, whatever ep.
struct KeptTensor {
  std::string name;  // MaxText's, where it has one; otherwise that of the node which wrote it, with what it is
  Bytes bytes;
  Partition partition = Partition::replicated;
  bool sequence = false;
  bool offloaded = false;           // waits in the host's memory
  bool of_weight_gradient = false;  // an operand of one: what puts weight gradients off holds it until then

  // Of one rank.
  Bytes of_rank(std::int64_t tp, bool sequence_parallel, std::int64_t moe_tp) const;
};

// Equal layers, or an end of the network.
struct TrainingBlock {
  std::string name;                    // "embedding", "layers.0" (of the first of its kind), "head"
  std::vector<std::int64_t> layers;    // that it stands for; empty for the ends
  std::vector<TrainingNode> forward;   // Pass::forward, in order
  std::vector<TrainingNode> backward;  // recomputed ones first, then gradients in order
  std::vector<KeptTensor> kept;        // from a micro-batch's forward to the end of its backward, of one layer
  std::vector<KeptTensor> recomputed;  // beside them while the backward of one layer runs
  double parameters = 0;               // of one layer, experts apart; a tied LM head has none of its own
  double expert_parameters = 0;        // routed experts of one layer

  bool is_layer() const { return !layers.empty(); }
};

// The embedding, one block for each kind of layer in the order in which each first occurs, the head with the loss.
struct TrainingGraph {
  std::vector<TrainingBlock> blocks;
  std::vector<std::uint32_t> block_of_layer;  // index into blocks
};

// One micro-batch on one rank of `cp` that share a sequence: sequence / cp queries each, balanced so that each sees
// as many keys. ViT's sequence is that of its image.
struct TrainingShape {
  std::int64_t micro_batch = 1, sequence = 1, cp = 1;

  std::int64_t tokens_of_rank() const { return micro_batch * (sequence / cp); }
};

// What the software stack makes of it.
struct TrainingOptions {
  bool fused_attention = true;        // flash-style; otherwise scores go through memory, masked ones included
  bool dropout = false;               // of the embedding, the scores and both branches of a layer
  bool fuses_residual_norm = false;   // residual addition inside the norm kernel; never with dropout
  bool fuses_dropout_add = true;      // bias, dropout and residual addition in one kernel
  bool fuses_bias_activation = true;  // bias addition inside the activation's kernel
  bool fuses_gate_activation = true;
  bool fuses_cross_entropy = true;
  bool fuses_gradient_accumulation = true;  // weight-gradient GEMMs add to the fp32 gradients themselves
  bool fuses_quantisation = false;          // no passes of their own that quantise and transpose operands
  bool weighs_expert_outputs = false;       // routing weights multiply experts' outputs, which the backward then needs
                                            // (MaxText); otherwise their activations (Megatron-core)
  bool prunes_recompute = false;  // a compiler leaves out recomputed operators that no gradient needs; otherwise all of
                                  // a layer (full) or of its attention (selective) runs again; lists of
                                  // kept tensors are always followed that way
  bool trains_weights = true;     // false: adapters alone (LoRA), whose own work is left out
  Recompute recompute{};
};

// Throws spec::InputError for encoder-decoders. `sequence` divides by cp (checked by the planner).
TrainingGraph build_training_graph(const ModelSpec& model, const TrainingShape& shape, const Precision& precision,
                                   const TrainingOptions& options);

}  // namespace mlosim::graph
