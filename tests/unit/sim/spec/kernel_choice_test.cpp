#include "sim/spec/kernel_choice.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/spec/attention_parameters.hpp"
#include "sim/spec/document.hpp"

namespace mlosim::spec {
namespace {

constexpr const char* kStandard =
    "fixed: 5 us\nmatrix_efficiency: 0.5\ntile_overhead: 1000 clk\nsplit_reduction: 2 us\ntail: 0.3\n"
    "memory_efficiency: 0.8\nrow_granule: 16\ntile_cols: 64\nctas_per_unit: 1\n";

struct Decoded {
  Kernels<AttentionDecodeParameters> kernels;
  Diagnostics diagnostics;
};

Decoded decode(const std::string& specials) {
  const Value document = parse_document(kStandard + specials, "test.yaml");
  Decoding decoding;
  Decoded decoded;
  decoded.kernels = decode_attention_decode(Node(&document, "decode", &decoding));
  decoded.diagnostics = std::move(decoding.diagnostics);
  return decoded;
}

KernelCall call(std::int64_t group, work::DType cache) {
  KernelCall call{.dtype = work::DType::bf16, .kv_dtype = cache};
  call[CallSize::group] = group;
  return call;
}

constexpr const char* kSpecials =
    "kernels:\n"
    "  per_head: {when: {group: [1, {from: 33}]}, heads_per_cta: 1}\n"
    "  fp8: {when: {kv_dtype: [fp8]}, fixed: 7 us}\n"
    "  benchmarked: {fixed: 9 us}\n";

TEST(KernelChoice, TakesTheFirstKernelWhoseConditionHolds) {
  const Decoded decoded = decode(kSpecials);
  ASSERT_TRUE(decoded.diagnostics.empty());
  EXPECT_EQ(decoded.kernels.of(call(1, work::DType::fp8)).heads_per_cta, 1);
  EXPECT_EQ(decoded.kernels.of(call(64, work::DType::bf16)).heads_per_cta, 1);
  EXPECT_DOUBLE_EQ(decoded.kernels.of(call(8, work::DType::fp8)).fixed.si(), 7e-6);
  EXPECT_DOUBLE_EQ(decoded.kernels.of(call(8, work::DType::bf16)).fixed.si(), 5e-6);
}

TEST(KernelChoice, WhatAKernelDoesNotSayIsTheStandardOnes) {
  const Decoded decoded = decode(kSpecials);
  const AttentionDecodeParameters& fp8 = decoded.kernels.of(call(8, work::DType::fp8));
  EXPECT_EQ(fp8.tile_overhead, 1000);
  EXPECT_EQ(fp8.memory_efficiency, 0.8);
  EXPECT_EQ(fp8.row_granule, 16);
}

TEST(KernelChoice, AKernelWithoutAConditionIsTakenByNameAlone) {
  const Decoded decoded = decode(kSpecials);
  EXPECT_DOUBLE_EQ(decoded.kernels.of(call(8, work::DType::bf16), "benchmarked").fixed.si(), 9e-6);
  EXPECT_DOUBLE_EQ(decoded.kernels.of(call(8, work::DType::bf16), "unknown").fixed.si(), 5e-6);
}

TEST(KernelChoice, ANamedKernelDoesNotTakeCallsThatItsConditionExcludes) {
  const Decoded decoded = decode(kSpecials);
  EXPECT_DOUBLE_EQ(decoded.kernels.of(call(8, work::DType::bf16), "fp8").fixed.si(), 5e-6);
}

TEST(KernelChoice, UnknownConditionsFormatsAndRangesAreMistakes) {
  EXPECT_FALSE(decode("kernels: {a: {when: {groups: 3}}}\n").diagnostics.empty());
  EXPECT_FALSE(decode("kernels: {a: {when: {kv_dtype: [fp9]}}}\n").diagnostics.empty());
  EXPECT_FALSE(decode("kernels: {a: {when: {group: {from: 9, to: 3}}}}\n").diagnostics.empty());
  EXPECT_FALSE(decode("kernels: {a: {when: {}, fixd: 3 us}}\n").diagnostics.empty());
}

}  // namespace
}  // namespace mlosim::spec
