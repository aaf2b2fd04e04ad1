// Promises of lending: what a pair of chips tells of chips that nobody measured.
#include "validate/compare/lending.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mlosim::compare {
namespace {

constexpr const char* kFixed = "chip.gemm.fixed";

spec::Hardware chip(const std::string& name, const std::string& fixed, const std::string& source,
                    spec::SourceKind kind = spec::SourceKind::fitted) {
  spec::Hardware hardware;
  hardware.system.chip.name = name;
  hardware.provenance[kFixed] = {.kind = kind, .source = source, .text = fixed};
  return hardware;
}

bool tells(const spec::Hardware& borrower, const spec::Hardware& lender) {
  return tells_of_unfitted(borrower, lender, work::Gemm{});
}

TEST(Lending, NumbersOfTheLendersOwnTell) {
  EXPECT_TRUE(tells(chip("l40s", "2 us", "rows of L40S"), chip("t4", "3 us", "rows of T4")));
}

TEST(Lending, AFamilysNumberThatWasFittedToTheBorrowerTellsNothing) {
  const std::string source = "CAL, h100_sxm__gemm.csv, 788 rows";
  EXPECT_FALSE(tells(chip("h100_sxm", "2 us", source), chip("h100_pcie", "2 us", source)));
  EXPECT_TRUE(tells(chip("h100_pcie", "2 us", source), chip("h100_sxm", "2 us", source)));
}

TEST(Lending, AFitToRowsOfBothTellsNothing) {
  const std::string source = "rows of L4, T4 and V100 PCIe together";
  EXPECT_FALSE(tells(chip("t4", "2 us", source), chip("l4", "2 us", source)));
  EXPECT_TRUE(tells(chip("l40s", "2 us", source), chip("l4", "2 us", source)));
}

TEST(Lending, ANumberThatOthersTookFromTheBorrowerTellsNothing) {
  EXPECT_FALSE(tells(chip("l40s", "2 us", "rows of L40S"),
                     chip("a40", "2.1 us", "fitted on L40S, predicts A40", spec::SourceKind::assumed)));
  EXPECT_FALSE(tells(chip("l40s", "2 us", "rows of L40S"), chip("a40", "2 us", "as ada", spec::SourceKind::assumed)));
}

TEST(Lending, AChipWithoutFittedNumbersTellsWhateverItBorrows) {
  EXPECT_TRUE(tells(chip("a40", "2 us", "as ada", spec::SourceKind::assumed), chip("l40s", "2 us", "rows of L40S")));
}

TEST(Lending, TheSizeOfTheMemoryIsNoPartOfAChipsNameInSources) {
  const std::string source = "bf16 GEMM rows of A100 SXM";
  EXPECT_FALSE(tells(chip("a100_sxm_80gb", "2 us", source), chip("a100_pcie_40g", "2 us", source)));
  EXPECT_TRUE(tells(chip("a100_pcie_40g", "2 us", source), chip("a100_sxm_80gb", "2 us", source)));
}

TEST(Lending, OtherOperatorsNumbersDoNotCount) {
  spec::Hardware borrower = chip("l40s", "2 us", "rows of L40S"), lender = chip("l4", "2 us", "rows of L40S");
  lender.provenance["chip.moe.fixed"] = {.kind = spec::SourceKind::fitted, .source = "rows of L4", .text = "9 us"};
  EXPECT_FALSE(tells(borrower, lender));
}

TEST(Borrowing, EnergiesAreTheLendersAndThePowerCapIsTheBorrowers) {
  spec::Hardware borrower;
  spec::ChipSpec& chip = borrower.system.chip;
  chip.matrix = {{work::DType::bf16, Flops(1000)}, {work::DType::fp8, Flops(2000)}};
  chip.power.cap = Watts(300);
  chip.power.matrix = {{work::DType::fp8, JoulesPerFlop(1e-12)}};
  chip.power.vector = JoulesPerFlop(5e-12);
  spec::ChipSpec lender = chip;
  lender.matrix = {{work::DType::bf16, Flops(1000)}, {work::DType::fp16, Flops(1000)}};
  lender.power.cap = Watts(700);
  lender.power.matrix = {{work::DType::fp16, JoulesPerFlop(3e-12)}};
  lender.power.vector = JoulesPerFlop(6e-12);
  const spec::PowerSpec power = borrow(borrower, lender).system.chip.power;
  EXPECT_EQ(power.cap, Watts(300));
  EXPECT_EQ(power.vector, JoulesPerFlop(6e-12));
  ASSERT_EQ(power.matrix.size(), 1u);  // of the formats that both have
  EXPECT_DOUBLE_EQ(power.matrix.at(work::DType::bf16).si(), 3e-12);
}

TEST(Borrowing, SharesOfMemoriesAreTheLendersAndRatesTheBorrowers) {
  spec::Hardware borrower;
  spec::MemoryLevel& own = borrower.system.chip.levels.emplace_back();
  own.name = "hbm";
  own.bandwidth = BytesPerSecond(1e12);
  own.efficiency = 0.8;
  borrower.system.chip.matrix = {{work::DType::bf16, Flops(1000)}};
  spec::ChipSpec lender;
  lender.levels = {own};
  lender.levels.front().bandwidth = BytesPerSecond(3e12);
  lender.levels.front().efficiency = 0.9;
  const spec::MemoryLevel level = borrow(borrower, lender).system.chip.levels.front();
  EXPECT_DOUBLE_EQ(level.efficiency, 0.9);
  EXPECT_EQ(level.bandwidth, BytesPerSecond(1e12));
}

}  // namespace
}  // namespace mlosim::compare
