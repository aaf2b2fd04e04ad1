#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "tests/unit/models/graph/tiny_models.hpp"

namespace mlosim::graph {
namespace {

using testing::ElementsAre;
using work::DType;
using work::ElementwiseKind;

constexpr StepShape kPrefill{.batch = 2, .new_tokens = 10, .context = 10};
constexpr StepShape kDecode{.batch = 3, .new_tokens = 1, .context = 50, .decode = true};

std::vector<std::string> names(const Block& block) {
  std::vector<std::string> list;
  for (const GraphNode& node : block.nodes) list.push_back(node.name);
  return list;
}

const Block& block(const Graph& graph, const std::string& name) {
  for (const Block& b : graph.blocks) {
    if (b.name == name) return b;
  }
  throw std::out_of_range(name);
}

const GraphNode& node(const Graph& graph, const std::string& in, const std::string& name) {
  for (const GraphNode& n : block(graph, in).nodes) {
    if (n.name == name) return n;
  }
  throw std::out_of_range(name);
}

template <class Op>
const Op& op(const Graph& graph, const std::string& in, const std::string& name) {
  return std::get<Op>(node(graph, in, name).op);
}

void expect_gemm(const Graph& graph, const std::string& name, std::int64_t m, std::int64_t n, std::int64_t k) {
  const auto& gemm = op<work::Gemm>(graph, "layers.0", name);
  EXPECT_EQ(gemm.m, m) << name;
  EXPECT_EQ(gemm.n, n) << name;
  EXPECT_EQ(gemm.k, k) << name;
}

TEST(InferenceGraph, ADenseDecoderRunsItsOperatorsInOrder) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {});
  ASSERT_EQ(graph.blocks.size(), 3U);
  EXPECT_THAT(names(graph.blocks[0]), ElementsAre("embedding"));
  EXPECT_THAT(names(graph.blocks[1]), ElementsAre("input_norm", "attention.qkv", "attention.core", "attention.out",
                                                  "post_attention_norm", "mlp.gate_up", "mlp.activation", "mlp.down"));
  EXPECT_THAT(graph.blocks[1].layers, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(names(graph.blocks[2]), ElementsAre("final_norm", "lm_head", "sampling"));
}

TEST(InferenceGraph, PrefillShapesFollowFromTheModel) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {});
  expect_gemm(graph, "attention.qkv", 20, (4 + 2 + 2) * 16, 64);
  expect_gemm(graph, "attention.out", 20, 64, 64);
  expect_gemm(graph, "mlp.gate_up", 20, 2 * 96, 64);
  expect_gemm(graph, "mlp.down", 20, 64, 96);
  const auto& core = op<work::AttentionPrefill>(graph, "layers.0", "attention.core");
  EXPECT_EQ(core.batch, 2);
  EXPECT_EQ(core.seq_q, 10);
  EXPECT_EQ(core.kv_heads, 2);
  EXPECT_TRUE(core.causal);
}

TEST(InferenceGraph, OnlyTheLastTokenOfEachSequenceReachesTheHeadUnlessAllAreAskedFor) {
  EXPECT_EQ(op<work::Gemm>(build_inference_graph(tiny(), kPrefill, {}, {}), "head", "lm_head").m, 2);
  StepShape all = kPrefill;
  all.all_logits = true;
  const Graph graph = build_inference_graph(tiny(), all, {}, {});
  EXPECT_EQ(op<work::Gemm>(graph, "head", "lm_head").m, 20);
  EXPECT_THAT(names(block(graph, "head")), ElementsAre("final_norm", "lm_head"));
}

TEST(InferenceGraph, DecodeAttendsToTheWholeCacheWithOneRowASequence) {
  const Graph graph = build_inference_graph(tiny(), kDecode, {}, {});
  expect_gemm(graph, "attention.qkv", 3, 128, 64);
  const auto& core = op<work::AttentionDecode>(graph, "layers.0", "attention.core");
  EXPECT_EQ(core.batch, 3);
  EXPECT_EQ(core.seq_kv, 50);
  EXPECT_EQ(core.head_dim, 16);
}

TEST(InferenceGraph, DecodeWithNarrowValuesKeepsFlopsAndBytes) {
  ModelSpec m = tiny();
  m.head_dim = 24;
  m.v_head_dim = 16;
  const work::OpWork w =
      work::work_of(node(build_inference_graph(m, kDecode, {}, {}), "layers.0", "attention.core").op);
  EXPECT_EQ(w.matrix.si(), 2 * 3 * 4 * 50 * (24 + 16));
  EXPECT_EQ(w.bytes().si(), 3 * 4 * (24 + 16) * 2 + 3 * 50 * 2 * (24 + 16) * 2);
}

TEST(InferenceGraph, MatricesAreCutAlongTheDimensionThatNeedsNoExchange) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {});
  const auto cut = [&](const char* name) { return node(graph, "layers.0", name).partition; };
  EXPECT_EQ(cut("attention.qkv"), Partition::column);
  EXPECT_EQ(cut("attention.core"), Partition::heads);
  EXPECT_EQ(cut("attention.out"), Partition::row);
  EXPECT_EQ(cut("mlp.gate_up"), Partition::column);
  EXPECT_EQ(cut("mlp.activation"), Partition::column);
  EXPECT_EQ(cut("mlp.down"), Partition::row);
  EXPECT_EQ(cut("input_norm"), Partition::replicated);
  EXPECT_EQ(node(graph, "head", "lm_head").partition, Partition::vocabulary);
  EXPECT_EQ(node(graph, "embedding", "embedding").partition, Partition::vocabulary);
}

TEST(InferenceGraph, AttentionSideEndsBeforeTheFeedForward) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {});
  for (const char* name : {"input_norm", "attention.qkv", "attention.core", "attention.out", "post_attention_norm"}) {
    EXPECT_TRUE(node(graph, "layers.0", name).attention_side) << name;
  }
  for (const char* name : {"mlp.gate_up", "mlp.activation", "mlp.down"})
    EXPECT_FALSE(node(graph, "layers.0", name).attention_side) << name;
}

TEST(InferenceGraph, KeysAndValuesAreRepeatedWhereThereAreFewerHeadsThanRanks) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {});
  const GraphNode& qkv = node(graph, "layers.0", "attention.qkv");
  EXPECT_EQ(columns_of_rank(qkv, 1), 128);
  EXPECT_EQ(columns_of_rank(qkv, 2), 64);
  EXPECT_EQ(columns_of_rank(qkv, 4), 16 + 32);  // one query head, and one of two KV heads
  EXPECT_EQ(columns_of_rank(node(graph, "layers.0", "mlp.gate_up"), 4), 48);
}

TEST(InferenceGraph, FusionsTakeOperatorsAway) {
  const GraphOptions none{
      .fuses_residual_norm = false, .fuses_gate_activation = false, .fuses_rope = false, .fused_attention = false};
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, none);
  EXPECT_THAT(
      names(graph.blocks[1]),
      ElementsAre("input_norm", "attention.qkv", "attention.rope", "attention.kv_append", "attention.core.scores",
                  "attention.core.softmax", "attention.core.context", "attention.out", "attention_residual",
                  "post_attention_norm", "mlp.gate_up", "mlp.activation", "mlp.gate", "mlp.down", "mlp_residual"));
  EXPECT_EQ(op<work::Elementwise>(graph, "layers.0", "input_norm").kind, ElementwiseKind::rmsnorm);
  EXPECT_EQ(op<work::Elementwise>(build_inference_graph(tiny(), kPrefill, {}, {}), "layers.0", "input_norm").kind,
            ElementwiseKind::add_rmsnorm);
}

TEST(InferenceGraph, UnfusedAttentionComputesEveryPairAndHoldsNoParameters) {
  const Graph graph = build_inference_graph(tiny(), kPrefill, {}, {.fused_attention = false});
  const auto& scores = op<work::Gemm>(graph, "layers.0", "attention.core.scores");
  EXPECT_EQ(scores.batch, 2 * 4);
  EXPECT_EQ(scores.m, 10);
  EXPECT_EQ(scores.n, 10);
  EXPECT_EQ(scores.k, 16);
  EXPECT_FALSE(scores.parameters);
  EXPECT_EQ(op<work::Elementwise>(graph, "layers.0", "attention.core.softmax").rows, 2 * 4 * 10);
}

TEST(InferenceGraph, QuantisedRunsQuantiseTheLayersMatricesAndNothingElse) {
  const Precision fp8{.weights = DType::fp8, .activations = DType::fp8, .kv_cache = DType::fp8};
  const Graph graph = build_inference_graph(tiny(), kPrefill, fp8, {});
  const auto& qkv = op<work::Gemm>(graph, "layers.0", "attention.qkv");
  EXPECT_EQ(qkv.weights, DType::fp8);
  EXPECT_TRUE(qkv.quantise_activations);
  EXPECT_EQ(qkv.output, DType::bf16);
  const auto& head = op<work::Gemm>(graph, "head", "lm_head");
  EXPECT_EQ(head.weights, DType::bf16);
  EXPECT_FALSE(head.quantise_activations);
  EXPECT_EQ(op<work::AttentionPrefill>(graph, "layers.0", "attention.core").kv_dtype, DType::fp8);
}

TEST(InferenceGraph, WeightOnlyFormatsLeaveTheActivationsAlone) {
  const Graph graph = build_inference_graph(tiny(), kDecode, {.weights = DType::int4}, {});
  const auto& up = op<work::Gemm>(graph, "layers.0", "mlp.gate_up");
  EXPECT_EQ(up.weights, DType::int4);
  EXPECT_EQ(up.activations, DType::bf16);
  EXPECT_FALSE(up.quantise_activations);
}

TEST(InferenceGraph, ModelsThatQuantiseOnlyTheirExpertsKeepTheRestInTheComputeFormat) {
  ModelSpec m = tiny();
  m.moe = MoeShape{.experts = 8, .experts_per_token = 2, .expert_ffn = 32};
  m.quantises_experts_only = true;
  const Graph graph = build_inference_graph(m, kDecode, {.weights = DType::mxfp4, .activations = DType::mxfp8}, {});
  EXPECT_EQ(op<work::Gemm>(graph, "layers.0", "attention.qkv").weights, DType::bf16);
  EXPECT_EQ(op<work::Gemm>(graph, "layers.0", "attention.qkv").activations, DType::bf16);
  EXPECT_EQ(op<work::MoeGemm>(graph, "layers.0", "moe.experts").weights, DType::mxfp4);
  EXPECT_EQ(op<work::MoeGemm>(graph, "layers.0", "moe.experts").activations, DType::mxfp8);
}

TEST(InferenceGraph, LayersOfEachKindAreABlockOfTheirOwn) {
  ModelSpec m = tiny();
  m.layers = 6;
  m.pattern = {{.window = 4}, {}};
  m.moe = MoeShape{.experts = 8, .experts_per_token = 2, .expert_ffn = 32, .dense_layers = 1};
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  ASSERT_EQ(graph.blocks.size(), 5U);
  EXPECT_THAT(block(graph, "layers.0").layers, ElementsAre(0));        // windowed, dense
  EXPECT_THAT(block(graph, "layers.1").layers, ElementsAre(1, 3, 5));  // full, experts
  EXPECT_THAT(block(graph, "layers.2").layers, ElementsAre(2, 4));     // windowed, experts
  EXPECT_EQ(op<work::AttentionPrefill>(graph, "layers.2", "attention.core").window, 4);
  EXPECT_EQ(op<work::AttentionPrefill>(graph, "layers.1", "attention.core").window, 0);
}

TEST(InferenceGraph, ExpertsComeWithTheirRouterAndTheirSharedExperts) {
  ModelSpec m = tiny();
  m.moe =
      MoeShape{.experts = 8, .experts_per_token = 2, .expert_ffn = 32, .shared_experts = 2, .shared_expert_ffn = 48};
  const Graph graph = build_inference_graph(m, kPrefill, {.weights = DType::fp8, .activations = DType::fp8}, {});
  EXPECT_THAT(names(graph.blocks[1]),
              ElementsAre("input_norm", "attention.qkv", "attention.core", "attention.out", "post_attention_norm",
                          "moe.router", "moe.topk", "moe.shared.gate_up", "moe.shared.activation", "moe.shared.down",
                          "moe.experts", "moe.add"));
  EXPECT_EQ(op<work::Gemm>(graph, "layers.0", "moe.router").weights, DType::bf16);
  EXPECT_EQ(node(graph, "layers.0", "moe.router").partition, Partition::replicated);
  expect_gemm(graph, "moe.shared.gate_up", 20, 2 * 96, 64);
  const auto& experts = op<work::MoeGemm>(graph, "layers.0", "moe.experts");
  EXPECT_EQ(experts.tokens, 20);
  EXPECT_EQ(experts.inter, 32);
  EXPECT_EQ(experts.topk, 2);
  EXPECT_EQ(node(graph, "layers.0", "moe.experts").partition, Partition::experts);
  EXPECT_TRUE(node(graph, "layers.0", "moe.shared.down").joins_next_reduction);
}

TEST(InferenceGraph, LatentAttentionExpandsInPrefillAndIsAbsorbedInDecode) {
  const Graph prefill = build_inference_graph(tiny_latent(), kPrefill, {}, {});
  EXPECT_THAT(names(prefill.blocks[1]),
              ElementsAre("input_norm", "attention.qkv_a", "attention.latent_norm", "attention.q_b", "attention.kv_b",
                          "attention.core", "attention.out", "post_attention_norm", "mlp.gate_up", "mlp.activation",
                          "mlp.down"));
  expect_gemm(prefill, "attention.qkv_a", 20, 24 + 32 + 4, 64);
  expect_gemm(prefill, "attention.q_b", 20, 4 * 16, 24);
  expect_gemm(prefill, "attention.kv_b", 20, 4 * (12 + 8), 32);
  expect_gemm(prefill, "attention.out", 20, 64, 4 * 8);
  EXPECT_EQ(node(prefill, "layers.0", "attention.qkv_a").partition, Partition::replicated);
  EXPECT_FALSE(op<work::MlaPrefill>(prefill, "layers.0", "attention.core").absorbed);

  const Graph decode = build_inference_graph(tiny_latent(), kDecode, {}, {});
  expect_gemm(decode, "attention.absorb_q", 3, 32, 12);
  expect_gemm(decode, "attention.absorb_v", 3, 8, 32);
  EXPECT_EQ(op<work::Gemm>(decode, "layers.0", "attention.absorb_q").batch, 4);
  EXPECT_EQ(node(decode, "layers.0", "attention.absorb_q").partition, Partition::heads);
  EXPECT_EQ(op<work::MlaDecode>(decode, "layers.0", "attention.core").seq_kv, 50);
}

TEST(InferenceGraph, UncompressedQueriesComeStraightFromTheHiddenState) {
  ModelSpec m = tiny_latent();
  m.mla->q_rank = 0;
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  expect_gemm(graph, "attention.q", 20, 64, 64);
  expect_gemm(graph, "attention.kv_a", 20, 36, 64);
}

TEST(InferenceGraph, ASparseAttentionReadsWhatItsIndexerKeeps) {
  ModelSpec m = tiny_latent();
  m.mla->indexer = IndexerShape{.heads = 2, .dim = 8, .topk = 16};
  const Graph decode = build_inference_graph(m, kDecode, {}, {});
  EXPECT_EQ(op<work::MlaDecode>(decode, "layers.0", "attention.core").seq_kv, 16);
  const work::OpWork scores = work::work_of(node(decode, "layers.0", "attention.index_scores").op);
  EXPECT_EQ(scores.matrix.si(), 2 * (3 * 2 * 50) * 8);  // two flops for each of 8 dimensions of a pair
  EXPECT_EQ(op<work::Elementwise>(decode, "layers.0", "attention.index_topk").cols, 50);

  const Graph prefill = build_inference_graph(m, {.new_tokens = 100, .context = 100}, {}, {});
  EXPECT_TRUE(op<work::MlaPrefill>(prefill, "layers.0", "attention.core").absorbed);
  EXPECT_EQ(op<work::MlaPrefill>(prefill, "layers.0", "attention.core").window, 16);
}

TEST(InferenceGraph, ASparseAttentionThatKeepsAllIsDense) {
  ModelSpec m = tiny_latent();
  m.mla->indexer = IndexerShape{.heads = 2, .dim = 8, .topk = 16};
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  EXPECT_FALSE(op<work::MlaPrefill>(graph, "layers.0", "attention.core").absorbed);
  EXPECT_THROW(node(graph, "layers.0", "attention.index_scores"), std::out_of_range);
}

TEST(InferenceGraph, LinearAttentionDecodeIsBoundByItsState) {
  ModelSpec m = tiny();
  m.linear = LinearAttentionShape{.key_heads = 2, .value_heads = 4, .key_dim = 8, .value_dim = 16, .conv = 4};
  m.pattern = {{.linear = true}};
  const Graph graph = build_inference_graph(m, kDecode, {}, {});
  expect_gemm(graph, "attention.in_proj", 3, 2 * 2 * 8 + 4 * 16 + 4 * 16 + 2 * 4, 64);
  const auto& core = op<work::Elementwise>(graph, "layers.0", "attention.core");
  EXPECT_EQ(core.kind, ElementwiseKind::delta_rule);
  EXPECT_EQ(core.bytes_in.si(), 3 * 4 * 8 * 16 * 4 + 3 * (2 * 2 * 8 + 4 * 16) * 2);
  EXPECT_EQ(core.bytes_out.si(), 3 * 4 * 8 * 16 * 4 + 3 * 4 * 16 * 2);
}

TEST(InferenceGraph, LinearAttentionPrefillGrowsWithTheNumberOfChunks) {
  ModelSpec m = tiny();
  m.linear = LinearAttentionShape{.key_heads = 2, .value_heads = 4, .key_dim = 8, .value_dim = 16, .conv = 4};
  m.pattern = {{.linear = true}};
  const auto chunks = [&](std::int64_t tokens) {
    return op<work::Gemm>(build_inference_graph(m, {.batch = 2, .new_tokens = tokens, .context = tokens}, {}, {}),
                          "layers.0", "attention.chunk_state")
        .batch;
  };
  EXPECT_EQ(chunks(64), 2 * 4);
  EXPECT_EQ(chunks(65), 2 * 4 * 2);
  EXPECT_EQ(chunks(6400), 2 * 4 * 100);
}

TEST(InferenceGraph, AParallelBlockWithOneNormIsTwoMatrices) {
  ModelSpec m = tiny();
  m.parallel_block = true;
  m.norms_per_layer = 1;
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  EXPECT_THAT(names(graph.blocks[1]),
              ElementsAre("input_norm", "parallel.in", "attention.core", "mlp.activation", "parallel.out"));
  expect_gemm(graph, "parallel.in", 20, 128 + 2 * 96, 64);
  expect_gemm(graph, "parallel.out", 20, 64, 64 + 96);
  EXPECT_EQ(columns_of_rank(node(graph, "layers.0", "parallel.in"), 4), (64 + 192) / 4 + 64 / 2);
}

TEST(InferenceGraph, AParallelBlockWithTwoNormsAddsItsBranches) {
  ModelSpec m = tiny();
  m.parallel_block = true;
  m.rms_norm = false;
  m.gated = false;
  m.activation = Activation::gelu;
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  EXPECT_THAT(names(graph.blocks[1]),
              ElementsAre("input_norm", "attention.qkv", "attention.core", "attention.out", "post_attention_norm",
                          "mlp.up", "mlp.activation", "mlp.down", "parallel_add"));
  EXPECT_EQ(op<work::Elementwise>(graph, "layers.0", "input_norm").kind, ElementwiseKind::add_layernorm);
  EXPECT_EQ(op<work::Elementwise>(graph, "layers.0", "post_attention_norm").kind, ElementwiseKind::layernorm);
}

TEST(InferenceGraph, FourNormsStandBeforeAndAfterBothParts) {
  ModelSpec m = tiny();
  m.norms_per_layer = 4;
  m.qk_norm = true;
  const Graph graph = build_inference_graph(m, kPrefill, {}, {});
  EXPECT_THAT(names(graph.blocks[1]),
              ElementsAre("input_norm", "attention.qkv", "attention.qk_norm", "attention.core", "attention.out",
                          "post_attention_norm", "pre_feedforward_norm", "mlp.gate_up", "mlp.activation", "mlp.down",
                          "post_feedforward_norm"));
  EXPECT_EQ(op<work::Elementwise>(graph, "layers.0", "attention.qk_norm").rows, 20 * (4 + 2));
}

TEST(InferenceGraph, AnEncoderSeesAllTokensAndAnImageHasItsOwnLength) {
  ModelSpec m = tiny();
  m.architecture = Architecture::encoder;
  m.vocab = 0;
  m.image = 32;
  m.patch = 8;
  m.positions = 17;
  m.classes = 10;
  const Graph graph = build_inference_graph(m, {.batch = 2}, {}, {});
  EXPECT_THAT(names(graph.blocks[0]), ElementsAre("patch_embedding", "position_add"));
  EXPECT_EQ(op<work::Gemm>(graph, "embedding", "patch_embedding").m, 2 * 16);
  EXPECT_EQ(op<work::Gemm>(graph, "embedding", "patch_embedding").k, 8 * 8 * 3);
  const auto& core = op<work::AttentionPrefill>(graph, "layers.0", "attention.core");
  EXPECT_EQ(core.seq_q, 17);
  EXPECT_EQ(core.seq_kv, 17);
  EXPECT_FALSE(core.causal);
  EXPECT_THAT(names(block(graph, "head")), ElementsAre("final_norm", "classifier"));
}

TEST(InferenceGraph, AnEncoderDecoderReadsThePromptInTheEncoder) {
  ModelSpec m = tiny();
  m.architecture = Architecture::encoder_decoder;
  m.encoder_layers = 3;
  const Graph prefill = build_inference_graph(m, kPrefill, {}, {});
  EXPECT_THAT(block(prefill, "encoder.0").layers, ElementsAre(0, 1, 2));
  EXPECT_EQ(op<work::AttentionPrefill>(prefill, "encoder.0", "attention.core").causal, false);
  EXPECT_EQ(op<work::Gemm>(prefill, "encoder.0", "attention.qkv").m, 20);
  EXPECT_EQ(op<work::Gemm>(prefill, "layers.0", "cross_attention.kv").m, 20);
  EXPECT_EQ(op<work::Gemm>(prefill, "layers.0", "attention.qkv").m, 2);
  EXPECT_EQ(op<work::AttentionDecode>(prefill, "layers.0", "cross_attention.core").seq_kv, 10);

  StepShape step = kDecode;
  step.source_tokens = 40;
  const Graph decode = build_inference_graph(m, step, {}, {});
  EXPECT_EQ(op<work::AttentionDecode>(decode, "layers.0", "cross_attention.core").seq_kv, 40);
  EXPECT_EQ(op<work::AttentionDecode>(decode, "layers.0", "attention.core").seq_kv, 10);
  EXPECT_THROW(block(decode, "encoder.0"), std::out_of_range);
  EXPECT_THROW(node(decode, "layers.0", "cross_attention.kv"), std::out_of_range);
}

}  // namespace
}  // namespace mlosim::graph
