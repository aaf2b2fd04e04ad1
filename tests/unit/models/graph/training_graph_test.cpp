#include "models/graph/training_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/models/graph/tiny_models.hpp"

namespace mlosim::graph {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using work::DType;
using work::ElementwiseKind;

constexpr TrainingShape kShape{.micro_batch = 2, .sequence = 16, .cp = 1};

// GPT as Megatron trained it in 2022: unfused attention, dropout, biases, learned positions.
ModelSpec gpt() {
  ModelSpec m = tiny();
  m.kv_heads = 4;
  m.ffn = 256;
  m.gated = false;
  m.activation = Activation::gelu;
  m.rms_norm = false;
  m.biases = Biases::all;
  m.positions = 16;
  m.tied_embeddings = true;
  return m;
}

TrainingOptions megatron_2022() {
  TrainingOptions options;
  options.fused_attention = false;
  options.dropout = true;
  options.fuses_cross_entropy = false;
  return options;
}

ModelSpec experts(std::int64_t shared = 0) {
  ModelSpec m = tiny();
  m.moe = MoeShape{
      .experts = 8, .experts_per_token = 2, .expert_ffn = 32, .shared_experts = shared, .shared_expert_ffn = 32};
  return m;
}

TrainingGraph build(const ModelSpec& model, const TrainingOptions& options, const Precision& precision = {}) {
  return build_training_graph(model, kShape, precision, options);
}

std::vector<std::string> names(const std::vector<TrainingNode>& nodes, Pass pass) {
  std::vector<std::string> list;
  for (const TrainingNode& node : nodes) {
    if (node.pass == pass) list.push_back(node.node.name);
  }
  return list;
}

std::vector<std::string> forward_names(const TrainingBlock& block) { return names(block.forward, Pass::forward); }

const TrainingNode& node(const std::vector<TrainingNode>& nodes, const std::string& name) {
  for (const TrainingNode& n : nodes) {
    if (n.node.name == name) return n;
  }
  throw std::out_of_range(name);
}

template <class Op>
const Op& op(const std::vector<TrainingNode>& nodes, const std::string& name) {
  return std::get<Op>(node(nodes, name).node.op);
}

Bytes kept_bytes(const TrainingBlock& block, std::int64_t tp = 1, bool sp = false) {
  Bytes sum;
  for (const KeptTensor& tensor : block.kept) sum += tensor.of_rank(tp, sp, 1);
  return sum;
}

double flops(const std::vector<TrainingNode>& nodes, Pass pass) {
  double sum = 0;
  for (const TrainingNode& n : nodes) {
    if (n.pass == pass) sum += work::work_of(n.node.op).matrix.si();
  }
  return sum;
}

TEST(TrainingGraph, HasTheEmbeddingEachKindOfLayerAndTheHead) {
  const TrainingGraph graph = build(tiny(), {});
  ASSERT_EQ(graph.blocks.size(), 3U);
  EXPECT_EQ(graph.blocks[0].name, "embedding");
  EXPECT_THAT(graph.blocks[1].layers, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(forward_names(graph.blocks[1]),
              ElementsAre("input_norm", "attention.qkv", "attention.rope", "attention.core", "attention.out",
                          "attention_residual", "post_attention_norm", "mlp.gate_up", "mlp.activation", "mlp.down",
                          "mlp_residual"));
  EXPECT_THAT(forward_names(graph.blocks[2]), ElementsAre("final_norm", "lm_head", "loss"));
}

TEST(TrainingGraph, GradientsRunBackwardsThroughTheLayer) {
  const TrainingGraph graph = build(tiny(), {});
  EXPECT_THAT(
      names(graph.blocks[1].backward, Pass::input_gradient),
      ElementsAre("mlp.down.dgrad", "mlp.activation.backward", "mlp.gate_up.dgrad", "post_attention_norm.backward",
                  "post_attention_norm.gradient_sum", "attention.out.dgrad", "attention.core.backward",
                  "attention.rope.backward", "attention.qkv.dgrad", "input_norm.backward", "input_norm.gradient_sum"));
  EXPECT_THAT(names(graph.blocks[1].backward, Pass::weight_gradient),
              ElementsAre("mlp.down.wgrad", "mlp.gate_up.wgrad", "attention.out.wgrad", "attention.qkv.wgrad"));
}

TEST(TrainingGraph, MegatronsUnfusedKernelsComeWithDropoutAndBiasGradients) {
  const TrainingGraph graph = build(gpt(), megatron_2022());
  const TrainingBlock& layer = graph.blocks[1];
  EXPECT_THAT(forward_names(layer),
              ElementsAre("input_norm", "attention.qkv", "attention.core.scores", "attention.core.softmax",
                          "attention.core.dropout", "attention.core.context", "attention.out", "attention_residual",
                          "post_attention_norm", "mlp.up", "mlp.activation", "mlp.down", "mlp_residual"));
  EXPECT_THAT(names(layer.backward, Pass::weight_gradient),
              ElementsAre("mlp.down.wgrad", "mlp.down.bias_gradient", "mlp.up.wgrad", "mlp.up.bias_gradient",
                          "attention.out.wgrad", "attention.out.bias_gradient", "attention.qkv.wgrad",
                          "attention.qkv.bias_gradient"));
}

// Per element of 16 bits, from the kernels that Megatron fused in 2022.
TEST(TrainingGraph, PassesMoveAsManyBytesAsMegatronsKernels) {
  const TrainingGraph graph = build(gpt(), megatron_2022());
  const TrainingBlock& layer = graph.blocks[1];
  const auto per_element = [](const std::vector<TrainingNode>& nodes, const std::string& name) {
    const auto& pass = op<work::Elementwise>(nodes, name);
    return (pass.bytes_in + pass.bytes_out).si() / (static_cast<double>(pass.rows) * static_cast<double>(pass.cols));
  };
  EXPECT_DOUBLE_EQ(per_element(layer.forward, "input_norm"), 4);
  EXPECT_DOUBLE_EQ(per_element(layer.forward, "attention.core.softmax"), 4);
  EXPECT_DOUBLE_EQ(per_element(layer.forward, "attention.core.dropout"), 5);
  EXPECT_DOUBLE_EQ(per_element(layer.forward, "attention_residual"), 7);
  EXPECT_DOUBLE_EQ(per_element(layer.forward, "mlp.activation"), 4);
  EXPECT_DOUBLE_EQ(per_element(layer.backward, "input_norm.backward"), 10);
  EXPECT_DOUBLE_EQ(per_element(layer.backward, "mlp.activation.backward"), 6);
  EXPECT_DOUBLE_EQ(per_element(layer.backward, "attention.core.softmax.backward") +
                       per_element(layer.backward, "attention.core.dropout.backward"),
                   11);
  EXPECT_DOUBLE_EQ(per_element(layer.backward, "input_norm.gradient_sum"), 6);
  EXPECT_DOUBLE_EQ(per_element(layer.backward, "mlp.up.bias_gradient"), 2);
  EXPECT_DOUBLE_EQ(per_element(graph.blocks[2].forward, "loss"), 34);
  EXPECT_DOUBLE_EQ(per_element(graph.blocks[2].backward, "loss.backward"), 18);
}

TEST(TrainingGraph, GradientsOfMatricesTakeTwiceTheForwardsFlopsAndFlashAttentionsTwoAndAHalfTimes) {
  const TrainingBlock layer = build(tiny(), {}).blocks[1];
  const double attention = work::work_of(node(layer.forward, "attention.core").node.op).matrix.si();
  const double matrices = flops(layer.forward, Pass::forward) - attention;
  EXPECT_DOUBLE_EQ(flops(layer.backward, Pass::weight_gradient), matrices);
  EXPECT_DOUBLE_EQ(flops(layer.backward, Pass::input_gradient), matrices + 2.5 * attention);
  const TrainingBlock unfused = build(gpt(), megatron_2022()).blocks[1];
  EXPECT_DOUBLE_EQ(flops(unfused.backward, Pass::weight_gradient) + flops(unfused.backward, Pass::input_gradient),
                   2 * flops(unfused.forward, Pass::forward));
}

TEST(TrainingGraph, TensorParallelismCutsGradientsTheOtherWayRound) {
  const TrainingBlock layer = build(tiny(), {}).blocks[1];
  EXPECT_EQ(node(layer.backward, "attention.qkv.dgrad").node.partition, Partition::row);
  EXPECT_EQ(node(layer.backward, "mlp.down.dgrad").node.partition, Partition::column);
  const auto& cut_outputs = op<work::Gemm>(layer.backward, "mlp.gate_up.wgrad");
  EXPECT_EQ(cut_outputs.n, 2 * 96);
  EXPECT_EQ(cut_outputs.m, 64);
  EXPECT_EQ(cut_outputs.k, 32);
  const auto& cut_inputs = op<work::Gemm>(layer.backward, "mlp.down.wgrad");
  EXPECT_EQ(cut_inputs.n, 96);
  EXPECT_EQ(cut_inputs.m, 64);
  EXPECT_EQ(node(layer.backward, "mlp.down.wgrad").node.partition, Partition::column);
  EXPECT_EQ(node(layer.backward, "attention.qkv.wgrad").node.kv_ways, 2);
}

TEST(TrainingGraph, WorkOnEachTokenAloneIsMarkedForSequenceParallelism) {
  const TrainingBlock layer = build(gpt(), megatron_2022()).blocks[1];
  for (const std::string name : {"input_norm", "attention_residual", "post_attention_norm", "mlp_residual"})
    EXPECT_TRUE(node(layer.forward, name).node.sequence) << name;
  for (const std::string name : {"attention.qkv", "attention.core.softmax", "mlp.activation", "mlp.down"})
    EXPECT_FALSE(node(layer.forward, name).node.sequence) << name;
  EXPECT_TRUE(node(layer.backward, "input_norm.backward").node.sequence);
}

TEST(TrainingGraph, WeightGradientsAddToFp32SumsOrTakeAPassThatDoes) {
  const TrainingBlock fused = build(tiny(), {}).blocks[1];
  EXPECT_EQ(op<work::Gemm>(fused.backward, "mlp.down.wgrad").output, DType::fp32);
  EXPECT_TRUE(op<work::Gemm>(fused.backward, "mlp.down.wgrad").accumulates);
  TrainingOptions apart;
  apart.fuses_gradient_accumulation = false;
  const TrainingBlock layer = build(tiny(), apart).blocks[1];
  EXPECT_EQ(op<work::Gemm>(layer.backward, "mlp.down.wgrad").output, DType::bf16);
  const auto& pass = op<work::Elementwise>(layer.backward, "mlp.down.wgrad_add");
  EXPECT_EQ(pass.bytes_in + pass.bytes_out, 96 * 64 * Bytes(10));
}

TEST(TrainingGraph, LowPrecisionQuantisesEachOperandOnItsWayThereAndBack) {
  const Precision fp8{.weights = DType::fp8, .activations = DType::fp8};
  const TrainingBlock layer = build(tiny(), {}, fp8).blocks[1];
  const auto& forward = op<work::Elementwise>(layer.forward, "mlp.down.quantise");
  EXPECT_EQ(forward.bytes_in + forward.bytes_out, 32 * 96 * Bytes(4));
  const auto& backward = op<work::Elementwise>(layer.backward, "mlp.down.gradient_quantise");
  EXPECT_EQ(backward.bytes_in + backward.bytes_out, 32 * 64 * Bytes(4));
  EXPECT_FALSE(op<work::Gemm>(layer.forward, "mlp.down").quantise_activations);
  TrainingOptions fused;
  fused.fuses_quantisation = true;
  EXPECT_THAT(forward_names(build(tiny(), fused, fp8).blocks[1]), Not(Contains("mlp.down.quantise")));
}

TEST(TrainingGraph, AdaptersLeaveOutWeightGradients) {
  TrainingOptions options;
  options.trains_weights = false;
  for (const TrainingBlock& block : build(gpt(), options).blocks)
    EXPECT_TRUE(names(block.backward, Pass::weight_gradient).empty()) << block.name;
}

TEST(TrainingGraph, ExpertsHaveGroupedProductsForBothGradients) {
  const TrainingBlock layer = build(experts(1), {}).blocks[1];
  EXPECT_EQ(op<work::MoeGemm>(layer.backward, "moe.experts.dgrad").pass, work::MoePass::input_gradient);
  EXPECT_EQ(op<work::MoeGemm>(layer.backward, "moe.experts.wgrad").pass, work::MoePass::weight_gradient);
  EXPECT_EQ(node(layer.backward, "moe.experts.dgrad").node.partition, Partition::experts);
  EXPECT_DOUBLE_EQ(layer.expert_parameters, 8 * 3 * 64 * 32);
  EXPECT_DOUBLE_EQ(layer.parameters, 64 * (4 + 2 + 2) * 16 + 64 * 64 + 2 * 64 + 64 * 8 + 3 * 64 * 32);
}

TEST(TrainingGraph, LatentAttentionIsTrainedExpanded) {
  ModelSpec model = tiny_latent();
  model.mla->indexer = IndexerShape{.heads = 2, .dim = 8, .topk = 4};
  const TrainingBlock layer = build(model, {}).blocks[1];
  EXPECT_FALSE(op<work::MlaPrefill>(layer.forward, "attention.core").absorbed);
  EXPECT_TRUE(op<work::MlaPrefill>(layer.backward, "attention.core.backward").backward);
  EXPECT_THAT(forward_names(layer), Not(Contains("attention.index_k")));
}

TEST(TrainingGraph, WindowsEncodersAndImagesAreTrainedTheSameWay) {
  ModelSpec windowed = tiny();
  windowed.pattern = {{.window = 4}, {}};
  const TrainingGraph graph = build(windowed, {});
  ASSERT_EQ(graph.blocks.size(), 4U);
  EXPECT_EQ(op<work::AttentionPrefill>(graph.blocks[1].backward, "attention.core.backward").window, 4);
  EXPECT_EQ(op<work::AttentionPrefill>(graph.blocks[2].backward, "attention.core.backward").window, 0);

  ModelSpec bert = gpt();
  bert.architecture = Architecture::encoder;
  EXPECT_FALSE(op<work::AttentionPrefill>(build(bert, {}).blocks[1].forward, "attention.core").causal);

  ModelSpec vit = bert;
  vit.image = 32, vit.patch = 8, vit.vocab = 0, vit.classes = 10;
  const TrainingGraph images = build(vit, {});
  EXPECT_EQ(op<work::AttentionPrefill>(images.blocks[1].forward, "attention.core").seq_q, 17);
  EXPECT_THAT(names(images.blocks[0].backward, Pass::input_gradient), ElementsAre());
  EXPECT_THAT(names(images.blocks[0].backward, Pass::weight_gradient), Contains("patch_embedding.wgrad"));
}

TEST(TrainingGraph, ParallelBlocksGatedOutputsAndLinearAttentionHaveGradients) {
  ModelSpec palm = tiny();
  palm.parallel_block = true;
  palm.norms_per_layer = 1;
  EXPECT_THAT(names(build(palm, {}).blocks[1].backward, Pass::weight_gradient),
              ElementsAre("parallel.out.wgrad", "parallel.in.wgrad"));
  ModelSpec gemma = tiny();
  gemma.norms_per_layer = 4;
  gemma.qk_norm = true;
  EXPECT_THAT(names(build(gemma, {}).blocks[1].backward, Pass::input_gradient),
              Contains("post_feedforward_norm.backward"));
  ModelSpec hybrid = tiny();
  hybrid.output_gate = true;
  hybrid.linear = LinearAttentionShape{.key_heads = 2, .value_heads = 4, .key_dim = 16, .value_dim = 16};
  hybrid.pattern = {{.linear = true}, {}};
  const TrainingGraph graph = build(hybrid, {});
  EXPECT_THAT(names(graph.blocks[1].backward, Pass::input_gradient), Contains("attention.chunk_values.left_gradient"));
  EXPECT_THAT(names(graph.blocks[2].backward, Pass::input_gradient), Contains("attention.gate.backward"));
}

TEST(TrainingGraph, RanksThatShareASequenceSeeHalfOfItOnAverage) {
  const ModelSpec model = tiny();
  const auto pairs = [&](std::int64_t cp) {
    const TrainingGraph graph = build_training_graph(model, {.micro_batch = 1, .sequence = 64, .cp = cp}, {}, {});
    const auto& core = op<work::AttentionPrefill>(graph.blocks[1].forward, "attention.core");
    return work::attention_pairs(core.seq_q, core.seq_kv, core.causal, core.window);
  };
  EXPECT_DOUBLE_EQ(pairs(4), pairs(1) / 4);
}

TEST(TrainingGraph, EncoderDecodersAreRefused) {
  ModelSpec t5 = tiny();
  t5.architecture = Architecture::encoder_decoder;
  t5.encoder_layers = 4;
  EXPECT_THROW(build(t5, {}), spec::InputError);
}

// Korthikanti et al., arXiv:2205.05198, equations 1 to 6: bytes of one layer.
TEST(KeptActivations, AreThoseOfThePublishedCount) {
  const ModelSpec model = gpt();
  const double sbh = 16 * 2 * 64, scores = 5.0 * 4 * 16 / 64;
  TrainingOptions options = megatron_2022();
  const TrainingBlock all = build(model, options).blocks[1];
  EXPECT_DOUBLE_EQ(kept_bytes(all).si(), sbh * (34 + scores));
  EXPECT_DOUBLE_EQ(kept_bytes(all, 2).si(), sbh * (10 + 24 / 2. + scores / 2));
  EXPECT_DOUBLE_EQ(kept_bytes(all, 2, true).si(), sbh * (34 + scores) / 2);
  options.recompute.policy = Recompute::Policy::selective;
  EXPECT_DOUBLE_EQ(kept_bytes(build(model, options).blocks[1]).si(), sbh * 34);
  options.recompute.policy = Recompute::Policy::full;
  EXPECT_DOUBLE_EQ(kept_bytes(build(model, options).blocks[1]).si(), sbh * 2);
}

// The same, section 4.3: the head keeps the final norm's and its own input and fp32 logits, the embedding a mask.
TEST(KeptActivations, OfTheEndsAreThoseOfThePublishedCount) {
  const TrainingGraph graph = build(gpt(), megatron_2022());
  EXPECT_DOUBLE_EQ(kept_bytes(graph.blocks[2]).si(), 16 * 2 * (4 * 64 + 4 * 1000));
  EXPECT_DOUBLE_EQ(kept_bytes(graph.blocks[0]).si(), 16 * 2 * 64);
}

TEST(Recomputation, RunsTheAttentionOrTheWholeLayerAgain) {
  TrainingOptions options = megatron_2022();
  EXPECT_TRUE(names(build(gpt(), options).blocks[1].backward, Pass::recompute).empty());
  options.recompute.policy = Recompute::Policy::selective;
  EXPECT_THAT(names(build(gpt(), options).blocks[1].backward, Pass::recompute),
              ElementsAre("attention.core.scores", "attention.core.softmax", "attention.core.dropout",
                          "attention.core.context"));
  options.recompute.policy = Recompute::Policy::full;
  const TrainingBlock full = build(gpt(), options).blocks[1];
  EXPECT_EQ(names(full.backward, Pass::recompute), forward_names(full));
}

TEST(Recomputation, OfACompilerLeavesOutWhatNoGradientNeeds) {
  TrainingOptions options;
  options.recompute.policy = Recompute::Policy::full;
  options.prunes_recompute = true;
  EXPECT_THAT(names(build(tiny(), options).blocks[1].backward, Pass::recompute),
              ElementsAre("input_norm", "attention.qkv", "attention.rope", "attention.core", "attention.out",
                          "attention_residual", "post_attention_norm", "mlp.gate_up", "mlp.activation"));
}

TEST(Recomputation, StartsFromTheTensorsThatAreKept) {
  TrainingOptions options;
  options.recompute.policy = Recompute::Policy::keep;
  options.recompute.keep = {"decoder_layer_input", "query_proj", "key_proj", "value_proj", "context"};
  const TrainingBlock layer = build(tiny(), options).blocks[1];
  EXPECT_THAT(names(layer.backward, Pass::recompute),
              ElementsAre("input_norm", "attention.out", "attention_residual", "post_attention_norm", "mlp.gate_up",
                          "mlp.activation"));
  options.recompute.keep.emplace_back("out_proj");
  EXPECT_THAT(names(build(tiny(), options).blocks[1].backward, Pass::recompute),
              ElementsAre("input_norm", "attention_residual", "post_attention_norm", "mlp.gate_up", "mlp.activation"));
}

TEST(Recomputation, OfExpertsWhoseOutputsNobodyNeedsIsTheFirstProduct) {
  TrainingOptions options;
  options.recompute.policy = Recompute::Policy::keep;
  EXPECT_EQ(op<work::MoeGemm>(build(experts(), options).blocks[1].backward, "moe.experts").pass, work::MoePass::up);
  options.weighs_expert_outputs = true;
  EXPECT_EQ(op<work::MoeGemm>(build(experts(), options).blocks[1].backward, "moe.experts").pass,
            work::MoePass::forward);
  options.recompute.keep = {"mlpwo"};
  EXPECT_EQ(op<work::MoeGemm>(build(experts(), options).blocks[1].backward, "moe.experts").pass, work::MoePass::up);
}

TEST(Recomputation, OfSomeLayersSpreadsThemEvenly) {
  TrainingOptions options;
  options.recompute.policy = Recompute::Policy::full;
  options.recompute.full_layers = 2;
  const TrainingGraph graph = build(tiny(), options);
  ASSERT_EQ(graph.blocks.size(), 4U);
  EXPECT_THAT(graph.blocks[1].layers, ElementsAre(0, 2));
  EXPECT_TRUE(names(graph.blocks[1].backward, Pass::recompute).empty());
  EXPECT_THAT(graph.blocks[2].layers, ElementsAre(1, 3));
  EXPECT_FALSE(names(graph.blocks[2].backward, Pass::recompute).empty());
}

TEST(Recomputation, CanSendWhatIsKeptToTheHost) {
  TrainingOptions options;
  options.recompute.policy = Recompute::Policy::keep;
  options.recompute.keep = {"decoder_layer_input", "out_proj"};
  options.recompute.offload = true;
  const TrainingGraph graph = build(tiny(), options);
  for (const KeptTensor& tensor : graph.blocks[1].kept) EXPECT_TRUE(tensor.offloaded) << tensor.name;
}

}  // namespace
}  // namespace mlosim::graph
