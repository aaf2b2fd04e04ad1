#include "models/predict/sensitivity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::predict {
namespace {

class SensitivityTest : public testing::Test {
 protected:
  double elasticity(const std::vector<std::string>& paths, const TimeOf& time_of) {
    return Sensitivity(documents, hardware, time_of(hardware), time_of).elasticity(paths);
  }

  spec::SmallLibrary small;
  std::vector<std::string> warnings;
  spec::HardwareDocuments documents = spec::read_hardware(small.library(), "toy_8", {}, warnings);
  spec::Hardware hardware = small.hardware("toy_8");
  const TimeOf inverse = [](const spec::Hardware& h) { return Bytes(1e9) / h.system.chip.device_memory().bandwidth; };
};

TEST_F(SensitivityTest, TheElasticityToAParametersPowerIsItsExponent) {
  EXPECT_NEAR(elasticity({"chip.hbm.bandwidth"}, inverse), -1, 1e-9);
  EXPECT_NEAR(elasticity({"chip.launch.graph"},
                         [](const spec::Hardware& h) { return Seconds(std::pow(h.system.chip.launch.graph.si(), 2)); }),
              2, 1e-9);
  EXPECT_EQ(elasticity({"system.fabric.bandwidth"}, inverse), 0);
}

TEST_F(SensitivityTest, ParametersAreScaledTogether) {
  const TimeOf product = [](const spec::Hardware& h) {
    return Seconds(h.system.chip.launch.graph.si() * h.runtime.step_overhead.si());
  };
  EXPECT_NEAR(elasticity({"chip.launch.graph", "runtime.step_overhead"}, product), 2, 1e-9);
}

TEST_F(SensitivityTest, PathsThatThereAreNotCountForNothing) {
  EXPECT_EQ(elasticity({"chip.hbm.colour", "nowhere.at.all", "chip", ""}, inverse), 0);
  EXPECT_NEAR(elasticity({"chip.hbm.colour", "chip.hbm.bandwidth"}, inverse), -1, 1e-9);
  EXPECT_EQ(elasticity({}, inverse), 0);
}

// 2.04 CTAs are none.
TEST_F(SensitivityTest, AParameterWithoutANeighbourHasNone) {
  EXPECT_EQ(elasticity({"chip.attention.decode.ctas_per_unit"},
                       [](const spec::Hardware& h) {
                         return Seconds(static_cast<double>(h.system.chip.decode.standard.ctas_per_unit));
                       }),
            0);
}

TEST_F(SensitivityTest, AParameterIsPutBackWhenItsElasticityIsKnown) {
  Sensitivity sensitivity(documents, hardware, inverse(hardware), inverse);
  const double first = sensitivity.elasticity({"chip.hbm.bandwidth"});
  EXPECT_EQ(sensitivity.elasticity({"chip.hbm.bandwidth"}), first);
  EXPECT_EQ(sensitivity.elasticity({"chip.l2.bandwidth"}), 0);
}

// The toy's chip and its parts, each number of which is a guess: most matter to no copy.
class AssumptionsTest : public SensitivityTest {
 protected:
  void assume_all() {
    for (auto& [path, provenance] : hardware.provenance) provenance.kind = spec::SourceKind::assumed;
  }
  std::vector<std::string> found(const TimeOf& time_of) {
    std::vector<std::string> paths;
    for (const Assumption& a : Sensitivity(documents, hardware, time_of(hardware), time_of).find_assumptions())
      paths.push_back(a.parameter);
    return paths;
  }
};

TEST_F(AssumptionsTest, ThoseThatMatterAreFoundAmongAllTheOthers) {
  assume_all();
  EXPECT_EQ(found(inverse), std::vector<std::string>{"chip.hbm.bandwidth"});
  const TimeOf several = [](const spec::Hardware& h) {
    return 100.0 * h.system.chip.launch.graph + h.runtime.step_overhead + 100.0 * h.system.chip.launch.stream;
  };
  std::vector<std::string> paths = found(several);
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths, (std::vector<std::string>{"chip.launch.graph", "chip.launch.stream", "runtime.step_overhead"}));
}

TEST_F(AssumptionsTest, TwoThatCancelWhenTheyAreScaledAlikeAreFoundBoth) {
  assume_all();
  std::vector<std::string> paths =
      found([](const spec::Hardware& h) { return Seconds(h.system.chip.launch.graph / h.system.chip.launch.stream); });
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths, (std::vector<std::string>{"chip.launch.graph", "chip.launch.stream"}));
}

TEST_F(AssumptionsTest, NumbersThatChangeNothingAreNotTriedOneByOne) {
  assume_all();
  std::size_t evaluations = 0;
  const std::vector<std::string> paths = found([&](const spec::Hardware& h) {
    ++evaluations;
    return inverse(h);
  });
  EXPECT_EQ(paths.size(), 1u);
  EXPECT_LT(evaluations, hardware.provenance.size() / 2);
}

}  // namespace
}  // namespace mlosim::predict
