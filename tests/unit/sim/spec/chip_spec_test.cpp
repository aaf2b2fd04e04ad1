#include "sim/spec/chip_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::spec {
namespace {

using testing::HasSubstr;
using work::DType;

class ChipSpecTest : public testing::Test {
 protected:
  ChipSpec chip(const std::string& name) const { return small.hardware(name).system.chip; }

  // What is said of the toy chip where `what` is written as `by`, in its own file or in its family's.
  std::string mistake(const std::string& what, const std::string& by) {
    for (const auto& [file, text] :
         {std::pair{"hw_specs/chips/toy.yaml", kToyChip}, std::pair{"hw_specs/families/plain.yaml", kPlainFamily}}) {
      std::string changed = text;
      if (changed.find(what) == std::string::npos) continue;
      SmallLibrary::replace(changed, what, by);
      small.write(file, changed);
    }
    try {
      small.hardware("toy");
      return "none";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  SmallLibrary small;
};

TEST_F(ChipSpecTest, RatesAreThoseOfAllUnitsAtAClock) {
  const ChipSpec toy = chip("toy");
  EXPECT_EQ(*toy.matrix_rate(DType::bf16, Hertz(1e9)), FlopsPerSecond(100e12));
  EXPECT_EQ(*toy.matrix_rate(DType::bf16, Hertz(0.5e9)), FlopsPerSecond(50e12));
  EXPECT_EQ(*toy.matrix_peak(DType::fp8), FlopsPerSecond(200e12));
  EXPECT_EQ(toy.vector_rate(), FlopsPerSecond(10e12));
}

TEST_F(ChipSpecTest, PeakRatesAreStatedAtTheRatedClock) {
  const ChipSpec toy = small.hardware("toy", {{"chip.rated_clock", "800 MHz"}}).system.chip;
  EXPECT_EQ(*toy.matrix_peak(DType::bf16), FlopsPerSecond(80e12));
}

TEST_F(ChipSpecTest, SinglePrecisionFallsBackToTheVectorUnitAndNothingElseDoes) {
  EXPECT_EQ(*chip("toy").matrix_rate(DType::fp32, Hertz(1e9)), FlopsPerSecond(10e12));
  EXPECT_FALSE(chip("toy").matrix_rate(DType::nvfp4, Hertz(1e9)).has_value());
  EXPECT_FALSE(chip("old").matrix_rate(DType::bf16, Hertz(1e9)).has_value());
}

TEST_F(ChipSpecTest, EnergyThatIsNotStatedScalesWithTheRate) {
  EXPECT_DOUBLE_EQ(chip("toy").matrix_energy(DType::bf16).si(), 0.6e-12);
  EXPECT_DOUBLE_EQ(chip("toy").matrix_energy(DType::fp8).si(), 0.3e-12);  // twice the rate
  EXPECT_DOUBLE_EQ(chip("toy").matrix_energy(DType::fp32).si(), 5e-12);   // on the vector unit
}

TEST_F(ChipSpecTest, LevelsAreFoundByWhatTheyAre) {
  const ChipSpec toy = chip("toy"), grid = chip("grid");
  EXPECT_EQ(toy.device_memory().name, "hbm");
  EXPECT_EQ(toy.first_shared_cache()->name, "l2");
  EXPECT_EQ(toy.last_cache()->name, "l2");
  EXPECT_EQ(toy.scratchpad()->name, "shared_memory");
  EXPECT_EQ(toy.find_level("l3"), nullptr);
  EXPECT_EQ(grid.scratchpad()->name, "vmem");
  EXPECT_EQ(grid.first_shared_cache(), nullptr);
}

TEST_F(ChipSpecTest, TheWholeMemoryIsUsableUnlessLessIsSaid) {
  EXPECT_EQ(chip("toy").usable_memory, Bytes(80e9));
  EXPECT_EQ(small.hardware("toy", {{"chip.usable_memory", "78 GB"}}).system.chip.usable_memory, Bytes(78e9));
}

TEST_F(ChipSpecTest, ASystolicChipHasArraysAndNoGpuParameters) {
  const ChipSpec grid = chip("grid");
  EXPECT_EQ(grid.kind, ChipKind::systolic);
  EXPECT_EQ(grid.array.rows, 128);
  EXPECT_EQ(grid.array.count, 4);
}

TEST_F(ChipSpecTest, TheLastLevelIsTheMemory) {
  EXPECT_THAT(mistake("levels: [shared_memory, l2, hbm]", "levels: [shared_memory, hbm, l2]"),
              HasSubstr("the last level must have the policy 'memory'"));
}

TEST_F(ChipSpecTest, ALevelIsListedOnce) {
  EXPECT_THAT(mistake("levels: [shared_memory, l2, hbm]", "levels: [shared_memory, l2, l2, hbm]"),
              HasSubstr("level 'l2' appears twice"));
}

TEST_F(ChipSpecTest, AListedLevelIsDescribed) {
  EXPECT_THAT(mistake("levels: [shared_memory, l2, hbm]", "levels: [shared_memory, l1, l2, hbm]"),
              HasSubstr("key 'l1' is missing"));
}

TEST_F(ChipSpecTest, AGpuNeedsAScratchpadAndASharedCache) {
  EXPECT_THAT(mistake("policy: scratchpad", "policy: cache"),
              HasSubstr("a simt chip needs a level of policy 'scratchpad'"));
}

TEST_F(ChipSpecTest, AGpuNeedsASharedCache) {
  EXPECT_THAT(mistake("l2: {sharing: chip, policy: cache}", "l2: {sharing: unit, policy: cache}"),
              HasSubstr("a simt chip needs a level of policy 'cache' and sharing 'chip'"));
}

TEST_F(ChipSpecTest, AnEnergyOfAFormatWithoutARateIsAMistake) {
  EXPECT_THAT(mistake("matrix: {bf16: 0.6 pJ/flop}", "matrix: {nvfp4: 0.1 pJ/flop}"),
              HasSubstr("power.matrix names nvfp4, which 'matrix' has no rate for"));
}

TEST_F(ChipSpecTest, TheRatedClockIsNotAboveTheHighest) {
  EXPECT_THAT(mistake("vendor: Acme", "vendor: Acme\nrated_clock: 2 GHz"),
              HasSubstr("the rated clock is above the highest clock"));
}

TEST_F(ChipSpecTest, AFormatThatThereIsNotIsAMistake) {
  EXPECT_THAT(mistake("fp8: 2000 flop", "fp9: 2000 flop"), HasSubstr("unknown key 'fp9'"));
}

TEST_F(ChipSpecTest, AMissingBlockIsOneMistake) {
  const std::string said = mistake("moe: {fixed: 20 us,", "moe_: {fixed: 20 us,");
  EXPECT_THAT(said, HasSubstr("chip: key 'moe' is missing"));
  EXPECT_THAT(said, HasSubstr("unknown key 'moe_'; did you mean 'moe'?"));
  EXPECT_EQ(said.find("permute_passes"), std::string::npos) << said;
}

}  // namespace
}  // namespace mlosim::spec
