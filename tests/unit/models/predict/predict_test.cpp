#include "models/predict/predict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

std::string generate_text(const std::string& inference, const std::string& rest = "") {
  return workload_text("generate", "toy", std::string("model: ") + kDenseModel + ", inference: " + inference + rest);
}

std::string ops_text(const std::string& ops, const std::string& rest = "", const std::string& system = "toy") {
  return workload_text("ops", system, "ops: [" + ops + "]" + rest);
}

double count_of(const Prediction& p, const std::string& name) {
  for (const report::OpTotal& op : p.evaluation.total.ops) {
    if (op.name == name) return op.count;
  }
  return 0;
}

const Bottleneck* find(const Prediction& p, const std::string& resource) {
  for (const Bottleneck& b : p.bottlenecks) {
    if (b.resource == resource) return &b;
  }
  return nullptr;
}

class PredictTest : public testing::Test, protected Desk {};

TEST_F(PredictTest, AGenerationIsItsPrefillAndAllItsSteps) {
  const Prediction p = predict(generate_text("{batch: 4, prompt: 256, output: 64}"));
  const Evaluation& e = p.evaluation;
  EXPECT_NEAR(*e.end_to_end / (*e.prefill_time + 64 * *e.step_time), 1, 1e-12);
  EXPECT_NEAR(e.total.makespan / *e.end_to_end, 1, 1e-12);
  EXPECT_EQ(e.tokens, 4 * 64);
  EXPECT_NEAR(e.total.breakdown.total() / e.total.makespan, 1, 1e-9);
}

TEST_F(PredictTest, ThePrefillMayBeLeftOut) {
  const Prediction p = predict(generate_text("{batch: 4, prompt: 256, output: 64, count: decode}"));
  EXPECT_NEAR(p.evaluation.total.makespan / (64 * *p.evaluation.step_time), 1, 1e-12);
  EXPECT_GT(*p.evaluation.end_to_end, p.evaluation.total.makespan);
  EXPECT_EQ(count_of(p, "prefill.head.sampling"), 0);
}

// A long generation plays some of its steps; each stands for those around it.
TEST_F(PredictTest, ThePlayedStepsOfAGenerationStandForAllOfThem) {
  for (const int output : {1, 2, 16, 17, 18, 19, 100, 1000}) {
    const Prediction p = predict(generate_text("{batch: 1, prompt: 16, output: " + std::to_string(output) + "}"));
    EXPECT_NEAR(count_of(p, "decode.head.sampling"), output, 1e-9);
    EXPECT_NEAR(count_of(p, "decode.layers.0.mlp.down"), 4 * output, 1e-9);
    EXPECT_EQ(count_of(p, "prefill.head.sampling"), 1);
  }
}

TEST_F(PredictTest, APlayedStepIsADecodeOfThatLength) {
  const Prediction generation = predict(generate_text("{batch: 4, prompt: 255, output: 1}"));
  const Prediction step = predict(workload_text(
      "decode", "toy", std::string("model: ") + kDenseModel + ", inference: {batch: 4, prompt: 256, output: 1}"));
  EXPECT_EQ(*generation.evaluation.step_time, step.evaluation.total.makespan);
}

TEST_F(PredictTest, RatesFollowFromTheTime) {
  const Prediction p = predict(decode_text("parallelism: {tp: 8}", "toy_8"));
  const double time = p.evaluation.total.makespan.si();
  EXPECT_EQ(p.evaluation.chips, 8);
  EXPECT_DOUBLE_EQ(*p.tokens_per_s, 8 / time);
  EXPECT_DOUBLE_EQ(*p.tokens_per_s_per_chip, 1 / time);
  EXPECT_DOUBLE_EQ(p.energy.si(), 8 * p.evaluation.total.energy.si());
  EXPECT_NEAR(p.cost->si(), 2.0 / 3600 * 8 * time, 1e-15);
  EXPECT_GT(p.mfu, 0);
  EXPECT_LT(p.mfu, 1);
  EXPECT_LE(p.power_per_chip, Watts(500) * 1.5);
}

TEST_F(PredictTest, TheIntervalHoldsTheTimeAndNoBoundIsCrossed) {
  const Prediction p = predict(decode_text());
  EXPECT_LT(p.interval.low, p.evaluation.total.makespan);
  EXPECT_GT(p.interval.high, p.evaluation.total.makespan);
  EXPECT_GE(p.interval.low, predict_with(decode_text(), {}, chip::Fidelity::roofline).evaluation.total.makespan * 0.5);
}

TEST_F(PredictTest, ARooflineIsNeverAboveThePrediction) {
  for (const std::string& text : {decode_text(), decode_text("parallelism: {tp: 8}", "toy_8"),
                                  generate_text("{batch: 4, prompt: 2048, output: 8}")}) {
    EXPECT_LT(predict_with(text, {}, chip::Fidelity::roofline).evaluation.total.makespan,
              predict(text).evaluation.total.makespan);
  }
}

TEST_F(PredictTest, EqualWorkloadsHaveEqualPredictions) {
  const Prediction a = predict(decode_text("parallelism: {tp: 8}", "toy_8")),
                   b = predict(decode_text("parallelism: {tp: 8}", "toy_8"));
  EXPECT_EQ(a.evaluation.total.makespan, b.evaluation.total.makespan);
  EXPECT_EQ(a.energy, b.energy);
  ASSERT_EQ(a.assumptions.size(), b.assumptions.size());
}

TEST_F(PredictTest, ReplicasChangeTheThroughputAndNotTheTime) {
  const std::string eight =
      workload_text("decode", "toy_8",
                    std::string("model: ") + kDenseModel +
                        ", parallelism: {dp: 8}, inference: {batch: 64, prompt: 512, output: 128}");
  const Prediction one = predict(decode_text()), all = predict(eight);
  EXPECT_EQ(all.evaluation.total.makespan, one.evaluation.total.makespan);
  EXPECT_NEAR(*all.tokens_per_s / *one.tokens_per_s, 8, 1e-9);
  EXPECT_NEAR(all.mfu / one.mfu, 1, 1e-9);
}

TEST_F(PredictTest, MoreOfAResourceIsNeverSlower) {
  const Seconds base = predict(decode_text()).evaluation.total.makespan;
  for (const auto& setting : {std::pair{"chip.hbm.bandwidth", "2 TB/s"}, std::pair{"chip.matrix.bf16", "2000 flop"},
                              std::pair{"chip.l2.bandwidth", "10 TB/s"}, std::pair{"chip.launch.graph", "500 ns"},
                              std::pair{"runtime.step_overhead", "0 s"}}) {
    EXPECT_LE(predict_with(decode_text(), {{setting.first, setting.second}}).evaluation.total.makespan, base)
        << setting.first;
  }
}

TEST_F(PredictTest, BareOperatorsComeInTheirOrder) {
  const Prediction p = predict(ops_text(
      "{op: gemm, m: 512, n: 512, k: 512}, {op: softmax, rows: 64, cols: 64}, {op: gemm, m: 512, n: 512, k: 512}"));
  ASSERT_EQ(p.evaluation.total.ops.size(), 3U);
  EXPECT_EQ(work::name_of(p.evaluation.total.ops[0].op), "gemm");
  EXPECT_EQ(work::name_of(p.evaluation.total.ops[1].op), "softmax");
  EXPECT_EQ(p.evaluation.total.ops[0].time, p.evaluation.total.ops[2].time);
  EXPECT_FALSE(p.evaluation.memory.has_value());
  EXPECT_FALSE(p.tokens_per_s.has_value());
}

// A bare operator runs on every chip alike.
TEST_F(PredictTest, TheUtilisationOfABareOperatorDoesNotDependOnTheNumberOfChips) {
  const std::string gemm = "{op: gemm, m: 4096, n: 4096, k: 4096}";
  const Prediction one = predict(ops_text(gemm)), eight = predict(ops_text(gemm, ", chips: 8", "toy_8"));
  EXPECT_EQ(one.evaluation.total.makespan, eight.evaluation.total.makespan);
  EXPECT_DOUBLE_EQ(one.mfu, eight.mfu);
  EXPECT_NEAR(one.mfu, 2 * 4096.0 * 4096 * 4096 / 100e12 / one.evaluation.total.makespan.si(), 1e-9);
  EXPECT_DOUBLE_EQ(8 * one.energy.si(), eight.energy.si());
}

TEST_F(PredictTest, AStreamIsBoundByTheMemoryAndAnswersToIt) {
  const Prediction p = predict(ops_text("{op: copy, rows: 100000, cols: 32768}"));
  ASSERT_FALSE(p.bottlenecks.empty());
  EXPECT_EQ(p.bottlenecks[0].resource, "hbm_bandwidth");
  EXPECT_GT(p.bottlenecks[0].share, 0.99);
  EXPECT_NEAR(p.bottlenecks[0].elasticity, -1, 0.01);
}

TEST_F(PredictTest, ALargeGemmIsBoundByTheMatrixUnit) {
  const std::string gemm = ops_text("{op: gemm, m: 16384, n: 16384, k: 16384}");
  const Prediction p = predict_with(gemm, {{"chip.power.cap", "5 kW"}});
  EXPECT_EQ(p.bottlenecks[0].resource, "matrix_unit");
  EXPECT_NEAR(p.bottlenecks[0].elasticity, -1, 0.05);
}

TEST_F(PredictTest, HostTimeThatNothingHidesIsTheHosts) {
  const Prediction p = predict_with(decode_text(), {{"runtime.step_overhead", "10 ms"}});
  ASSERT_NE(find(p, "host"), nullptr);
  EXPECT_GT(find(p, "host")->share, 0.8);
  EXPECT_NEAR(find(p, "host")->elasticity, find(p, "host")->share, 0.01);
}

TEST_F(PredictTest, TheSharesOfTheBottlenecksAreOfOneWhole) {
  const Prediction p = predict(decode_text("parallelism: {tp: 8}", "toy_8"));
  const double sum = std::accumulate(p.bottlenecks.begin(), p.bottlenecks.end(), 0.0,
                                     [](double s, const Bottleneck& b) { return s + b.share; });
  EXPECT_LE(sum, 1 + 1e-9);
  EXPECT_GT(sum, 0.95) << "those under half a percent are left out";
  EXPECT_TRUE(std::is_sorted(p.bottlenecks.begin(), p.bottlenecks.end(),
                             [](const Bottleneck& a, const Bottleneck& b) { return a.share > b.share; }));
}

TEST_F(PredictTest, AssumedNumbersThatMatterAreListed) {
  const Prediction p = predict(workload_text(
      "ops", "toy", "ops: [{op: attention_decode, batch: 64, seq_kv: 8192, heads: 32, kv_heads: 8, head_dim: 128}]"));
  ASSERT_FALSE(p.assumptions.empty());
  EXPECT_EQ(p.assumptions[0].parameter, "chip.attention.decode.memory_efficiency");
  EXPECT_EQ(p.assumptions[0].value, "0.8");
  EXPECT_EQ(p.assumptions[0].kind, spec::SourceKind::assumed);
  EXPECT_EQ(p.assumptions[0].source, "a guess");
  EXPECT_LT(p.assumptions[0].elasticity, -0.5);
}

TEST_F(PredictTest, NumbersThatAreSaidToBeMeasuredAreNoAssumptions) {
  for (const Assumption& a : predict(decode_text()).assumptions) {
    EXPECT_TRUE(a.kind == spec::SourceKind::assumed || a.kind == spec::SourceKind::derived) << a.parameter;
  }
}

TEST_F(PredictTest, AWorkloadThatDoesNotFitIsPredictedAllTheSame) {
  const Prediction p = predict(
      workload_text("decode", "toy",
                    std::string("model: ") + kDenseModel + ", inference: {batch: 4096, prompt: 32000, output: 100}"));
  EXPECT_FALSE(p.evaluation.memory->fits());
  EXPECT_GT(p.evaluation.total.makespan, Seconds(0));
}

TEST_F(PredictTest, TheMachineMustHaveTheChips) {
  EXPECT_THAT(prediction_mistake(decode_text("parallelism: {tp: 2}")),
              HasSubstr("toy is one chip; the workload asks for 2"));
}

TEST_F(PredictTest, RanksOfAGroupMayLieBeyondTheNodeAndPayForIt) {
  const auto step = [&](int tp) {
    return predict(
        workload_text("decode", "toy_8",
                      "model: {layers: 4, hidden: 1024, heads: 16, ffn: 4096, vocab: 32000}, parallelism: {tp: " +
                          std::to_string(tp) + "}, inference: {batch: 8, prompt: 512, output: 128}"));
  };
  EXPECT_GT(step(16).evaluation.total.communication_total, step(8).evaluation.total.communication_total);
}

TEST_F(PredictTest, ReplicasMayLieBeyondTheNode) {
  const Prediction p =
      predict(workload_text("decode", "toy_8",
                            std::string("model: ") + kDenseModel +
                                ", parallelism: {tp: 8, dp: 4}, inference: {batch: 32, prompt: 512, output: 128}"));
  EXPECT_EQ(p.evaluation.chips, 32);
}

TEST_F(PredictTest, ACollectiveOfOperatorsMaySpanNodes) {
  const auto ops = [](const std::string& group) {
    return workload_text("ops", "toy_8", "ops: [{op: collective, kind: all_reduce, bytes: 1 GB, " + group + "}]");
  };
  const Prediction whole = predict(ops("ranks: 64")), strided = predict(ops("ranks: 8, stride: 8"));
  EXPECT_EQ(whole.evaluation.chips, 64);
  EXPECT_EQ(strided.evaluation.chips, 64);
  EXPECT_GT(strided.evaluation.total.makespan, 4 * whole.evaluation.total.makespan);  // one adapter a rank
  EXPECT_THAT(prediction_mistake(ops("ranks: 13")), HasSubstr("13 ranks do not fill nodes of 8 chips evenly"));
  EXPECT_THAT(prediction_mistake(workload_text("ops", "toy_8",
                                               "chips: 16, ops: [{op: collective, kind: all_reduce, bytes: 1 GB, "
                                               "ranks: 4, stride: 8}]")),
              HasSubstr("4 ranks, 8 chips apart, are more than the 16 chips of the workload"));
}

TEST_F(PredictTest, WithoutAScaleOutNetworkANodeIsAll) {
  std::string node = spec::kToyNode;
  spec::SmallLibrary::replace(node, "scale_out: {bandwidth: 50 GB/s, latency: 5 us}", "");
  small.write("hw_specs/systems/toy_8.yaml", node);
  EXPECT_THAT(prediction_mistake(decode_text("parallelism: {tp: 2, dp: 8}", "toy_8")),
              HasSubstr("toy_8 has 8 chips and no scale-out network; the workload asks for 16"));
}

TEST_F(PredictTest, AFormatWithoutArithmeticIsAWrongInput) {
  EXPECT_THAT(prediction_mistake(decode_text("precision: bf16", "old")), HasSubstr("old has no bf16 arithmetic"));
  EXPECT_THAT(prediction_mistake(decode_text("precision: fp8", "old")), HasSubstr("keep only the weights in it"));
}

TEST_F(PredictTest, ASystolicChipPredictsTheSameWorkload) {
  const Prediction p = predict(decode_text("", "grid"));
  EXPECT_EQ(p.runtime, "weave");
  EXPECT_GT(p.evaluation.total.makespan, Seconds(0));
  EXPECT_NEAR(p.evaluation.total.breakdown.total() / p.evaluation.total.makespan, 1, 1e-9);
}

TEST_F(PredictTest, ATraceHasEveryPhaseThatIsPlayed) {
  report::TraceWriter trace;
  PredictOptions options;
  options.trace = &trace;
  predict(generate_text("{batch: 1, prompt: 16, output: 3}"), options);
  const std::string text = trace.render(1);
  EXPECT_THAT(text, AllOf(HasSubstr("prefill"), HasSubstr("decode at 17 tokens"), HasSubstr("decode at 19 tokens")));
}

TEST_F(PredictTest, WithoutSensitivitiesTheTimeAndItsIntervalAreTheSame) {
  PredictOptions options;
  options.sensitivities = false;
  const Prediction whole = predict(decode_text()), quick = predict(decode_text(), options);
  EXPECT_EQ(quick.evaluation.total.makespan, whole.evaluation.total.makespan);
  EXPECT_EQ(quick.interval.high, whole.interval.high);
  EXPECT_FALSE(whole.bottlenecks.empty());
  EXPECT_TRUE(quick.bottlenecks.empty() && quick.assumptions.empty());
}

TEST_F(PredictTest, AWorkloadThatWasReadAlreadyIsPredictedAsItsFileIs) {
  const Workload workload = read(decode_text("runtime: acne"));
  const Prediction p = predict::predict(small.library(), workload, {});
  EXPECT_EQ(p.evaluation.total.makespan, predict(decode_text("runtime: acne")).evaluation.total.makespan);
  EXPECT_THAT(p.warnings, Contains(HasSubstr("no runtime is called 'acne'")));
}

TEST_F(PredictTest, AnUnknownRuntimeIsPredictedWithAWarning) {
  const Prediction p = predict(decode_text("runtime: acne"));
  EXPECT_EQ(p.runtime, "acme");
  EXPECT_THAT(p.warnings, Contains(HasSubstr("no runtime is called 'acne'; taking 'acme'")));
}

TEST_F(PredictTest, KernelsAreCountedWithTheEventsOfTheirPlay) {
  const auto events = [&](chip::Fidelity fidelity) {
    return predict_with(decode_text(), {}, fidelity).evaluation.total.events;
  };
  EXPECT_GT(events(chip::Fidelity::event), events(chip::Fidelity::analytic) + 1000);
  const std::string ops = "ops: [{op: gemm, m: 512, n: 512, k: 512}";
  const auto of_ops = [&](const std::string& more) {
    return predict(workload_text("ops", "toy", ops + more + "]")).evaluation.total.events;
  };
  const double once = of_ops("");
  EXPECT_GT(once, 10);
  EXPECT_LT(of_ops(", {op: gemm, m: 512, n: 512, k: 512}") - once, 10);  // equal kernels are played once
}

TEST_F(PredictTest, ElasticitiesOfAPlayedWorkloadAreThoseOfItsClosedForms) {
  const Prediction event = predict_with(decode_text(), {}, chip::Fidelity::event);
  const Prediction analytic = predict_with(decode_text(), {}, chip::Fidelity::analytic);
  ASSERT_EQ(event.assumptions.size(), analytic.assumptions.size());
  for (std::size_t i = 0; i < event.assumptions.size(); ++i)
    EXPECT_EQ(event.assumptions[i].elasticity, analytic.assumptions[i].elasticity);
}

std::string tiled(const std::string& plan) {
  return workload_text("ops", "toy", "ops: [{op: gemm, m: 2048, n: 2048, k: 2048, plan: " + plan + "}]");
}

TEST_F(PredictTest, AnAuthorsPlanCountsInEveryFidelityButTheRoofline) {
  const auto time = [&](const std::string& plan, chip::Fidelity fidelity) {
    return predict_with(tiled(plan), {}, fidelity).evaluation.total.makespan;
  };
  const std::string wide = "{tile: [128, 128, 64], stages: 3}", narrow = "{tile: [64, 64, 64], stages: 1}";
  for (const auto fidelity : {chip::Fidelity::analytic, chip::Fidelity::event})
    EXPECT_NE(time(wide, fidelity), time(narrow, fidelity)) << chip::name_of(fidelity);
  EXPECT_EQ(time(wide, chip::Fidelity::roofline), time(narrow, chip::Fidelity::roofline));
}

TEST_F(PredictTest, OperatorsWithDifferentPlansAreDifferent) {
  const Prediction p = predict(
      workload_text("ops", "toy",
                    "ops: [{op: gemm, m: 2048, n: 2048, k: 2048, plan: {tile: [64, 64, 64]}}, {op: gemm, m: 2048, n: "
                    "2048, k: 2048, plan: {tile: [128, 256, 64]}}]"));
  const std::vector<report::OpTotal>& ops = p.evaluation.total.ops;
  EXPECT_NE(ops[0].each, ops[1].each);
  EXPECT_EQ(ops[0].detail, "64x64");
  EXPECT_EQ(ops[1].detail, "256x128");
}

TEST_F(PredictTest, APlanThatTheChipCannotHoldIsAMistakeAtItsOperator) {
  EXPECT_THAT(prediction_mistake(tiled("{tile: [128, 128, 64], stages: 64}")),
              HasSubstr("w.yaml:1:68: ops.0: 64 stages of 128x128x64 take 2048 KiB of shared memory; a unit has 176"));
  EXPECT_THAT(prediction_mistake(tiled("{tile: [512, 512, 16]}")),
              HasSubstr("ops.0: a tile of 512x512 has 262144 accumulators a unit; a unit holds 65536 in fp32"));
  EXPECT_THAT(prediction_mistake(tiled("{split_k: 3}")), HasSubstr("ops.0: toy has no GEMM kernel that splits k in 3"));
  const std::string two = prediction_mistake(
      workload_text("ops", "toy",
                    "ops: [{op: gemm, m: 8, n: 8, k: 8, plan: {split_k: 3}}, {op: copy, rows: 1, cols: 1}, {op: gemm, "
                    "m: 8, n: 8, k: 8, plan: {split_k: 5}}]"));
  EXPECT_THAT(two, HasSubstr("ops.0: "));
  EXPECT_THAT(two, HasSubstr("ops.2: "));
}

TEST_F(PredictTest, StreamsRunBesideEachOther) {
  const std::string gemm = "{op: gemm, m: 4096, n: 4096, k: 4096", copy = "{op: copy, rows: 8192, cols: 8192";
  for (const chip::Fidelity fidelity : {chip::Fidelity::analytic, chip::Fidelity::event}) {
    PredictOptions options;
    options.fidelity = fidelity;
    const auto ops = [&](const std::string& list) { return predict(ops_text(list), options).evaluation.total; };
    const report::StepReport one = ops(gemm + "}, " + copy + "}");
    const report::StepReport two = ops(gemm + "}, " + copy + ", stream: 1}");
    ASSERT_EQ(two.ops.size(), 2U);
    EXPECT_EQ(one.ops[1].start, one.ops[0].end);
    EXPECT_EQ(two.ops[0].start, Seconds(0));
    EXPECT_EQ(two.ops[1].start, Seconds(0));
    EXPECT_EQ(two.makespan, std::max(two.ops[0].end, two.ops[1].end));
    EXPECT_LE(two.makespan, one.makespan);
    EXPECT_GE(two.makespan, std::max(one.ops[0].each, one.ops[1].each));
  }
}

}  // namespace
}  // namespace mlosim::predict
