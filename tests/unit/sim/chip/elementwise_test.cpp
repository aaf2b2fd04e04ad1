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
