// What hw_specs/silicon.yaml promises: dies that were published come out, and more of anything takes more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/predict/silicon.hpp"
#include "sim/spec/hardware.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::predict {
namespace {

class Silicon : public testing::Test {
 protected:
  spec::ChipSpec chip(const std::string& name) const {
    std::vector<std::string> warnings;
    return spec::require_hardware(library, name, {}, warnings).system.chip;
  }
  SiliconEstimate estimate(const spec::ChipSpec& c) const { return *estimate_silicon(c, *table); }

  const spec::Library library{{support::source_dir().string()}};
  const std::optional<SiliconTable> table = read_silicon(library);
};

TEST_F(Silicon, MostPublishedDiesComeOutWithinTheErrorThatIsStated) {
  ASSERT_TRUE(table);
  std::vector<double> errors;
  for (const std::string& name : library.names(spec::Shelf::chips)) {
    const spec::ChipSpec c = chip(name);
    if (!c.silicon || !c.silicon->published_area_mm2) continue;
    errors.push_back(std::abs(estimate(c).area_mm2 / *c.silicon->published_area_mm2 - 1));
  }
  ASSERT_GE(errors.size(), 20u);
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(errors[errors.size() * 3 / 4], table->area_error + 0.01);
  EXPECT_LE(errors.back(), 0.36);  // CDNA 2: its fp64 units are not counted
}

TEST_F(Silicon, PartsAddUpToTheArea) {
  for (const char* name : {"h100_sxm", "b200_sxm", "mi300x", "tpu_v4", "gaudi3"}) {
    const SiliconEstimate e = estimate(chip(name));
    double sum = 0;
    for (const AreaPart& part : e.parts) sum += part.mm2;
    EXPECT_NEAR(sum / e.area_mm2, 1, 1e-9) << name;
  }
}

TEST_F(Silicon, MoreOfAnythingTakesMoreAreaAndMoney) {
  const spec::ChipSpec base = chip("tpu_v5p");
  const SiliconEstimate before = estimate(base);
  const auto grows = [&](auto change) {
    spec::ChipSpec other = base;
    change(other);
    const SiliconEstimate after = estimate(other);
    EXPECT_GT(after.area_mm2, before.area_mm2);
    EXPECT_GT(after.total(), before.total());
  };
  grows([](spec::ChipSpec& c) { c.units += 1; });
  grows([](spec::ChipSpec& c) { c.matrix[work::DType::bf16] *= 2; });
  grows([](spec::ChipSpec& c) { c.levels.front().capacity *= 2; });
  grows([](spec::ChipSpec& c) { c.silicon->interfaces += 2; });
  grows([](spec::ChipSpec& c) { c.silicon->links *= 2; });
}

TEST_F(Silicon, SpareUnitsRaiseTheYield) {
  spec::ChipSpec c = chip("h100_sxm");
  const double with = estimate(c).yield;
  c.units += c.silicon->spare_units;
  c.silicon->spare_units = 0;
  EXPECT_LT(estimate(c).yield, with);
}

TEST_F(Silicon, ADieThatNoReticleHoldsIsSaidToBe) {
  spec::ChipSpec c = chip("tpu_v4");
  EXPECT_FALSE(estimate(c).exceeds_reticle);
  c.units *= 3;
  EXPECT_TRUE(estimate(c).exceeds_reticle);
}

TEST_F(Silicon, AnUnknownProcessIsNamedWithThoseThereAre) {
  spec::ChipSpec c = chip("tpu_v4");
  c.silicon->process = "n77";
  try {
    estimate(c);
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("n77"), testing::HasSubstr("n7")));
  }
}

TEST_F(Silicon, EverySystemSaysWhatItsLinksAndNodesDraw) {
  for (const std::string& name : library.names(spec::Shelf::systems)) {
    std::vector<std::string> warnings;
    const spec::SystemSpec system = spec::require_hardware(library, name, {}, warnings).system;
    EXPECT_GT(system.fabric.energy, JoulesPerByte(0)) << name;
    EXPECT_TRUE(system.node) << name;
    if (system.scale_out) {
      EXPECT_GT(system.scale_out->energy, system.fabric.energy) << name;
    }
  }
}

}  // namespace
}  // namespace mlosim::predict
