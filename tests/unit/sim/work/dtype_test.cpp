#include "sim/work/dtype.hpp"

#include <gtest/gtest.h>

namespace mlosim::work {
namespace {

TEST(DType, BytesIncludeTheScalesOfBlockFormats) {
  EXPECT_EQ(bytes_per_element(DType::fp64).si(), 8);
  EXPECT_EQ(bytes_per_element(DType::fp32).si(), 4);
  EXPECT_EQ(bytes_per_element(DType::tf32).si(), 4);
  EXPECT_EQ(bytes_per_element(DType::bf16).si(), 2);
  EXPECT_EQ(bytes_per_element(DType::fp16).si(), 2);
  EXPECT_EQ(bytes_per_element(DType::fp8).si(), 1);
  EXPECT_EQ(bytes_per_element(DType::int8).si(), 1);
  EXPECT_EQ(bytes_per_element(DType::mxfp8).si(), 33.0 / 32);  // 32 elements and one byte of scale
  EXPECT_EQ(bytes_per_element(DType::nvfp4).si(), 9.0 / 16);   // 16 half bytes and one byte
  EXPECT_EQ(bytes_per_element(DType::mxfp4).si(), 17.0 / 32);  // 32 half bytes and one byte
  EXPECT_EQ(bytes_per_element(DType::int4).si(), 66.0 / 128);  // 128 half bytes and two bytes
}

TEST(DType, EveryFormatHasOneName) {
  for (const DType dtype : kDTypes) {
    int names = 0;
    for (const auto& [name, value] : kDTypeNames) names += value == dtype && name == name_of(dtype) ? 1 : 0;
    EXPECT_EQ(names, 1) << name_of(dtype);
  }
}

TEST(DType, WeightOnlyAndBlockFormatsRunInTheArithmeticTheyAreWidenedTo) {
  EXPECT_EQ(arithmetic_of(DType::int4), DType::bf16);
  EXPECT_EQ(arithmetic_of(DType::mxfp8), DType::fp8);
  EXPECT_EQ(arithmetic_of(DType::nvfp4), DType::nvfp4);
}

TEST(DType, OnlyFormatsOfAtMostEightBitsNeedQuantisedActivations) {
  for (const DType dtype : {DType::fp8, DType::mxfp8, DType::int8, DType::nvfp4, DType::mxfp4})
    EXPECT_TRUE(is_quantised(dtype));
  for (const DType dtype : {DType::fp64, DType::fp32, DType::tf32, DType::bf16, DType::fp16, DType::int4})
    EXPECT_FALSE(is_quantised(dtype));
}

}  // namespace
}  // namespace mlosim::work
