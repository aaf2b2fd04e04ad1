#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::gpu;
using test::kCold;
using test::microseconds;
using test::price;
using work::DType;
using work::ElementwiseKind;

work::Elementwise rows_of(ElementwiseKind kind, std::int64_t rows) {
  return work::make_elementwise(kind, rows, 8192, DType::bf16, DType::bf16);
}

TEST(Elementwise, ALongStreamTakesItsBytesAtTheMemoryRate) {
  // 64 Ki rows: 1.07 GB in and out each. 3.2 MB in flight of 0.5 MB needed: the memory binds at 0.9 of its rate.
  const double time = microseconds(rows_of(ElementwiseKind::copy, 65536), gpu());
  EXPECT_NEAR(time, 2 + 2 * 65536 * 8192 * 2.0 / (1e12 * 0.9) * 1e6, 0.01 * time);
}

TEST(Elementwise, AKindWithOwnConstantsUsesThem) {
  // In flight 100 × 4 kB of 500 kB needed: (0.9⁻⁴ + 0.8⁻⁴)^-¼ of the rate, and 1.5 passes.
  const double efficiency = std::pow(std::pow(0.9, -4) + std::pow(0.8, -4), -0.25);
  const double time = microseconds(rows_of(ElementwiseKind::rmsnorm, 65536), gpu());
  EXPECT_NEAR(time, 4 + 1.5 * 2 * 65536 * 8192 * 2.0 / (1e12 * efficiency) * 1e6, 0.01 * time);
}

TEST(Elementwise, OperandsThatFitTheCacheComeFromThere) {
  const work::Elementwise small = rows_of(ElementwiseKind::add, 128);  // 6.3 MB
  EXPECT_LT(price(small, gpu()).plan.device_read.si(), 0.01 * small.bytes_in.si());
  EXPECT_EQ(price(small, gpu(), kCold).time, price(small, gpu()).time);  // they come from the kernel before
}

TEST(Elementwise, NeverTakesLessThanItsFixedTime) {
  EXPECT_GE(microseconds(rows_of(ElementwiseKind::silu, 1), gpu()), 2);
}

TEST(Elementwise, LongerIsNeverFaster) {
  double last = 0;
  for (std::int64_t rows = 1; rows < 100000; rows *= 3) {
    const double time = microseconds(rows_of(ElementwiseKind::silu_mul, rows), gpu());
    EXPECT_GE(time, last);
    last = time;
  }
}

TEST(Elementwise, IsNeverBelowItsBounds) {
  for (const ElementwiseKind kind : {ElementwiseKind::copy, ElementwiseKind::softmax, ElementwiseKind::gelu,
                                     ElementwiseKind::quantise, ElementwiseKind::add_rmsnorm}) {
    for (const std::int64_t rows : {1, 1000, 100000}) {
      const KernelPrice p = price(rows_of(kind, rows), gpu());
      EXPECT_GE(p.time, p.bounds.largest());
    }
  }
}

// 100 units of 2048 threads, a block of 256 for each row: 800 rows in flight. A step spans 1024 columns.
spec::ChipSpec gpu_with_row_kernel(double reads) {
  spec::ChipSpec chip = gpu();
  chip.elementwise.resident_threads = 2048;
  chip.elementwise.row_reuse_share = 0.6;
  spec::StreamParameters softmax = chip.elementwise.standard;
  softmax.row = spec::RowKernel{.threads = 256,
                                .least_threads = 32,
                                .vector = 4,
                                .reads = reads,
                                .start = 3,
                                .step = 2,
                                .register_cols = 1024,
                                .overlap_norm = 4};
  chip.elementwise.kinds["softmax"] = softmax;
  return chip;
}

work::Elementwise softmax_of(std::int64_t rows, std::int64_t cols) {
  return work::make_elementwise(ElementwiseKind::softmax, rows, cols, DType::bf16, DType::bf16);
}

TEST(RowKernel, AFewRowsWaitForTheStepsOfOne) {
  const spec::ChipSpec chip = gpu_with_row_kernel(1);
  const double latency = chip.device_memory().latency.si() * 1e6;
  // 2 µs to start, then 3 + 2·⌈cols/1024⌉ round trips; the bytes of a row hardly count.
  EXPECT_NEAR(microseconds(softmax_of(1, 8192), chip), 2 + (3 + 2 * 8) * latency, 0.02 * 19 * latency);
  EXPECT_NEAR(microseconds(softmax_of(1, 8193), chip), 2 + (3 + 2 * 9) * latency, 0.02 * 21 * latency);
  EXPECT_NEAR(microseconds(softmax_of(700, 2048), chip), microseconds(softmax_of(1, 2048), chip), 3);
}

TEST(RowKernel, RowsThatFitTheRegistersStream) {
  const spec::ChipSpec chip = gpu_with_row_kernel(3);
  EXPECT_EQ(price(softmax_of(100000, 1024), chip).time, price(softmax_of(100000, 1024), gpu()).time);
  EXPECT_GT(price(softmax_of(100000, 1028), chip).time, price(softmax_of(100000, 1028), gpu()).time);
}

TEST(RowKernel, LongRowsAreReadAgainFromTheDeviceMemory) {
  const spec::ChipSpec once = gpu_with_row_kernel(1), thrice = gpu_with_row_kernel(3);
  const auto read = [](const spec::ChipSpec& chip, std::int64_t cols) {
    return price(softmax_of(100000, cols), chip).plan.device_read / softmax_of(100000, cols).bytes_in;
  };
  // 800 rows of 2 kB in flight stay in the cache, of 1 MB they do not.
  EXPECT_NEAR(read(thrice, 2048), read(once, 2048), 0.05);
  EXPECT_NEAR(read(thrice, 1 << 19), 3 * read(once, 1 << 19), 0.05);
}

TEST(RowKernel, MoreColumnsAreNeverFaster) {
  const spec::ChipSpec chip = gpu_with_row_kernel(3);
  for (const std::int64_t rows : {1, 100, 10000}) {
    double last = 0;
    for (std::int64_t cols = 32; cols < 200000; cols += cols / 7 + 1) {
      const double time = microseconds(softmax_of(rows, cols), chip);
      EXPECT_GE(time, last) << rows << " x " << cols;
      last = time;
    }
  }
}

TEST(Elementwise, TemporariesLeaveTheCacheEarlierAndWritesInPlaceLater) {
  const work::Elementwise op = rows_of(ElementwiseKind::add, 512);  // of 8192 columns: about half of the cache
  const auto read = [&](double footprint) {
    spec::ChipSpec chip = gpu();
    spec::StreamParameters add = chip.elementwise.standard;
    add.footprint = footprint;
    chip.elementwise.kinds["add"] = add;
    return price(op, chip).plan.device_read;
  };
  EXPECT_LT(read(0.5), read(1));
  EXPECT_GT(read(2), read(1));
}

TEST(Elementwise, AKernelOfManyInstructionsIsBoundByThem) {
  spec::ChipSpec chip = gpu();
  spec::StreamParameters pow = chip.elementwise.standard;
  pow.per_element = Flops(1000);
  chip.elementwise.kinds["pow"] = pow;
  const work::Elementwise op = rows_of(ElementwiseKind::pow, 8192);
  EXPECT_GE(price(op, chip).time.si(), 1000.0 * 8192 * 8192 / chip.vector_rate().si());
  EXPECT_EQ(price(op, chip).limiter, Resource::vector_unit);
}

TEST(Embedding, GathersColdRowsOfATable) {
  const work::Embedding op{.tokens = 1000, .hidden = 8192, .vocab = 128000};
  EXPECT_GE(price(op, gpu(), kCold).plan.device_read.si(), 1000 * 8192 * 2);
  EXPECT_GT(price(op, gpu(), kCold).time, price(op, gpu()).time);
}

TEST(Sampling, ReadsTheLogits) {
  const work::Sampling op{.rows = 1024, .vocab = 128000};
  const double bytes = 1024.0 * 128000 * 4;
  EXPECT_GE(microseconds(op, gpu()), bytes / 1e12 * 1e6);
}

}  // namespace
}  // namespace mlosim::chip
