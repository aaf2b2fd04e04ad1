// Ratios of published step times: what recomputation costs, what more chips cost, which schedule wins. A ratio leaves
// out what is common to both, such as a chip's speed. Bounds are 3 %, wider where DEVIATIONS.md says why.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/property/workloads.hpp"

namespace mlosim::property {
namespace {

predict::Evaluation evaluate(const std::string& members) {
  return scenario_of_text("{schema: mlosim/workload/1, name: w, task: train, " + members + "}\n").evaluate();
}

double step(const std::string& members) { return evaluate(members).total.makespan.si(); }

void expect_ratio(double predicted, double published, double within, const std::string& what) {
  EXPECT_NEAR(predicted / published, 1, within) << what << ": " << predicted << ", published " << published;
}

// Korthikanti et al., arXiv:2205.05198, table 5: every activation computed again, over sequence parallelism with
// selective recomputation.
TEST(PublishedRatios, WhatRecomputingEverythingCosts) {
  struct Row {
    const char *name, *model, *parallelism;
    int chips, global_batch, micro_batch;
    double published;
  };
  const std::vector<Row> rows{
      {"22B", "{layers: 48, hidden: 6144, heads: 64, ffn: 24576, gated: false, vocab: 51200}", "tp: 8", 8, 4, 4,
       1.42 / 1.10},
      {"175B", "gpt3-175b", "tp: 8, pp: 8, schedule: interleaved, virtual_stages: 3", 64, 64, 1, 18.13 / 13.75},
      {"530B", "mt-nlg-530b", "tp: 8, pp: 35, schedule: interleaved, virtual_stages: 3", 280, 280, 1, 49.05 / 37.83},
      {"1T", "megatron-1t", "tp: 8, pp: 64", 512, 512, 1, 94.42 / 71.49}};
  for (const Row& row : rows) {
    const auto time = [&](const char* sp, const char* recompute) {
      return step(
          fmt::format("model: {}, system: dgx_a100, chips: {}, precision: fp16, runtime: {{framework: megatron-lm, "
                      "fused_attention: false}}, parallelism: {{{}, dp: 1, sp: {}}}, train: {{global_batch: {}, "
                      "micro_batch: {}, sequence: 2048, recompute: {}}}",
                      row.model, row.chips, row.parallelism, sp, row.global_batch, row.micro_batch, recompute));
    };
    expect_ratio(time("false", "full") / time("true", "selective"), row.published, 0.04, row.name);
  }
}

// MaxText, configurations of 2023: the same work a chip on one slice and on n of them, over the data-centre network.
struct Slices {
  const char *model, *chip_parallelism;
  const char* system;
  int chips, replicas, batch, micro_batch;  // of one slice
  const char *recompute, *overrides;
};

double slowdown(const Slices& s, int from, int to) {
  const auto time = [&](int slices) {
    return step(fmt::format(
        "model: {}, system: {}, chips: {}, precision: bf16, runtime: maxtext, parallelism: {{{}, dp: {}, zero: 3}}, "
        "train: {{global_batch: {}, micro_batch: {}, sequence: 2048, recompute: {}}}{}",
        s.model, s.system, s.chips * slices, s.chip_parallelism, s.replicas * slices, s.batch * slices, s.micro_batch,
        s.recompute, s.overrides));
  };
  return time(to) / time(from);
}

TEST(PublishedRatios, WhatMorePodsCost) {
  const Slices small{"{layers: 32, hidden: 5120, heads: 32, head_dim: 256, ffn: 32768, gated: false, vocab: 32768}",
                     "hsdp_shard: 256",
                     "tpu_v5e_pod",
                     256,
                     256,
                     1536,
                     6,
                     "full",
                     ""};
  const Slices middle{"{layers: 32, hidden: 10240, heads: 32, head_dim: 256, ffn: 32768, gated: false, vocab: 32768}",
                      "hsdp_shard: 256",
                      "tpu_v5e_pod",
                      256,
                      256,
                      1024,
                      4,
                      "full",
                      ""};
  const Slices large{"{layers: 64, hidden: 10240, heads: 64, head_dim: 256, ffn: 65536, gated: false, vocab: 32768}",
                     "tp: 16, hsdp_shard: 16",
                     "tpu_v5e_pod",
                     256,
                     16,
                     256,
                     16,
                     "full",
                     ""};
  expect_ratio(slowdown(middle, 1, 8), 13.0094 / 12.3195, 0.03, "32B, 8 pods");
  expect_ratio(slowdown(large, 2, 16), 16.1381 / 14.6710, 0.03, "128B, 2 to 16 pods");
  expect_ratio(slowdown(large, 1, 32), 110.0 / 91, 0.03, "128B, 32 pods");
  expect_ratio(slowdown(small, 1, 4), 10.5934 / 10.3285, 0.03, "16B, 4 pods");
  expect_ratio(slowdown(small, 1, 32), 120.0 / 108, 0.07, "16B, 32 pods: slow hosts are not in it");
}

TEST(PublishedRatios, WhatASecondSliceOfAPodCosts) {
  const Slices slices{"{layers: 64, hidden: 10240, heads: 64, head_dim: 256, ffn: 65536, gated: false, vocab: 32768}",
                      "tp: 8, hsdp_shard: 32",
                      "tpu_v5p_pod",
                      256,
                      32,
                      512,
                      16,
                      "selective",
                      ", overrides: {system.fabric.chips: 256, system.fabric.dimensions: [8, 8, 4]}"};
  expect_ratio(slowdown(slices, 1, 2), 316.0 / 274, 0.09, "128B on v5p");
}

// MosaicML llm-foundry: MPT-7B on H100 under FSDP, 45.7 and 42.2 % MFU.
TEST(PublishedRatios, WhatMoreNodesCost) {
  const auto time = [](int chips) {
    return step(fmt::format(
        "model: {{layers: 32, hidden: 4096, heads: 32, ffn: 16384, gated: false, vocab: 50368}}, system: dgx_h100, "
        "chips: {}, precision: bf16, runtime: llm_foundry, parallelism: {{dp: {}, zero: 3}}, train: {{global_batch: "
        "{}, "
        "micro_batch: 6, sequence: 2048}}",
        chips, chips, 6 * chips));
  };
  expect_ratio(time(512) / time(128), 45.7 / 42.2, 0.07, "MPT-7B, 128 to 512");
}

// Eight stages on eight MI300X, speed and memory over those of 1F1B. The model and its micro-batches are not published:
// Llama-2-7B with 32 of them here.
TEST(PublishedRatios, WhichScheduleIsFast) {
  struct Row {
    const char *name, *schedule;
    double speed, memory, within, memory_within;
  };
  const std::vector<Row> rows{{"interleaved", "schedule: interleaved, virtual_stages: 2", 1.09, 1.31, 0.03, 0.08},
                              {"zbb", "schedule: zero_bubble, zero_bubble: h1", 1.13, 1.02, 0.03, 0.03},
                              {"zbv", "schedule: zero_bubble, zero_bubble: v", 1.12, 1.11, 0.03, 0.04},
                              {"v-half", "schedule: zero_bubble, zero_bubble: v_half", 1.08, 0.86, 0.03, 0.06},
                              {"v-min", "schedule: zero_bubble, zero_bubble: v_min", 0.88, 0.73, 0.13, 0.08}};
  const auto run = [](const char* schedule) {
    const predict::Evaluation e =
        evaluate(fmt::format("model: llama-2-7b, system: mi300x_8, chips: 8, precision: bf16, runtime: megatron_core, "
                             "parallelism: {{pp: 8, {}}}, train: {{global_batch: 32, micro_batch: 1, sequence: 4096}}",
                             schedule));
    return std::pair(e.total.makespan.si(), e.memory->total().si());
  };
  const auto [time, memory] = run("schedule: 1f1b");
  for (const Row& row : rows) {
    const auto [own_time, own_memory] = run(row.schedule);
    expect_ratio(time / own_time, row.speed, row.within, row.name);
    expect_ratio(own_memory / memory, row.memory, row.memory_within, std::string(row.name) + " memory");
  }
}

}  // namespace
}  // namespace mlosim::property
