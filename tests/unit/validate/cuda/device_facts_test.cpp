#include "validate/cuda/measure/device_facts.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/support/source_tree.hpp"

namespace mlosim::measure {
namespace {

constexpr std::int64_t kGB = 1'000'000'000;

TEST(MeasureDeviceFacts, AGpuIsKnownByItsNameItsMemoryAndItsSms) {
  EXPECT_EQ(chip_of({"NVIDIA H100 80GB HBM3", 85 * kGB, 132}), "h100_sxm");
  EXPECT_EQ(chip_of({"NVIDIA H200", 150 * kGB, 132}), "h200_sxm");
  EXPECT_EQ(chip_of({"NVIDIA A100-SXM4-80GB", 85 * kGB, 108}), "a100_sxm_80gb");
  EXPECT_EQ(chip_of({"Tesla V100-SXM2-32GB", 34 * kGB, 80}), "v100_sxm2_32gb");
  EXPECT_EQ(chip_of({"NVIDIA GeForce RTX 4090", 25 * kGB, 128}), "rtx_4090");
}

TEST(MeasureDeviceFacts, AFewSmsMoreOrALittleMemoryLessAreTheSameChip) {
  EXPECT_EQ(chip_of({"NVIDIA GB200", 190 * kGB, 152}), "gb200");
}

TEST(MeasureDeviceFacts, ASliceOfAGpuAndAnUnknownOneAreNone) {
  EXPECT_EQ(chip_of({"NVIDIA H100 80GB HBM3 MIG 1g.10gb", 10 * kGB, 16}), std::nullopt);
  EXPECT_EQ(chip_of({"NVIDIA H100 80GB HBM3", 10 * kGB, 16}), std::nullopt);
  EXPECT_EQ(chip_of({"NVIDIA H100 NVL", 100 * kGB, 132}), std::nullopt);
  EXPECT_EQ(chip_of({"", 0, 0}), std::nullopt);
}

TEST(MeasureDeviceFacts, EveryChipOfTheTableIsOneOfMlosims) {
  std::set<std::string> names;
  for (const std::string& chip : known_chips()) {
    EXPECT_TRUE(std::filesystem::exists(support::source_dir() / "hw_specs/chips" / (chip + ".yaml"))) << chip;
    EXPECT_TRUE(names.insert(chip).second) << chip << " is there twice";
    const DeviceFacts facts = nominal_facts(chip).value();
    EXPECT_EQ(facts.chip, chip);
    EXPECT_GT(facts.hbm_bytes_per_s, 2e11) << chip;
    EXPECT_GT(facts.bf16_flops_per_s, facts.fp32_flops_per_s) << chip;
  }
  EXPECT_FALSE(nominal_facts("h100").has_value());
}

}  // namespace
}  // namespace mlosim::measure
