// Promises of intervals, of kernels and of whole workloads.
#include "models/predict/interval.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

// GEMMs of chip "a" between -0.1 and 0.3, whatever their time.
Residuals residuals() {
  ResidualTable table;
  table.within_kind = 0.5;
  table.across_kinds = 0.1;
  table.host = {.value = 0.2, .kind = "assumed", .source = "a guess"};
  table.network = {.value = 0.15, .kind = "assumed", .source = "a guess"};
  table.curves.push_back({.op = "gemm",
                          .chip = "a",
                          .family = "f",
                          .formats = {{"x", {"bf16"}}},
                          .rows = 100,
                          .shortest = Seconds(1e-6),
                          .longest = Seconds(1),
                          .points = {{.time = Seconds(1e-3), .low = -0.1, .high = 0.3}}});
  return Residuals(table);
}

ResidualKey gemm(Seconds time) {
  return {.chip = "a", .family = "f", .runtime = "x", .op = "gemm", .format = "bf16", .time = time};
}

TimePart part(std::string_view kind, double time, double end) {
  return {.kind = kind, .time = Seconds(time), .quantiles = {.low = -end, .high = end}};
}

TEST(KernelInterval, EndsAreTheResidualsFactors) {
  const Interval i = kernel_interval(residuals(), gemm(Seconds(1e-3)), Seconds(0));
  EXPECT_DOUBLE_EQ(i.low.si(), 1e-3 * std::exp(-0.1));
  EXPECT_DOUBLE_EQ(i.high.si(), 1e-3 * std::exp(0.3));
}

TEST(KernelInterval, HoldsTheTimeAndIsNotBelowTheBound) {
  for (const double bound : {0.0, 0.5e-3, 0.95e-3, 1e-3, 2e-3}) {
    const Interval i = kernel_interval(residuals(), gemm(Seconds(1e-3)), Seconds(bound));
    EXPECT_LE(i.low.si(), 1e-3);
    EXPECT_GE(i.high.si(), 1e-3);
    EXPECT_GE(i.low.si(), std::min(bound, 1e-3));
  }
}

TEST(Combine, OnePartHasItsOwnEnds) {
  const Quantiles q =
      combine({{.kind = "gemm", .time = Seconds(2), .quantiles = {.low = -0.1, .high = 0.3, .distance = 0.2}}},
              Seconds(2), 0.5, 0.1);
  EXPECT_NEAR(q.low, -0.1, 1e-12);
  EXPECT_NEAR(q.high, 0.3, 1e-12);
  EXPECT_NEAR(q.distance, 0.2, 1e-12);
}

TEST(Combine, IndependentPartsAddAsSquares) {
  const Quantiles q = combine({part("gemm", 1, 0.3), part("attention", 1, 0.4)}, Seconds(2), 0, 0);
  EXPECT_NEAR(q.high, 0.25, 1e-12);
  EXPECT_NEAR(q.low, -0.25, 1e-12);
}

TEST(Combine, FullyCorrelatedPartsAddLinearly) {
  const Quantiles q = combine({part("gemm", 1, 0.3), part("attention", 1, 0.4)}, Seconds(2), 1, 1);
  EXPECT_NEAR(q.high, 0.35, 1e-12);
}

TEST(Combine, PartsOfOneKindHaveMoreInCommonThanOthers) {
  const std::vector<TimePart> same{part("gemm", 1, 0.3), part("gemm", 1, 0.4)};
  const std::vector<TimePart> different{part("gemm", 1, 0.3), part("attention", 1, 0.4)};
  EXPECT_GT(combine(same, Seconds(2), 0.5, 0.1).high, combine(different, Seconds(2), 0.5, 0.1).high);
  EXPECT_NEAR(combine(same, Seconds(2), 0.5, 0.1).high, std::sqrt(0.15 * 0.15 + 0.2 * 0.2 + 2 * 0.5 * 0.15 * 0.2),
              1e-12);
}

TEST(Combine, DistancesOfOneKindGoTogether) {
  std::vector<TimePart> parts{part("gemm", 1, 0), part("gemm", 1, 0)};
  for (TimePart& p : parts) p.quantiles.distance = 0.2;
  EXPECT_NEAR(combine(parts, Seconds(2), 0, 0).distance, 0.2, 1e-12);
}

class WorkloadInterval : public testing::Test {
 protected:
  static double width(const Prediction& p) { return p.interval.high / p.interval.low; }
  Desk desk_;
};

TEST_F(WorkloadInterval, OneOperatorHasItsKernelsInterval) {
  const Prediction p = desk_.predict(workload_text("ops", "toy", "ops: [{op: gemm, m: 4096, n: 4096, k: 4096}]"));
  EXPECT_NEAR(p.interval.high / p.evaluation.total.makespan, std::exp(0.1), 1e-3);
}

TEST_F(WorkloadInterval, EqualOperatorsAreOnePart) {
  const std::string one = "{op: gemm, m: 4096, n: 4096, k: 4096}";
  const Prediction once = desk_.predict(workload_text("ops", "toy", "ops: [" + one + "]"));
  const Prediction twice = desk_.predict(workload_text("ops", "toy", "ops: [" + one + ", " + one + "]"));
  EXPECT_NEAR(width(twice), width(once), 1e-9);
}

TEST_F(WorkloadInterval, StreamsBesideEachOtherAreNoLessCertainThanEachAlone) {
  const std::string one = "{op: gemm, m: 4096, n: 4096, k: 4096";
  const Prediction once = desk_.predict(workload_text("ops", "toy", "ops: [" + one + "}]"));
  const Prediction beside = desk_.predict(workload_text("ops", "toy", "ops: [" + one + "}, " + one + ", stream: 1}]"));
  EXPECT_LE(width(beside), width(once) * 1.02);
  EXPECT_LT(beside.interval.low, beside.evaluation.total.makespan);
}

TEST_F(WorkloadInterval, DifferentOperatorsMakeUpForEachOther) {
  const std::string a = "{op: gemm, m: 4096, n: 4096, k: 4096}", b = "{op: gemm, m: 4097, n: 4096, k: 4096}";
  const Prediction once = desk_.predict(workload_text("ops", "toy", "ops: [" + a + "]"));
  const Prediction both = desk_.predict(workload_text("ops", "toy", "ops: [" + a + ", " + b + "]"));
  EXPECT_LT(width(both), width(once));
}

TEST_F(WorkloadInterval, ANetworkIsLessCertainThanItsOperators) {
  const Prediction p = desk_.predict(decode_text());
  EXPECT_GE(std::log(p.interval.high / p.evaluation.total.makespan), 0.15);
}

TEST_F(WorkloadInterval, AMachineThatNobodyMeasuredIsLessCertain) {
  const std::string ops = "ops: [{op: gemm, m: 4096, n: 4096, k: 4096}]";
  const Prediction known = desk_.predict(workload_text("ops", "toy", ops));
  const auto with_override = [&](const std::string& override) {
    return desk_.predict(workload_text("ops", "toy", ops + ", overrides: {" + override + "}"));
  };
  EXPECT_GT(width(with_override("system.chip.hbm.capacity: 100 GB")), width(known));
  EXPECT_NEAR(width(with_override("runtime.step_overhead: 1 us")), width(known), 1e-9);
}

TEST_F(WorkloadInterval, OtherResidualsMayBeGiven) {
  ResidualTable wide = read_residuals(desk_.small.library()).table();
  wide.network.value = 1;
  const Residuals given(wide);
  PredictOptions options;
  options.residuals = &given;
  EXPECT_GT(width(desk_.predict(decode_text(), options)), width(desk_.predict(decode_text())));
}

}  // namespace
}  // namespace mlosim::predict
