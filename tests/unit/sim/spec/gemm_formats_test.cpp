#include <gtest/gtest.h>

#include <string>

#include "sim/spec/document.hpp"
#include "sim/spec/kernel_parameters.hpp"

namespace mlosim::spec {
namespace {

using work::DType;

constexpr const char* kBase = R"(
plans: {tiles: [[128, 128], [256, 128, 2]], splits: [1, 2], vector_rows: [8], kind: derived, source: x}
operand_path: shared_memory
fixed: 2 us
matrix_efficiency: 0.9
prologue: 1000 clk
epilogue: 500 clk
epilogue_store: 10 B/clk
exposed_ends: 0.5
k_step: 100 clk
split_reduction: 2 us
split_preference: 0.1 us
unit_load: 60 B/clk
stages_in_flight: 3
overlap_norm: 4
warm_share: 0.7
rotating_share: 0.3
operand_limit: 0.5
)";

struct Decoded {
  GemmFormats gemm;
  std::string mistakes;
};

Decoded decode(const std::string& more) {
  const Value document = parse_document(std::string(kBase) + more, "gemm.yaml");
  Decoding decoding;
  Decoded decoded{decode_gemm(Node(&document, "gemm", &decoding)), {}};
  try {
    decoding.diagnostics.throw_if_any();
  } catch (const InputError& error) {
    decoded.mistakes = error.what();
  }
  return decoded;
}

TEST(GemmFormats, AFormatSaysOnlyWhatDiffersFromTheStandardKernels) {
  const Decoded d = decode("formats: {fp8: {k_step: 7 clk, plans: {splits: [1], kind: derived, source: x}}}\n");
  ASSERT_EQ(d.mistakes, "");
  const GemmParameters& fp8 = d.gemm.of(DType::fp8, DType::fp8);
  EXPECT_EQ(fp8.k_step, 7);
  EXPECT_EQ(fp8.splits, std::vector<std::int64_t>{1});
  EXPECT_EQ(fp8.tiles.size(), 2u);
  EXPECT_EQ(fp8.matrix_efficiency, 0.9);
  EXPECT_EQ(d.gemm.of(DType::bf16, DType::bf16).k_step, 100);
}

TEST(GemmFormats, AFormatWithoutKernelsOfItsOwnTakesThoseOfItsArithmetic) {
  const Decoded d = decode("formats: {fp8: {k_step: 7 clk}}\n");
  EXPECT_EQ(d.gemm.of(DType::mxfp8, DType::mxfp8).k_step, 7);
  EXPECT_EQ(d.gemm.of(DType::int8, DType::int8).k_step, 100);
}

TEST(GemmFormats, QuantisedWeightsBesideWiderActivationsHaveTheirOwnKernels) {
  const Decoded d = decode("formats: {int4_weights: {fixed: 8 us}}\n");
  EXPECT_EQ(d.gemm.of(DType::bf16, DType::int4).fixed, Seconds(8e-6));
  EXPECT_EQ(d.gemm.of(DType::bf16, DType::int8).fixed, Seconds(2e-6));
  EXPECT_EQ(d.gemm.of(DType::bf16, DType::bf16).fixed, Seconds(2e-6));
}

TEST(GemmFormats, ATileMayBeTakenForSomeNumbersOfRowsAlone) {
  const Decoded d = decode(
      "formats: {fp8: {plans: {kind: derived, source: x, tiles: [{tile: [64, 16], rows: [1, 16]}, {tile: [128, 128], "
      "rows: [17]}]}}}\n");
  ASSERT_EQ(d.mistakes, "");
  const GemmParameters& fp8 = d.gemm.of(DType::fp8, DType::fp8);
  EXPECT_EQ(fp8.tiles[0].most_rows, 16);
  EXPECT_EQ(fp8.tiles[1].least_rows, 17);
}

TEST(GemmFormats, SomeTileMustTakeAnyLargeNumberOfRows) {
  EXPECT_NE(decode("formats: {fp8: {plans: {kind: derived, source: x, tiles: [{tile: [64, 16], rows: [1, 16]}]}}}\n")
                .mistakes.find("upper bound"),
            std::string::npos);
}

TEST(GemmFormats, AnUnknownFormatIsAMistake) {
  EXPECT_NE(decode("formats: {fp9: {k_step: 7 clk}}\n").mistakes.find("fp9"), std::string::npos);
}

}  // namespace
}  // namespace mlosim::spec
