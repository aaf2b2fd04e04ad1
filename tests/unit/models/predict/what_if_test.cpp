// What each number of a machine is worth: derivatives that agree with predictions, halvings that halve.
#include "models/predict/what_if.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "models/predict/explain.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

class WhatIfTest : public testing::Test, protected Desk {
 protected:
  WhatIf ask(const std::string& text) {
    const Workload workload = read(text);
    const Setting setting = read_setting(small.library(), workload, warnings);
    return ask_what_if(workload, setting, chip::Fidelity::analytic, uncertainty);
  }
  static const ParameterFacts* find(const std::vector<ParameterFacts>& list, const std::string& path) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const ParameterFacts& f) { return f.parameter == path; });
    return found == list.end() ? nullptr : &*found;
  }
  Seconds time_with(const std::string& text, const std::string& path, const std::string& value) {
    return predict_with(text, {{path, value}}).evaluation.total.makespan;
  }

  const UncertaintyTable uncertainty{{spec::SourceKind::datasheet, 0.1}, {spec::SourceKind::given, 0.2}};
  const std::string streaming = workload_text("ops", "toy", "ops: [{op: gemm, m: 16, n: 65536, k: 16384}]");
};

TEST_F(WhatIfTest, TheElasticityToMemoryBandwidthIsThePredictionsOwnDerivative) {
  const WhatIf what_if = ask(streaming);
  const ParameterFacts* bandwidth = find(what_if.elasticities, "chip.hbm.bandwidth");
  ASSERT_NE(bandwidth, nullptr);
  EXPECT_LT(bandwidth->elasticity, -0.5);
  const double derivative = std::log(time_with(streaming, "chip.hbm.bandwidth", "1.01 TB/s") /
                                     time_with(streaming, "chip.hbm.bandwidth", "0.99 TB/s")) /
                            std::log(1.01 / 0.99);
  EXPECT_NEAR(bandwidth->elasticity / derivative, 1, 0.02);
}

TEST_F(WhatIfTest, TheLargestElasticitiesComeFirstAndNoneIsBelowTheLeast) {
  const WhatIf what_if = ask(decode_text());
  ASSERT_GT(what_if.elasticities.size(), 3u);
  for (std::size_t i = 0; i < what_if.elasticities.size(); ++i) {
    EXPECT_GE(std::abs(what_if.elasticities[i].elasticity), 0.005);
    if (i > 0) {
      EXPECT_LE(std::abs(what_if.elasticities[i].elasticity), std::abs(what_if.elasticities[i - 1].elasticity));
    }
  }
}

TEST_F(WhatIfTest, UnitsCountThoughTheyAreWhole) {
  const WhatIf what_if = ask(workload_text("ops", "toy", "ops: [{op: gemm, m: 16384, n: 16384, k: 4096}]"));
  const ParameterFacts* units = find(what_if.elasticities, "chip.units");
  ASSERT_NE(units, nullptr);
  EXPECT_LT(units->elasticity, -0.2);
}

TEST_F(WhatIfTest, WhatHalvesTheTimeHalvesIt) {
  const std::string copy = workload_text("ops", "toy", "ops: [{op: add, rows: 65536, cols: 16384}]");
  const WhatIf what_if = ask(copy);
  const Seconds before = predict_with(copy, {}).evaluation.total.makespan;
  std::size_t halving = 0;
  for (const HalvedBy& h : what_if.halved_by) {
    if (!h.factor) {
      EXPECT_GT(h.best, 0.5);
      continue;
    }
    ++halving;
    EXPECT_LE(time_with(copy, h.parameter, h.needed) / before, 0.5 + 1e-9) << h.parameter;
  }
  EXPECT_GE(halving, 1u);
}

TEST_F(WhatIfTest, DoubtsAreElasticityTimesUncertainty) {
  const WhatIf what_if = ask(streaming);
  double squares = 0;
  for (const ParameterFacts& f : what_if.doubts) squares += f.effect() * f.effect();
  EXPECT_NEAR(what_if.doubt, std::sqrt(squares), 0.01);
  const ParameterFacts* bandwidth = find(what_if.doubts, "chip.hbm.bandwidth");
  ASSERT_NE(bandwidth, nullptr);
  EXPECT_EQ(bandwidth->uncertainty, 0.1);
}

TEST_F(WhatIfTest, AFittedNumbersOwnStandardErrorCounts) {
  const auto of = [&](const std::string& source) {
    return uncertainty_of({.kind = spec::SourceKind::datasheet, .source = source, .text = "1"}, uncertainty);
  };
  EXPECT_DOUBLE_EQ(of("MLO, rows of A100; se 5.8 %"), 0.058);
  EXPECT_DOUBLE_EQ(of("MLO, these rows"), 0.1);
  EXPECT_DOUBLE_EQ(of("as those see 5 % more"), 0.1);
}

TEST_F(WhatIfTest, OneOperatorAloneIsNotAskedAbout) {
  ExplainOptions options;
  options.op = "0";
  EXPECT_TRUE(explain(small.library(), small.write("w.yaml", streaming), options).what_if.elasticities.empty());
}

}  // namespace
}  // namespace mlosim::predict
