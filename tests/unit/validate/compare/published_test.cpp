#include "validate/compare/published.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::compare {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kOnToy = "system: toy, model: " + std::string(predict::kDenseModel);
const std::string kGenerate =
    "task: generate, " + kOnToy + ", inference: {batch: 4, prompt: 128, output: 8}, precision: {weights: fp8}";

class Published : public testing::Test {
 protected:
  PublishedComparison compare(const std::string& workload, const std::string& measured) {
    const std::string text = "{schema: mlosim/suite/1, name: s, rows: [{id: row, workload: {" + workload +
                             "}, measured: {" + measured + "}, source: here}]}\n";
    return compare_suite(small_.library(), suite::decode_suite(spec::parse_document(text, "s.yaml")), residuals_,
                         {.fidelity = fidelity_});
  }
  predict::Prediction predict(const std::string& workload) {
    return predict::predict(small_.library(),
                            small_.write("w.yaml", "{schema: mlosim/workload/1, name: w, " + workload + "}\n"),
                            predict::PredictOptions{});
  }

  chip::Fidelity fidelity_ = chip::Fidelity::event;

 private:
  spec::SmallLibrary small_;
  predict::Residuals residuals_ = predict::read_residuals(small_.library());
};

TEST_F(Published, EveryMeasuredFieldIsPredictedOnItsOwn) {
  const predict::Prediction p = predict(kGenerate);
  const PublishedComparison c =
      compare(kGenerate, "time_s: 1, ttft_s: 2, tpot_s: 3, energy_j: 4, per_chip_bytes: 5, tokens_per_s_per_chip: 6");
  EXPECT_THAT(c.skipped, IsEmpty());
  ASSERT_THAT(c.figures, SizeIs(6));
  std::vector<std::string> ops;
  for (const PublishedFigure& figure : c.figures) {
    ops.push_back(figure.op);
    EXPECT_EQ(figure.id, "row");
    EXPECT_EQ(figure.device, "toy");
    EXPECT_EQ(figure.dtype, "fp8");
  }
  EXPECT_THAT(ops, ElementsAre("generate.time_s", "generate.tokens_per_s_per_chip", "generate.ttft_s",
                               "generate.tpot_s", "generate.energy_j", "generate.per_chip_bytes"));
  EXPECT_EQ(c.figures[0].predicted, p.evaluation.total.makespan.si());
  EXPECT_EQ(c.figures[0].measured, 1);
  EXPECT_EQ(c.figures[1].predicted, *p.tokens_per_s_per_chip);
  EXPECT_EQ(c.figures[2].predicted, p.evaluation.prefill_time->si());
  EXPECT_EQ(c.figures[3].predicted, p.evaluation.step_time->si());
  EXPECT_EQ(c.figures[4].predicted, p.energy.si());
  EXPECT_EQ(c.figures[5].predicted, p.evaluation.memory->total().si());
}

TEST_F(Published, TheIntervalOfARateIsThatOfItsTimeTheOtherWayRound) {
  const predict::Prediction p = predict(kGenerate);
  const PublishedComparison c = compare(kGenerate, "time_s: 1, output_tokens_per_s_per_chip: 1, per_chip_bytes: 1");
  ASSERT_THAT(c.figures, SizeIs(3));
  ASSERT_TRUE(c.figures[0].interval && c.figures[1].interval);
  EXPECT_DOUBLE_EQ(c.figures[0].interval->low, p.interval.low.si());
  EXPECT_DOUBLE_EQ(c.figures[0].interval->high, p.interval.high.si());
  const double tokens = 4 * 8;
  const Range rate = *c.figures[1].interval;
  EXPECT_NEAR(rate.low, tokens / p.interval.high.si(), 1e-9 * rate.low);
  EXPECT_NEAR(rate.high, tokens / p.interval.low.si(), 1e-9 * rate.high);
  const Range cost = cost_of(c.figures[1].measure, rate);
  EXPECT_LT(cost.low, cost_of(c.figures[1].measure, c.figures[1].predicted));
  EXPECT_GT(cost.high, cost_of(c.figures[1].measure, c.figures[1].predicted));
}

TEST_F(Published, EnergyAndBytesHaveNoInterval) {
  const PublishedComparison c = compare(kGenerate, "energy_j: 1, per_chip_bytes: 1");
  ASSERT_THAT(c.figures, SizeIs(2));
  EXPECT_EQ(c.figures[0].measure, Measure::energy);
  EXPECT_EQ(c.figures[1].measure, Measure::memory);
  for (const PublishedFigure& figure : c.figures) EXPECT_FALSE(figure.interval) << figure.op;
}

TEST_F(Published, ARooflineHasNoInterval) {
  fidelity_ = chip::Fidelity::roofline;
  const PublishedComparison c = compare(kGenerate, "time_s: 1");
  ASSERT_THAT(c.figures, SizeIs(1));
  EXPECT_FALSE(c.figures[0].interval);
}

TEST_F(Published, WarningsNameTheirRow) {
  const PublishedComparison c = compare(kGenerate + ", runtime: {framework: nosuchstack}", "time_s: 1");
  EXPECT_THAT(c.figures, SizeIs(1));
  ASSERT_THAT(c.warnings, SizeIs(1));
  EXPECT_EQ(c.warnings[0].id, "row");
  EXPECT_THAT(c.warnings[0].text, testing::HasSubstr("nosuchstack"));
}

TEST_F(Published, AFieldThatTheTaskHasNoAnswerForIsSkippedAlone) {
  const PublishedComparison c = compare("task: prefill, " + kOnToy + ", inference: {batch: 1, prompt: 128}",
                                        "time_s: 1, tpot_s: 1, output_tokens_per_s_per_chip: 1");
  ASSERT_THAT(c.figures, SizeIs(1));
  EXPECT_EQ(c.figures[0].op, "prefill.time_s");
  ASSERT_THAT(c.skipped, SizeIs(2));
  EXPECT_EQ(c.skipped[0].row, "row: output_tokens_per_s_per_chip");
  EXPECT_EQ(c.skipped[1].row, "row: tpot_s");
  EXPECT_EQ(c.skipped[1].reason, "task 'prefill' has no tpot_s");
}

TEST_F(Published, AWorkloadThatCannotBePlayedIsSkippedWithTheReason) {
  const PublishedComparison c = compare("task: decode, " + kOnToy + ", inference: {batch: 1, prompt: 1}", "time_s: 1");
  EXPECT_THAT(c.figures, IsEmpty());
  ASSERT_THAT(c.skipped, SizeIs(1));
  EXPECT_EQ(c.skipped[0].row, "row");
  EXPECT_EQ(c.skipped[0].reason, "inference: key 'output' is missing");
}

TEST_F(Published, AnOperatorHasItsOwnFormat) {
  const PublishedComparison c = compare(
      "task: ops, system: toy, ops: [{op: gemm, m: 64, n: 64, k: 64, dtype: fp8}, {op: copy, rows: 8, cols: 8}]",
      "time_s: 1");
  ASSERT_THAT(c.figures, SizeIs(1));
  EXPECT_EQ(c.figures[0].op, "ops.time_s");
  EXPECT_EQ(c.figures[0].dtype, "fp8");
}

TEST(ShippedSuites, EveryRowIsPredictedOrSkippedWithAReason) {
  const spec::Library library({support::source_dir().string()});
  const predict::Residuals residuals = predict::read_residuals(library);
  std::set<std::string> ids;
  for (const std::string& name : library.names(spec::Shelf::suites)) {
    const std::string file = library.require(spec::Shelf::suites, name);
    if (!file.ends_with(".yaml")) continue;
    const suite::PublishedSuite suite = suite::read_suite(file);
    for (const suite::PublishedRow& row : suite.rows) {
      EXPECT_TRUE(ids.insert(name + "/" + row.id).second) << row.id;
      const PublishedComparison c = compare_row(library, row, residuals);
      EXPECT_GE(c.figures.size() + c.skipped.size(), 1U) << row.id;
      for (const PublishedFigure& figure : c.figures) {
        EXPECT_TRUE(std::isfinite(figure.predicted) && figure.predicted > 0) << row.id;
        const bool has_interval = figure.measure == Measure::time || figure.measure == Measure::token_rate;
        EXPECT_EQ(figure.interval.has_value(), has_interval) << row.id;
        EXPECT_TRUE(!figure.interval || figure.interval->contains(figure.predicted)) << row.id;
      }
      for (const suite::Skipped& skipped : c.skipped) EXPECT_NE(skipped.reason, "") << row.id;
    }
  }
}

}  // namespace
}  // namespace mlosim::compare
