// What an explanation says of operators: facts that add up, whatever the numbers are.
#include "models/predict/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "models/predict/describe_op.hpp"
#include "models/predict/render_explanation.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class ExplainTest : public testing::Test, protected Desk {
 protected:
  Explanation explain(const std::string& text, const ExplainOptions& options = {}) {
    return predict::explain(small.library(), small.write("w.yaml", text), options);
  }
  Explanation explain_in(chip::Fidelity fidelity) {
    ExplainOptions options;
    options.predict.fidelity = fidelity;
    return explain(decode_text("parallelism: {tp: 8}", "toy_8"), options);
  }
  std::string mistake(const std::string& op) {
    try {
      explain(decode_text(), {.predict = {}, .op = op});
      return "none";
    } catch (const spec::InputError& error) {
      return error.what();
    }
  }
  const std::string gemm = workload_text("ops", "toy", "ops: [{op: gemm, m: 1024, n: 2048, k: 4096}]");
};

TEST_F(ExplainTest, EveryOperatorIsInItOnceTheLargestFirst) {
  const Explanation e = explain_in(chip::Fidelity::event);
  const std::vector<report::OpTotal>& ops = e.prediction.evaluation.total.ops;
  std::vector<int> seen(ops.size());
  Seconds all, sum;
  for (const report::OpTotal& op : ops) all += op.time;
  for (std::size_t i = 0; i < e.operators.size(); ++i) {
    sum += e.operators[i].total;
    for (const std::size_t index : e.operators[i].indices) ++seen[index];
    if (i > 0) {
      EXPECT_LE(e.operators[i].total, e.operators[i - 1].total);
    }
  }
  EXPECT_THAT(seen, testing::Each(1));
  EXPECT_NEAR(sum / all, 1, 1e-12);
}

TEST_F(ExplainTest, EqualOperatorsAreOne) {
  const Explanation e = explain(workload_text("ops", "toy",
                                              "ops: [{op: gemm, m: 64, n: 64, k: 64}, {op: copy, rows: 8, cols: 8}, "
                                              "{op: gemm, m: 64, n: 64, k: 64}]"));
  ASSERT_THAT(e.operators, SizeIs(2));
  const OperatorFacts& twice = e.operators[e.operators[0].count == 2 ? 0 : 1];
  EXPECT_THAT(twice.indices, ElementsAre(0u, 2u));
  EXPECT_THAT(twice.names, ElementsAre("ops.0.gemm", "ops.2.gemm"));
  EXPECT_EQ(twice.total, 2 * twice.each);
}

TEST_F(ExplainTest, TheCausesOfAPlayedKernelAddUpToItsTime) {
  for (const OperatorFacts& facts : explain_in(chip::Fidelity::event).operators) {
    if (!facts.kernel || facts.kernel->price.events == 0) continue;
    const chip::TimeByCause& c = facts.kernel->price.causes;
    const Seconds sum =
        c.launch + c.fill + c.compute + c.load + c.latency + c.store + c.tail + c.power + c.other_kernels;
    EXPECT_NEAR(sum / facts.kernel->price.time, 1, 1e-9) << facts.names.front();
  }
}

TEST_F(ExplainTest, EnergyByPartAddsUpInEveryFidelity) {
  for (const auto fidelity : {chip::Fidelity::roofline, chip::Fidelity::analytic, chip::Fidelity::event}) {
    for (const OperatorFacts& facts : explain_in(fidelity).operators) {
      if (!facts.kernel) continue;
      EXPECT_EQ(facts.kernel->price.energy_by_part.total(), facts.kernel->price.energy);
      EXPECT_GE(facts.kernel->price.energy_by_part.static_power, Joules(0));
    }
  }
}

TEST_F(ExplainTest, NoKernelIsAboveItsRoofline) {
  for (const auto fidelity : {chip::Fidelity::roofline, chip::Fidelity::analytic, chip::Fidelity::event}) {
    for (const OperatorFacts& facts : explain_in(fidelity).operators) {
      if (!facts.kernel) continue;
      EXPECT_LE(facts.kernel->roofline.bound, facts.kernel->price.time) << facts.names.front();
      EXPECT_LE(facts.kernel->roofline.achieved, facts.kernel->roofline.peak * (1 + 1e-9)) << facts.names.front();
    }
  }
}

TEST_F(ExplainTest, ThePlansOfAGemmBeginWithTheOneThatItTakes) {
  const Explanation e = explain(gemm);
  const KernelFacts& kernel = *e.operators.at(0).kernel;
  ASSERT_THAT(kernel.plans, SizeIs(4));
  EXPECT_EQ(kernel.plans[0].plan.tile_m, kernel.price.plan.tile_m);
  EXPECT_EQ(kernel.plans[0].plan.tile_n, kernel.price.plan.tile_n);
  EXPECT_EQ(kernel.plans[0].plan.split, kernel.price.plan.split);
  for (std::size_t i = 1; i < kernel.plans.size(); ++i)
    EXPECT_GE(kernel.plans[i].preference, kernel.plans[i - 1].preference);
  EXPECT_THAT(explain(gemm, {.predict = {}, .op = {}, .runners_up = 0}).operators.at(0).kernel->plans, SizeIs(1));
}

TEST_F(ExplainTest, TheEstimateOfTheTakenPlanIsTheAnalyticTime) {
  ExplainOptions options;
  options.predict.fidelity = chip::Fidelity::analytic;
  const Explanation e = explain(gemm, options);
  EXPECT_EQ(e.operators.at(0).kernel->plans.at(0).time, e.operators.at(0).kernel->price.time);
}

TEST_F(ExplainTest, WhatIsNotSearchedHasNoRunnersUpAndACollectiveIsNoKernel) {
  for (const OperatorFacts& facts : explain_in(chip::Fidelity::event).operators) {
    EXPECT_EQ(facts.kernel.has_value(), !std::holds_alternative<work::Collective>(facts.op));
    if (!facts.kernel) continue;
    EXPECT_EQ(facts.kernel->plans.empty(), !std::holds_alternative<work::Gemm>(facts.op));
  }
}

TEST_F(ExplainTest, OneOperatorIsFoundByNameOrByIndex) {
  ExplainOptions options;
  options.op = "layers.0.attention.qkv";
  const Explanation by_name = explain(decode_text(), options);
  ASSERT_THAT(by_name.operators, SizeIs(1));
  EXPECT_THAT(by_name.operators[0].names, ElementsAre("layers.0.attention.qkv"));
  options.op = std::to_string(by_name.operators[0].indices.at(0));
  EXPECT_THAT(explain(decode_text(), options).operators.at(0).names, ElementsAre("layers.0.attention.qkv"));
  EXPECT_THAT(mistake("layers.0.attention.qvk"), HasSubstr("did you mean 'layers.0.attention.qkv'?"));
  EXPECT_THAT(mistake("4711"), HasSubstr("no operator 4711; they are counted from 0 to "));
  EXPECT_THAT(mistake("99999999999999999999999"), HasSubstr("no operator 9999"));
  EXPECT_THAT(mistake("-1"), HasSubstr("no operator is called '-1'"));
}

TEST_F(ExplainTest, AnExplanationRestsOnThePredictionOfTheSameWorkload) {
  const Explanation e = explain(decode_text("runtime: acne"));
  const Prediction p = predict(decode_text("runtime: acne"));
  EXPECT_EQ(e.prediction.evaluation.total.makespan, p.evaluation.total.makespan);
  EXPECT_EQ(e.prediction.warnings, p.warnings);
  EXPECT_EQ(e.prediction.bottlenecks.size(), p.bottlenecks.size());
}

TEST_F(ExplainTest, ItsJsonIsTheResultWithOperatorsInPlaceOfOps) {
  const auto j = nlohmann::json::parse(render_json(explain_in(chip::Fidelity::event), {.version = "1", .seconds = 0}));
  EXPECT_EQ(j.at("schema"), "mlosim/explanation/1");
  EXPECT_FALSE(j.contains("ops"));
  for (const char* key : {"time_s", "time_breakdown_s", "kernel_time_by_cause_s", "bottlenecks", "assumptions"})
    EXPECT_TRUE(j.contains(key)) << key;
  bool has_played = false;
  for (const auto& op : j.at("operators")) {
    for (const char* key : {"names", "shape", "count", "time_s", "total_s", "share", "lower_bound_s", "bound"})
      EXPECT_TRUE(op.contains(key)) << key;
    if (op.at("op") != "gemm") continue;
    has_played |= op.at("played_events").get<double>() > 0;
    EXPECT_THAT(op.at("plan").at("tile"), SizeIs(3));
    EXPECT_GE(op.at("plans").size(), 1u);
    EXPECT_GT(op.at("bytes").at("device_read").get<double>(), 0);
    EXPECT_GT(op.at("roofline").at("intensity_flop_per_byte").get<double>(), 0);
  }
  EXPECT_TRUE(has_played);
}

TEST_F(ExplainTest, ItsTextSaysWhatIsKnownInEveryFidelity) {
  const std::string event = render_text(explain_in(chip::Fidelity::event));
  for (const char* part :
       {"fidelity event", "where the time goes", "time of kernels by cause", "1. ", "tile m ", "runners-up", "compute ",
        "device memory ", "found in the caches", "static ", "operations a byte", "algorithm", "without a search"})
    EXPECT_THAT(event, HasSubstr(part));
  EXPECT_THAT(event, Not(HasSubstr("nan")));
  EXPECT_THAT(event, Not(HasSubstr("inf ")));
  const std::string analytic = render_text(explain_in(chip::Fidelity::analytic));
  EXPECT_THAT(analytic, HasSubstr("in closed form"));
  EXPECT_THAT(analytic, Not(HasSubstr("found in the caches")));
  EXPECT_THAT(render_text(explain_in(chip::Fidelity::roofline)), HasSubstr("its roofline alone"));
}

TEST(DescribeShape, NamesSizesAndFormats) {
  EXPECT_EQ(describe_shape(work::Gemm{.m = 64, .n = 128, .k = 256}), "m 64, n 128, k 256, bf16");
  EXPECT_EQ(describe_shape(work::Gemm{.m = 1, .n = 2, .k = 3, .batch = 4, .weights = work::DType::int4}),
            "4 x m 1, n 2, k 3, bf16 and int4");
  EXPECT_EQ(describe_shape(work::Collective{.bytes = Bytes(1e6), .ranks = 8}), "1.00 MB on 8 ranks");
}

}  // namespace
}  // namespace mlosim::predict
