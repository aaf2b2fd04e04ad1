#include "models/plan/memory.hpp"

#include <gtest/gtest.h>

#include "tests/unit/models/plan/models.hpp"

namespace mlosim::plan {
namespace {

using work::DType;

spec::RuntimeSpec runtime() {
  spec::RuntimeSpec r;
  r.reserved_memory = 0.1;
  r.context_memory = Bytes(2e9);
  return r;
}

Parallelism tensor_parallel(std::int64_t tp) {
  Parallelism p;
  p.tp = tp;
  return p;
}

TEST(MemoryPlan, Llama70bOnEightChipsIsWhatPaperAndPencilSay) {
  const MemoryPlan plan =
      plan_inference_memory(llama_70b(), tensor_parallel(8), {}, 64, 2304, 64, Bytes(141e9), runtime());
  // 80 layers of 8192·(8192 + 2·1024) + 8192² for the attention and 3·8192·28672 for the FFN, an eighth of each;
  // embedding and head of 128256·8192, an eighth of each; 161 norms of 8192 whole. Two bytes each.
  EXPECT_DOUBLE_EQ(plan.weights.si(),
                   2.0 * (80.0 * (150'994'944 + 704'643'072) / 8 + 2 * 1'050'673'152.0 / 8 + 161 * 8192));
  // 80 layers · 2304 tokens · one KV head of a key and a value of 128 · two bytes.
  EXPECT_DOUBLE_EQ(plan.per_sequence.si(), 80.0 * 2304 * 1 * 256 * 2);
  EXPECT_EQ(plan.sequences, 64);
  EXPECT_DOUBLE_EQ(plan.kv_cache.si(), 64 * plan.per_sequence.si());
  // 64 tokens: twice the residual stream and an eighth of gate and up in bf16, logits in fp32.
  EXPECT_DOUBLE_EQ(plan.activations.si(), 64.0 * (2 * 8192 + 2 * 28672 / 8) * 2 + 64.0 * 128256 * 4);
  EXPECT_EQ(plan.workspace, Bytes(2e9));
  EXPECT_DOUBLE_EQ(plan.capacity.si(), 0.9 * 141e9);
  EXPECT_DOUBLE_EQ(plan.total().si(), (plan.weights + plan.kv_cache + plan.activations + plan.workspace).si());
  EXPECT_TRUE(plan.fits());
}

TEST(MemoryPlan, AModelFitsUpToTheLastByte) {
  const graph::ModelSpec model = dense_model();
  MemoryPlan plan = plan_inference_memory(model, tensor_parallel(1), {}, 1, 10, 1, Bytes(141e9), runtime());
  plan.capacity = plan.total();
  EXPECT_TRUE(plan.fits());
  plan.capacity = plan.total() - Bytes(1);
  EXPECT_FALSE(plan.fits());
}

TEST(MemoryPlan, ReplicasShareTheSequencesAndNotTheWeights) {
  Parallelism p = tensor_parallel(2);
  const MemoryPlan one = plan_inference_memory(dense_model(), p, {}, 64, 100, 1, Bytes(1e9), runtime());
  p.dp = 4;
  const MemoryPlan four = plan_inference_memory(dense_model(), p, {}, 64, 100, 1, Bytes(1e9), runtime());
  EXPECT_EQ(four.sequences, 16);
  EXPECT_EQ(four.weights, one.weights);
  EXPECT_DOUBLE_EQ(four.kv_cache.si(), one.kv_cache.si() / 4);
}

TEST(MemoryPlan, KvHeadsAreSpreadAsFarAsTheyGo) {
  const auto cache = [](std::int64_t tp) {
    return plan_inference_memory(dense_model(), tensor_parallel(tp), {}, 1, 100, 1, Bytes(1e9), runtime()).kv_cache;
  };
  EXPECT_DOUBLE_EQ(cache(2).si(), cache(1).si() / 2);
  EXPECT_EQ(cache(8), cache(2)) << "two KV heads cannot be spread wider";
}

TEST(MemoryPlan, ALatentIsKeptWholeOnEveryRank) {
  const graph::ModelSpec latent = read_model(
      "{name: l, layers: 2, hidden: 64, heads: 8, ffn: 96, vocab: 1000, attention: {mla: {q_rank: 24, kv_rank: 32, "
      "nope_dim: 12, rope_dim: 4, v_dim: 8}}}");
  const auto cache = [&](std::int64_t tp) {
    return plan_inference_memory(latent, tensor_parallel(tp), {}, 1, 100, 1, Bytes(1e9), runtime()).kv_cache;
  };
  EXPECT_DOUBLE_EQ(cache(1).si(), 2.0 * 100 * (32 + 4) * 2);
  EXPECT_EQ(cache(8), cache(1));
}

TEST(MemoryPlan, QuantisedWeightsLeaveEmbeddingHeadAndNormsWide) {
  const graph::ModelSpec model = dense_model();
  const graph::ParameterCount count = graph::count_parameters(model);
  const graph::Precision fp8{
      .weights = DType::fp8, .activations = DType::fp8, .kv_cache = DType::fp8, .compute = DType::bf16};
  const MemoryPlan plan = plan_inference_memory(model, tensor_parallel(1), fp8, 1, 100, 1, Bytes(1e9), runtime());
  EXPECT_DOUBLE_EQ(plan.weights.si(), count.attention + count.ffn + 2 * (count.embedding + count.head + count.norms));
  EXPECT_DOUBLE_EQ(plan.kv_cache.si(), 4.0 * 100 * 2 * 16 * 1);
}

TEST(MemoryPlan, ExpertsAreSpreadAndCut) {
  const graph::ModelSpec model = moe_model();
  const double experts = graph::count_parameters(model).experts;
  Parallelism p = tensor_parallel(1);
  const Bytes whole = plan_inference_memory(model, p, {}, 8, 100, 1, Bytes(1e9), runtime()).weights;
  p.attention_dp = 8;
  p.ep = 4;
  p.moe_tp = 2;
  const Bytes rank = plan_inference_memory(model, p, {}, 8, 100, 1, Bytes(1e9), runtime()).weights;
  EXPECT_DOUBLE_EQ((whole - rank).si(), 2 * experts * 7 / 8) << "attention and dense layers are whole on every rank";
}

TEST(MemoryPlan, ALongerContextAndALargerBatchNeedMore) {
  const auto total = [](std::int64_t batch, std::int64_t context) {
    return plan_inference_memory(dense_model(), tensor_parallel(2), {}, batch, context, batch, Bytes(1e9), runtime())
        .total();
  };
  EXPECT_GT(total(8, 200), total(8, 100));
  EXPECT_GT(total(16, 100), total(8, 100));
}

TEST(InferenceMemory, AStageHoldsItsLayersAndTheFullestCounts) {
  Parallelism p = tensor_parallel(1);
  const auto plan = [&] { return plan_inference_memory(dense_model(), p, {}, 8, 100, 8, Bytes(1e9), runtime()); };
  const MemoryPlan whole = plan();
  p.pp = 4;
  const MemoryPlan stage = plan();
  EXPECT_DOUBLE_EQ(stage.kv_cache / whole.kv_cache, 0.25);
  // A layer, the head and the embedding of four: 1000 x 64 each.
  const double end = 1000 * 64 * 2;
  EXPECT_NEAR((whole.weights.si() - 2 * end) / 4, stage.weights.si() - end, 200);
}

TEST(InferenceMemory, ContextRanksShareTheCacheAndRepeatTheWeights) {
  Parallelism p = tensor_parallel(2);
  const auto plan = [&] { return plan_inference_memory(dense_model(), p, {}, 8, 100, 8, Bytes(1e9), runtime()); };
  const MemoryPlan whole = plan();
  p.cp = 4;
  EXPECT_DOUBLE_EQ(plan().kv_cache / whole.kv_cache, 0.25);
  EXPECT_EQ(plan().weights.si(), whole.weights.si());
}

}  // namespace
}  // namespace mlosim::plan
