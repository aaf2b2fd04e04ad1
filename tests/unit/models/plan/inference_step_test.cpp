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
  check_inference(model, p, batch, spec::Node(nullptr, "parallelism", &decoding));
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

TEST(CheckInference, WhatIsNotModelledIsRefusedInWords) {
  Parallelism p;
  p.pp = 2;
  p.cp = 2;
  p.sp = true;
  EXPECT_THAT(mistakes(dense_model(), p, 4), ElementsAre(HasSubstr("pipeline parallelism is not modelled"),
                                                         HasSubstr("context parallelism is not modelled"),
                                                         HasSubstr("sequence parallelism is not modelled")));
}

}  // namespace
}  // namespace mlosim::plan
