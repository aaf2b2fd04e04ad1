#include "models/plan/inference_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using machine::Program;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using work::CollectiveKind;

constexpr graph::StepShape kDecode{.batch = 4, .new_tokens = 1, .context = 50, .decode = true};

Program plan(const graph::ModelSpec& model, const Parallelism& p, const StepOptions& options = {},
             const graph::Precision& precision = {}, const graph::StepShape& shape = kDecode) {
  return plan_inference_step(graph::build_inference_graph(model, shape, precision, {}), p, precision, options);
}

Parallelism tensor_parallel(std::int64_t tp, std::int64_t moe_tp = 1) {
  Parallelism p;
  p.tp = tp;
  p.moe_tp = moe_tp;
  return p;
}

// Names of the operators in the order in which their tasks run.
std::vector<std::string> names_run(const Program& program) {
  std::vector<std::string> names;
  for (const machine::Task& task : program.tasks) names.push_back(program.ops[task.op].name);
  return names;
}

const work::Collective& collective(const Program& program, const std::string& name) {
  for (const machine::ProgramOp& op : program.ops) {
    if (op.name == name) return std::get<work::Collective>(op.op);
  }
  throw std::out_of_range(name);
}

void expect_collective(const Program& program, const std::string& name, CollectiveKind kind, double bytes,
                       std::int64_t ranks) {
  const work::Collective& c = collective(program, name);
  EXPECT_EQ(c.kind, kind) << name;
  EXPECT_DOUBLE_EQ(c.bytes.si(), bytes) << name;
  EXPECT_EQ(c.ranks, ranks) << name;
}

int collectives_in(const Program& program) {
  int count = 0;
  for (const machine::Task& task : program.tasks)
    count += std::holds_alternative<work::Collective>(program.ops[task.op].op) ? 1 : 0;
  return count;
}

TEST(InferenceStep, OneChipNeedsNoCollective) { EXPECT_EQ(collectives_in(plan(dense_model(), tensor_parallel(1))), 0); }

TEST(InferenceStep, ATensorParallelLayerReducesItsAttentionAndItsFeedForward) {
  const Program program = plan(dense_model(), tensor_parallel(8));
  EXPECT_THAT(names_run(program), testing::IsSupersetOf({"layers.0.attention.out", "layers.0.attention.all_reduce",
                                                         "layers.0.mlp.down", "layers.0.mlp.all_reduce"}));
  expect_collective(program, "layers.0.attention.all_reduce", CollectiveKind::all_reduce, 4 * 64 * 2, 8);
  expect_collective(program, "layers.0.mlp.all_reduce", CollectiveKind::all_reduce, 4 * 64 * 2, 8);
  expect_collective(program, "embedding.all_reduce", CollectiveKind::all_reduce, 4 * 64 * 2, 8);
  expect_collective(program, "head.lm_head.all_gather", CollectiveKind::all_gather, 4 * 1000 * 2, 8);
  EXPECT_EQ(collectives_in(program), 2 * 4 + 2);
}

TEST(InferenceStep, AllTokensOfAPromptAreReducedAndTheLastOfEachHasLogits) {
  const Program program =
      plan(dense_model(), tensor_parallel(8), {}, {}, {.batch = 4, .new_tokens = 50, .context = 50});
  expect_collective(program, "layers.0.mlp.all_reduce", CollectiveKind::all_reduce, 4 * 50 * 64 * 2, 8);
  expect_collective(program, "head.lm_head.all_gather", CollectiveKind::all_gather, 4 * 1000 * 2, 8);
}

TEST(InferenceStep, ACollectiveFollowsWhatItReduces) {
  const std::vector<std::string> names = names_run(plan(dense_model(), tensor_parallel(2)));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "layers.0.attention.all_reduce") {
      EXPECT_EQ(names[i - 1], "layers.0.attention.out");
    } else if (names[i] == "layers.0.mlp.all_reduce") {
      EXPECT_EQ(names[i - 1], "layers.0.mlp.down");
    }
  }
}

TEST(InferenceStep, EachTaskWaitsForTheOneBeforeIt) {
  const Program program = plan(dense_model(), tensor_parallel(2));
  ASSERT_EQ(program.streams.size(), 2U);
  for (std::uint32_t i = 1; i < program.tasks.size(); ++i) {
    const machine::Task& task = program.tasks[i];
    const bool is_collective = std::holds_alternative<work::Collective>(program.ops[task.op].op);
    EXPECT_EQ(task.stream, is_collective ? 1U : 0U);
    if (task.stream != program.tasks[i - 1].stream) {
      EXPECT_THAT(task.after, ElementsAre(i - 1));
    }
  }
}

TEST(InferenceStep, EqualLayersShareTheirOperators) {
  const Program program = plan(dense_model(), tensor_parallel(1));
  EXPECT_EQ(program.ops.size(), 1U + 8 + 3);
  EXPECT_EQ(program.tasks.size(), 1U + 4 * 8 + 3);
}

TEST(InferenceStep, LayersOfDifferentKindsRunInTheirOwnOrder) {
  const graph::ModelSpec model = read_model(
      "{name: a, layers: 6, hidden: 64, heads: 8, kv_heads: 2, head_dim: 8, ffn: 96, vocab: 1000, attention: {window: "
      "16, every: 3}}");
  std::vector<std::string> attention;
  for (const std::string& name : names_run(plan(model, tensor_parallel(1)))) {
    if (name.find("attention.core") != std::string::npos) attention.push_back(name);
  }
  EXPECT_THAT(attention, ElementsAre("layers.0.attention.core", "layers.0.attention.core", "layers.2.attention.core",
                                     "layers.0.attention.core", "layers.0.attention.core", "layers.2.attention.core"));
}

TEST(InferenceStep, TheEncoderRunsBeforeTheDecoder) {
  const graph::ModelSpec model = read_model(support::read_text(support::source_dir() / "models/zoo/t5-small.yaml"));
  const std::vector<std::string> names =
      names_run(plan(model, tensor_parallel(1), {}, {}, {.batch = 1, .new_tokens = 32, .context = 32}));
  std::size_t last_encoder = 0, first_decoder = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].rfind("encoder", 0) == 0) last_encoder = i;
    if (names[i].rfind("layers", 0) == 0) first_decoder = std::min(first_decoder, i);
  }
  EXPECT_GT(last_encoder, 0U);
  EXPECT_LT(last_encoder, first_decoder);
}

TEST(InferenceStep, ExpertsThatAreCutWithTheAttentionAreReducedOnceWithTheSharedOnes) {
  const Program program = plan(moe_model(), tensor_parallel(8, 8));
  expect_collective(program, "layers.1.moe.all_reduce", CollectiveKind::all_reduce, 4 * 64 * 2, 8);
  EXPECT_THAT(names_run(program), Not(Contains("layers.1.moe.shared.all_reduce")));
  EXPECT_EQ(collectives_in(program), 2 * 4 + 2);
}

TEST(InferenceStep, TokensTravelToTheirExpertsAndBack) {
  Parallelism p = tensor_parallel(1);
  p.attention_dp = p.ep = 8;
  const graph::Precision fp8{.weights = work::DType::fp8,
                             .activations = work::DType::fp8,
                             .kv_cache = work::DType::bf16,
                             .compute = work::DType::bf16};
  const Program program = plan(moe_model(), p, {}, fp8);
  // Each of 4 tokens goes to two groups of experts: out in fp8, back in bf16.
  expect_collective(program, "layers.1.moe.dispatch", CollectiveKind::all_to_all, 4 * 2 * 64 * 1, 8);
  expect_collective(program, "layers.1.moe.combine", CollectiveKind::all_to_all, 4 * 2 * 64 * 2, 8);
  EXPECT_EQ(collectives_in(program), 2 * 3) << "attention and dense layers are whole on each chip";
  const std::vector<std::string> names = names_run(program);
  const auto at = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) - names.begin(); };
  EXPECT_EQ(at("layers.1.moe.dispatch") + 1, at("layers.1.moe.experts"));
  EXPECT_EQ(at("layers.1.moe.experts") + 1, at("layers.1.moe.combine"));
}

TEST(InferenceStep, ATokenGoesToNoMoreGroupsThanThereAre) {
  Parallelism p = tensor_parallel(1);
  p.attention_dp = p.ep = 2;
  graph::ModelSpec model = moe_model();
  model.moe->experts_per_token = 6;
  expect_collective(plan(model, p), "layers.1.moe.dispatch", CollectiveKind::all_to_all, 4 * 2 * 64 * 2, 2);
}

TEST(InferenceStep, ExpertsThatAreCutOverAllGatherTheTokensAndScatterTheSums) {
  Parallelism p = tensor_parallel(1, 8);
  p.attention_dp = 8;
  const Program program = plan(moe_model(), p);
  expect_collective(program, "layers.1.moe.all_gather", CollectiveKind::all_gather, 8 * 4 * 64 * 2, 8);
  expect_collective(program, "layers.1.moe.reduce_scatter", CollectiveKind::reduce_scatter, 8 * 4 * 64 * 2, 8);
}

TEST(InferenceStep, ACompilerFoldsPointwiseWorkAway) {
  const std::vector<std::string> names = names_run(plan(dense_model(), tensor_parallel(1), {.fuses_pointwise = true}));
  EXPECT_THAT(names, Not(Contains("layers.0.mlp.activation")));
  EXPECT_THAT(names, Contains("layers.0.input_norm"));
  EXPECT_THAT(names, Contains("layers.0.mlp.down"));
}

TEST(InferenceStep, AStackMayWriteQuantisedTensorsItself) {
  const graph::Precision fp8{.weights = work::DType::fp8,
                             .activations = work::DType::fp8,
                             .kv_cache = work::DType::bf16,
                             .compute = work::DType::bf16};
  const auto quantisers = [&](bool fuses) {
    int count = 0;
    for (const machine::ProgramOp& op :
         plan(dense_model(), tensor_parallel(1), {.fuses_quantisation = fuses}, fp8).ops) {
      const auto* gemm = std::get_if<work::Gemm>(&op.op);
      count += gemm && gemm->quantise_activations ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(quantisers(false), 4);
  EXPECT_EQ(quantisers(true), 0);
}

TEST(InferenceStep, TheLaunchPathIsTheProgramsOwn) {
  EXPECT_EQ(plan(dense_model(), tensor_parallel(1), {.launch = spec::LaunchPath::eager}).launch,
            spec::LaunchPath::eager);
}

std::vector<std::string> mistakes(const graph::ModelSpec& model, const Parallelism& p, std::int64_t batch) {
  spec::Decoding decoding;
  check_inference(model, p, batch, 512, spec::Node(nullptr, "parallelism", &decoding));
  std::vector<std::string> list;
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) list.push_back(spec::render_diagnostic(d));
  return list;
}

TEST(CheckInference, AModelThatCanBeCutPasses) {
  EXPECT_THAT(mistakes(dense_model(), tensor_parallel(1), 1), IsEmpty());
  EXPECT_THAT(mistakes(dense_model(), tensor_parallel(8), 3), IsEmpty());
  EXPECT_THAT(mistakes(llama_70b(), tensor_parallel(8), 64), IsEmpty());
}

TEST(CheckInference, HeadsAreDividedEvenly) {
  EXPECT_THAT(mistakes(dense_model(), tensor_parallel(3), 1),
              Contains(HasSubstr("parallelism.tp: 8 heads cannot be cut 3 ways; tp must divide the heads")));
  const graph::ModelSpec model =
      read_model("{name: m, layers: 1, hidden: 64, heads: 24, kv_heads: 6, head_dim: 8, ffn: 96, vocab: 100}");
  EXPECT_THAT(mistakes(model, tensor_parallel(4), 1),
              ElementsAre(HasSubstr("6 KV heads and tp 4 do not divide one another")));
  EXPECT_THAT(mistakes(model, tensor_parallel(12), 1), IsEmpty());
}

TEST(CheckInference, ExpertsAreSpreadEvenly) {
  Parallelism p = tensor_parallel(1);
  p.attention_dp = p.ep = 3;
  EXPECT_THAT(mistakes(moe_model(), p, 3), ElementsAre(HasSubstr("8 experts cannot be spread over 3 groups")));
}

TEST(CheckInference, TheBatchIsSharedEvenly) {
  Parallelism p = tensor_parallel(1);
  p.dp = 4;
  EXPECT_THAT(mistakes(dense_model(), p, 6),
              ElementsAre(HasSubstr(
                  "a batch of 6 does not divide over 4 replicas; make the batch a multiple of dp x attention_dp")));
  p.attention_dp = 2;
  EXPECT_THAT(mistakes(dense_model(), p, 8), IsEmpty());
}

TEST(CheckInference, WhatCannotBeCutIsRefusedInWords) {
  Parallelism p;
  p.pp = 5;
  EXPECT_THAT(mistakes(dense_model(), p, 4), ElementsAre(HasSubstr("parallelism.pp: 4 layers do not reach for 5")));
  p.pp = 4;
  EXPECT_THAT(mistakes(dense_model(), p, 4), IsEmpty());
  p.pp = 1;
  p.cp = 512;
  EXPECT_THAT(mistakes(dense_model(), p, 4), ElementsAre(HasSubstr("parallelism.cp: a prompt of 512 tokens")));
  const graph::ModelSpec t5 = read_model(support::read_text(support::source_dir() / "models/zoo/t5-small.yaml"));
  p.pp = p.cp = 2;
  p.sp = true;
  EXPECT_THAT(mistakes(t5, p, 4),
              ElementsAre(HasSubstr("parallelism.pp: "), HasSubstr("parallelism.cp: "), HasSubstr("parallelism.sp: ")));
  const graph::ModelSpec linear =
      read_model(support::read_text(support::source_dir() / "models/zoo/qwen3.5-397b-a17b.yaml"));
  p.pp = 1;
  p.sp = false;
  EXPECT_THAT(mistakes(linear, p, 4), ElementsAre(HasSubstr("linear attention")));
}

// Sequence parallelism (Korthikanti et al., arXiv:2205.05198, figure 5): what an all-reduce was is a reduce-scatter and
// an all-gather of the same size, and the passes between them are cut.
TEST(SequenceParallelism, PartsTheAllReduceAroundTheNorms) {
  Parallelism p = tensor_parallel(4);
  const Program whole = plan(dense_model(), p);
  p.sp = true;
  const Program cut = plan(dense_model(), p);
  const std::vector<std::string> names = names_run(cut);
  const auto at = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) - names.begin(); };
  EXPECT_EQ(at("layers.0.input_norm") + 1, at("layers.0.attention.tokens.all_gather"));
  EXPECT_EQ(at("layers.0.attention.tokens.all_gather") + 1, at("layers.0.attention.qkv"));
  EXPECT_EQ(at("layers.0.attention.out") + 1, at("layers.0.attention.reduce_scatter"));
  EXPECT_EQ(at("layers.0.attention.reduce_scatter") + 1, at("layers.0.post_attention_norm"));
  EXPECT_EQ(at("layers.0.mlp.down") + 1, at("layers.0.mlp.reduce_scatter"));
  expect_collective(cut, "layers.0.mlp.reduce_scatter", CollectiveKind::reduce_scatter, 4 * 64 * 2, 4);
  expect_collective(cut, "layers.0.mlp.tokens.all_gather", CollectiveKind::all_gather, 4 * 64 * 2, 4);
  expect_collective(cut, "head.lm_head.tokens.all_gather", CollectiveKind::all_gather, 4 * 64 * 2, 4);
  EXPECT_THAT(names, Not(Contains(HasSubstr("all_reduce"))));
  const auto rows = [](const Program& program, const std::string& name) {
    for (const machine::ProgramOp& op : program.ops)
      if (op.name == name) return std::get<work::Elementwise>(op.op).rows;
    return std::int64_t{0};
  };
  EXPECT_EQ(rows(whole, "layers.0.input_norm"), 4);
  EXPECT_EQ(rows(cut, "layers.0.input_norm"), 1);
  EXPECT_EQ(rows(cut, "layers.0.mlp.activation"), 4) << "cut by columns already";
}

TEST(SequenceParallelism, KeepsTheTokensThatComeBackFromTheirExpertsApart) {
  Parallelism p = tensor_parallel(2);
  p.attention_dp = 4;
  p.ep = 8;
  EXPECT_THAT(names_run(plan(moe_model(), p)), Contains("layers.1.moe.gather"));
  p.sp = true;
  const std::vector<std::string> names = names_run(plan(moe_model(), p));
  EXPECT_THAT(names, Not(Contains("layers.1.moe.gather")));
  EXPECT_THAT(names, Contains("layers.1.moe.combine"));
}

TEST(SequenceParallelism, OfOneRankChangesNothing) {
  Parallelism p = tensor_parallel(1);
  const std::vector<std::string> before = names_run(plan(dense_model(), p));
  p.sp = true;
  EXPECT_EQ(names_run(plan(dense_model(), p)), before);
}

TEST(ContextParallelism, GathersTheKeysOfPromptsAndHalvesTheWorkOfARank) {
  Parallelism p = tensor_parallel(2);
  p.cp = 4;
  const Program program = plan(dense_model(), p, {}, {}, {.batch = 3, .new_tokens = 64, .context = 64, .cp = 4});
  // 3 prompts of 64 tokens, one of two KV heads, keys and values of 8.
  expect_collective(program, "layers.0.attention.keys.all_gather", CollectiveKind::all_gather, 3 * 64 * 16 * 2, 4);
  EXPECT_EQ(collective(program, "layers.0.attention.keys.all_gather").stride, 2);
  for (const machine::ProgramOp& op : program.ops) {
    if (const auto* core = std::get_if<work::AttentionPrefill>(&op.op)) {
      EXPECT_EQ(core->seq_q, 16);
      EXPECT_EQ(core->seq_kv, 40);
    }
    if (op.name == "layers.0.attention.qkv") {
      EXPECT_EQ(std::get<work::Gemm>(op.op).m, 3 * 16);
    }
  }
}

// Four ranks do together what one does alone.
TEST(ContextParallelism, SharesTheFlopsOfCausalAttentionEvenly) {
  const auto flops = [](std::int64_t cp) {
    const graph::Graph graph =
        graph::build_inference_graph(llama_70b(), {.batch = 2, .new_tokens = 4096, .context = 4096, .cp = cp}, {}, {});
    Flops sum;
    for (const graph::GraphNode& node : graph.blocks[1].nodes) sum += work::work_of(node.op).matrix;
    return sum * static_cast<double>(cp);
  };
  EXPECT_NEAR(flops(4) / flops(1), 1, 1e-3);
}

TEST(ContextParallelism, SpreadsTheCacheAndAddsUpThePartialResults) {
  Parallelism p = tensor_parallel(2);
  p.cp = 4;
  graph::StepShape shape = kDecode;
  shape.cp = 4;
  const Program program = plan(dense_model(), p, {.decode = true}, {}, shape);
  // 4 sequences with four of eight heads of 8.
  expect_collective(program, "layers.0.attention.sums.all_gather", CollectiveKind::all_gather, 4 * 4 * 4 * 4, 4);
  expect_collective(program, "layers.0.attention.parts.all_reduce", CollectiveKind::all_reduce, 4 * 4 * 8 * 2, 4);
  EXPECT_THAT(names_run(program), Contains("layers.0.attention.weighting"));
  for (const machine::ProgramOp& op : program.ops) {
    if (const auto* core = std::get_if<work::AttentionDecode>(&op.op)) {
      EXPECT_EQ(core->seq_kv, 13) << "50 tokens over four ranks";
    }
  }
}

TEST(ContextParallelism, SpreadsALatentAndItsWindowsToo) {
  graph::StepShape shape = kDecode;
  shape.context = 4096;
  shape.cp = 4;
  const graph::Graph graph = graph::build_inference_graph(
      read_model("{name: a, layers: 2, hidden: 64, heads: 8, kv_heads: 2, head_dim: 8, ffn: 96, vocab: 1000, "
                 "attention: {window: 128, every: 2}}"),
      shape, {}, {});
  for (const graph::GraphNode& node : graph.blocks[1].nodes) {
    if (const auto* core = std::get_if<work::AttentionDecode>(&node.op)) {
      EXPECT_EQ(core->window, 32);
    }
  }
  const graph::ModelSpec latent =
      read_model("{name: l, layers: 1, hidden: 64, heads: 8, ffn: 96, vocab: 1000, attention: mla}");
  Parallelism p = tensor_parallel(2);
  p.cp = 4;
  const Program decode = plan(latent, p, {.decode = true}, {}, shape);
  expect_collective(decode, "layers.0.attention.parts.all_reduce", CollectiveKind::all_reduce, 4 * 4 * 512 * 2, 4);
  const Program prefill = plan(latent, p, {}, {}, {.batch = 1, .new_tokens = 64, .context = 64, .cp = 4});
  expect_collective(prefill, "layers.0.attention.keys.all_gather", CollectiveKind::all_gather, 64 * 576 * 2, 4);
}

TEST(PipelineStage, PassesItsTokensOn) {
  Parallelism p = tensor_parallel(2);
  p.pp = 2;
  const graph::Graph graph = graph::build_inference_graph(dense_model(), kDecode, {}, {});
  const std::vector<InferenceStage> stages = deal_stages(graph, 2);
  const StepOptions options{.separate_residual = true, .decode = true};
  const Program first = plan_inference_stage(graph, stages[0], p, {}, options);
  EXPECT_EQ(names_run(first).back(), "stage.send");
  // Half of four tokens, with the branch that is still to be added.
  expect_collective(first, "stage.send", CollectiveKind::p2p, 4 * 64 * 2 * 2 / 2, 2);
  EXPECT_EQ(collective(first, "stage.send").stride, 2);
  const Program last = plan_inference_stage(graph, stages[1], p, {}, options);
  EXPECT_EQ(names_run(last).front(), "stage.all_gather");
  expect_collective(last, "stage.all_gather", CollectiveKind::all_gather, 4 * 64 * 2 * 2, 2);
  EXPECT_EQ(names_run(last).back(), "stage.return");
  expect_collective(last, "stage.return", CollectiveKind::p2p, 4 * 4, 2);
  EXPECT_EQ(first.tasks.size() + last.tasks.size(), plan(dense_model(), tensor_parallel(2)).tasks.size() + 3);
}

TEST(PipelineStage, UnderSequenceParallelismEachRankSendsWhatItHas) {
  Parallelism p = tensor_parallel(2);
  p.pp = 2;
  p.sp = true;
  const graph::Graph graph = graph::build_inference_graph(dense_model(), kDecode, {}, {});
  const std::vector<std::string> names =
      names_run(plan_inference_stage(graph, deal_stages(graph, 2)[1], p, {}, {.decode = true}));
  EXPECT_EQ(names[0], "layers.0.input_norm");
  EXPECT_EQ(names[1], "layers.0.attention.tokens.all_gather");
}

}  // namespace
}  // namespace mlosim::plan
