// What a chip is asked to do: operators with their shapes. Pure data and arithmetic; nothing here knows a chip.
//
// Shapes follow the contract's op names. A GEMM is C[m,n] = A[m,k] · W[n,k]ᵀ, `batch` times. All counts are >= 1 unless
// said otherwise. OpWork is the compulsory work: each operand read once, each result written once.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "sim/units/quantity.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::work {

// How the author of a kernel tiles it, where it is not the library's choice: tile_m × tile_n of the output a CTA (a
// block of the grid), tile_k deep steps, `stages` of them requested ahead, k cut into split_k parts, CTAs in clusters
// that share their loads. 0: as the library would.
struct Tiling {
  std::int64_t tile_m = 0, tile_n = 0, tile_k = 0;  // all or none
  std::int64_t stages = 0, split_k = 0;
  std::int64_t cluster_m = 0, cluster_n = 0;  // both or neither

  friend auto operator<=>(const Tiling&, const Tiling&) = default;
};

struct Gemm {
  std::int64_t m = 1, n = 1, k = 1;
  std::int64_t batch = 1;
  DType activations = DType::bf16;
  DType weights = DType::bf16;
  DType output = DType::bf16;
  bool quantise_activations = false;  // a dynamic quantisation of A (from `output`'s format) belongs to the operator
  bool parameters = true;             // W is a parameter; false where both operands are activations (attention scores)
  bool accumulates = false;           // adds to what the output holds, which is read first (weight gradients)
  Tiling tiling{};

  friend auto operator<=>(const Gemm&, const Gemm&) = default;
};

// Flash-style attention over whole prompts. Causal rows see keys up to their own position, counted from the end of the
// keys; a window of 0 means none. `head_dim` is that of Q and K, `value_dim` that of V and the output. A causal call
// that `appends` has a kernel before it that rotates Q and K and writes K and V to the cache. `backward`: the gradients
// of Q, K and V from that of the output instead, which computes the scores again (five products for the forward's two).
struct AttentionPrefill {
  std::int64_t batch = 1, seq_q = 1, seq_kv = 1, heads = 1, kv_heads = 1, head_dim = 128, value_dim = 128;
  bool causal = true;
  std::int64_t window = 0;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  bool appends = true;
  bool backward = false;

  friend auto operator<=>(const AttentionPrefill&, const AttentionPrefill&) = default;
};

// One query token for each of `batch` sequences with `seq_kv` cached tokens.
struct AttentionDecode {
  std::int64_t batch = 1, seq_kv = 1, heads = 1, kv_heads = 1, head_dim = 128;
  std::int64_t window = 0;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;

  friend auto operator<=>(const AttentionDecode&, const AttentionDecode&) = default;
};

// Multi-head latent attention (DeepSeek): per token one latent of `kv_rank` + `rope_dim` is cached. Prefill expands it
// per head (absorbed = false) or works on the latent (absorbed = true); decode is always absorbed. `window` bounds the
// keys of a query where an indexer chooses them (DeepSeek sparse attention); 0 means all earlier ones. `appends` and
// `backward` as in AttentionPrefill.
struct MlaPrefill {
  std::int64_t batch = 1, seq_q = 1, seq_kv = 1, heads = 128;
  std::int64_t kv_rank = 512, nope_dim = 128, rope_dim = 64, value_dim = 128;
  bool absorbed = false;
  std::int64_t window = 0;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  bool appends = true;
  bool backward = false;

  friend auto operator<=>(const MlaPrefill&, const MlaPrefill&) = default;
};
struct MlaDecode {
  std::int64_t batch = 1, seq_kv = 1, heads = 128;
  std::int64_t kv_rank = 512, rope_dim = 64;
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;

  friend auto operator<=>(const MlaDecode&, const MlaDecode&) = default;
};

enum class ExpertDistribution { balanced, power_law };

// What of an expert layer is run.
enum class MoePass {
  forward,          // permutation, both products with the activation between them, combination
  up,               // the first product alone, with its permutation and activation
  input_gradient,   // the forward's way back: both products, the activation's gradient, the same permutations
  weight_gradient,  // of both matrices, from rows that are in expert order already; added to fp32 gradients
};

// A routed mixture-of-experts feed-forward layer, the two (gated: up and gate together, then down) grouped GEMMs with
// permutation and combination: `tokens` rows choose `topk` of `experts`; one of ep expert groups, its matrices cut tp
// ways.
struct MoeGemm {
  std::int64_t tokens = 1, hidden = 1, inter = 1, experts = 1, topk = 1, tp = 1, ep = 1;
  bool gated = true;
  ExpertDistribution distribution = ExpertDistribution::balanced;
  double exponent = 0;  // of power_law
  DType activations = DType::bf16;
  DType weights = DType::bf16;
  MoePass pass = MoePass::forward;

  friend auto operator<=>(const MoeGemm&, const MoeGemm&) = default;
};

// scale: with one number for all elements, by any of the four operations. amax_scale: the largest magnitude of all
// elements, and the scale that a format's range gives from it.
// delta_rule: one token's update of a linear attention's state and its product with the query (decay, two products with
// the state, a rank-1 addition). topk_router: selection of the largest of `cols` scores.
//
// Of training: masked_softmax scales and masks as well; bias_dropout_add adds a bias, drops and adds the residual;
// norm_backward yields the gradients of a norm's input and weights; row_sum adds up rows (the gradient of a bias);
// scatter_add adds rows to those of a table; adam updates parameters from gradients and two moments.
enum class ElementwiseKind {
  copy,
  add,
  mul,
  scale,
  div,
  pow,
  tanh,
  gelu,
  relu,
  silu,
  silu_mul,
  gelu_mul,
  softmax,
  layernorm,
  add_layernorm,
  rmsnorm,
  add_rmsnorm,
  rope,
  quantise,
  amax_scale,
  cast,
  topk_router,
  delta_rule,
  dropout,
  bias_dropout_add,
  masked_softmax,
  softmax_backward,
  norm_backward,
  activation_backward,
  cross_entropy,
  cross_entropy_backward,
  row_sum,
  scatter_add,
  adam
};

// One pass over rows × cols elements. `bytes_in` and `bytes_out` are what it must read and write in all.
struct Elementwise {
  ElementwiseKind kind = ElementwiseKind::copy;
  std::int64_t rows = 1, cols = 1;
  DType dtype = DType::bf16;
  Bytes bytes_in{};
  Bytes bytes_out{};

  friend auto operator<=>(const Elementwise&, const Elementwise&) = default;
};

// Gathers one row of `hidden` elements for each token.
struct Embedding {
  std::int64_t tokens = 1, hidden = 1, vocab = 1;
  DType dtype = DType::bf16;

  friend auto operator<=>(const Embedding&, const Embedding&) = default;
};

// Picks one token per row from `vocab` logits: a softmax pass and a selection pass.
struct Sampling {
  std::int64_t rows = 1, vocab = 1;
  DType dtype = DType::fp32;

  friend auto operator<=>(const Sampling&, const Sampling&) = default;
};

enum class CollectiveKind { all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, p2p };

// `bytes` is the larger buffer of a rank: the gathered, or the unreduced one. The ranks stand `stride` apart in the
// system's numbering of its chips, which counts those of a node first; all chips between and beside them do the same at
// the same time, in groups of their own. A p2p of more than two ranks is one of stages to the next: the slowest counts.
struct Collective {
  CollectiveKind kind = CollectiveKind::all_reduce;
  Bytes bytes{};
  std::int64_t ranks = 2;
  DType dtype = DType::bf16;
  std::int64_t stride = 1;  // distance between neighbours of the group in the numbering of the chips
  double crossing = 1;      // all_to_all: of the bytes for another node, those that cross; the rest is copied there

  friend auto operator<=>(const Collective&, const Collective&) = default;
};

using Operator = std::variant<Gemm, AttentionPrefill, AttentionDecode, MlaPrefill, MlaDecode, MoeGemm, Elementwise,
                              Embedding, Sampling, Collective>;

// "gemm", "attention_decode", "rmsnorm", "all_reduce": the contract's name of an operator.
std::string_view name_of(const Operator& op);
std::string_view name_of(ElementwiseKind kind);
std::string_view name_of(CollectiveKind kind);

// Compulsory work.
struct OpWork {
  Flops matrix;                      // multiplications and additions of the matrix unit, counted separately
  DType matrix_dtype = DType::bf16;  // the arithmetic they run in
  Flops vector;                      // fp32 operations of the vector unit, transcendentals excluded
  double exponentials = 0;           // transcendental evaluations
  Bytes read;                        // operands, each once
  Bytes written;                     // results, each once
  Bytes weights;                     // the part of `read` that is parameters

  Bytes bytes() const { return read + written; }
};

OpWork work_of(const Operator& op);

// Products of flash-style attention's gradients over those of its forward: the scores again, and the gradients of the
// probabilities, V, Q and K.
inline constexpr double kBackwardProducts = 2.5;

// Query-key pairs that a causal and/or windowed prefill computes, per head and sequence.
double attention_pairs(std::int64_t seq_q, std::int64_t seq_kv, bool causal, std::int64_t window);

// Keys of one sequence that any of the call's queries sees: those that slid out of the first query's window are not
// read.
std::int64_t keys_read(const AttentionPrefill& op);

// An elementwise operator whose bytes follow from its kind: silu_mul reads two tensors and writes one, and so on.
Elementwise make_elementwise(ElementwiseKind kind, std::int64_t rows, std::int64_t cols, DType dtype, DType output);

// Experts that get at least one token when `tokens` rows choose `topk` of `experts` evenly and independently:
// E·(1 − (1 − k/E)^T).
double touched_experts(std::int64_t tokens, std::int64_t experts, std::int64_t topk);

}  // namespace mlosim::work
