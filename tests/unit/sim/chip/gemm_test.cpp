#include <gtest/gtest.h>

#include "sim/chip/kernel.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::gpu;
using work::DType;

spec::ChipSpec chip_with(const spec::GemmParameters& standard) {
  spec::ChipSpec chip = gpu();
  chip.gemm = {};
  chip.gemm.standard = standard;
  return chip;
}

KernelPrice price_on(const spec::ChipSpec& chip, const work::Gemm& op) {
  const spec::RuntimeSpec runtime;
  return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = {}}, Fidelity::analytic);
}

work::Gemm product(std::int64_t m, DType format) {
  work::Gemm op;
  op.m = m;
  op.n = op.k = 4096;
  op.activations = op.weights = format;
  return op;
}

TEST(Gemm, AResultThatIsAddedToPassesTwice) {
  const spec::ChipSpec chip = chip_with(test::gemm_kernels());
  work::Gemm op{.m = 4096, .n = 4096, .k = 256, .output = work::DType::fp32, .parameters = false};
  const KernelPrice written = price_on(chip, op);
  op.accumulates = true;
  const KernelPrice added = price_on(chip, op);
  EXPECT_GT(added.time, written.time);
  EXPECT_GE(added.time, added.bounds.largest());
}

TEST(Gemm, AFormatsOwnKernelsPriceItsProductsAlone) {
  spec::ChipSpec chip = chip_with(test::gemm_kernels());
  const Seconds wide = price_on(chip, product(512, DType::bf16)).time,
                narrow = price_on(chip, product(512, DType::fp8)).time;
  chip.gemm.formats.emplace(DType::fp8, test::gemm_kernels());
  chip.gemm.formats.at(DType::fp8).fixed = Seconds(12e-6);
  EXPECT_EQ(price_on(chip, product(512, DType::bf16)).time, wide);
  EXPECT_NEAR((price_on(chip, product(512, DType::fp8)).time - narrow).si(), 10e-6, 1e-12);
}

TEST(Gemm, ALibraryThatChoosesByRowsTakesTheTileOfTheRows) {
  spec::GemmParameters g = test::gemm_kernels();
  g.tiles = {{.n = 64, .m = 16, .most_rows = 16}, {.n = 128, .m = 128, .least_rows = 17}};
  const spec::ChipSpec chip = chip_with(g);
  EXPECT_EQ(price_on(chip, product(16, DType::bf16)).plan.tile_m, 16);
  EXPECT_EQ(price_on(chip, product(17, DType::bf16)).plan.tile_m, 128);
}

TEST(Gemm, ProductsBelowItsLeastVolumeAreNotSplit) {
  spec::GemmParameters g = test::gemm_kernels();
  g.splits = {1, 8};
  EXPECT_EQ(price_on(chip_with(g), product(16, DType::bf16)).plan.split, 8);
  g.splits_from_volume = 16 * 4096 * 4096 + 1;
  EXPECT_EQ(price_on(chip_with(g), product(16, DType::bf16)).plan.split, 1);
}

TEST(Gemm, BatchedProductsHaveTheirOwnQuantiserWhichSeesTheRowsOfAll) {
  spec::GemmParameters g = test::gemm_kernels();
  g.quantiser = {.fixed = Seconds(9e-6), .passes = 0, .per_row = Seconds(0)};
  const spec::ChipSpec one = chip_with(g);
  g.batched_quantiser = {.fixed = Seconds(3e-6), .passes = 0, .per_row = Seconds(1e-9)};
  const spec::ChipSpec two = chip_with(g);
  work::Gemm op = product(100, DType::fp8);
  op.quantise_activations = true;
  EXPECT_EQ(price_on(one, op).time, price_on(two, op).time);
  op.batch = 10;
  EXPECT_NEAR((price_on(one, op).time - price_on(two, op).time).si(), 9e-6 - (3e-6 + 1000 * 1e-9), 1e-12);
}

TEST(Gemm, SmallTilesOfVectorLanesWaitForTheirOperands) {
  spec::GemmParameters g = test::gemm_kernels();
  g.operand_path = spec::OperandPath::vector_lanes;
  g.operand_limit = 1;
  g.unit_load = Bytes(512);
  const auto matrix_bound = [&](std::int64_t side) {
    g.tiles = {{.n = side, .m = side}};
    return price_on(chip_with(g), product(8192, DType::fp32)).time;
  };
  EXPECT_GT(matrix_bound(32), matrix_bound(128) * 1.8);
}

TEST(Gemm, LongRowsSlowTheMainLoopDownFromTheirLengthOn) {
  spec::GemmParameters g = test::gemm_kernels();
  const Seconds free = price_on(chip_with(g), product(8192, DType::bf16)).time;
  g.long_row_slowdown = 2;
  g.long_row = Bytes(2 * 4097);
  EXPECT_EQ(price_on(chip_with(g), product(8192, DType::bf16)).time, free);
  g.long_row = Bytes(2 * 4096);
  EXPECT_GT(price_on(chip_with(g), product(8192, DType::bf16)).time, free * 1.5);
}

}  // namespace
}  // namespace mlosim::chip
