#include "sim/spec/moe_parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sim/spec/document.hpp"

namespace mlosim::spec {
namespace {

using testing::HasSubstr;

constexpr const char* kStandard =
    "fixed: 10 us\nmatrix_efficiency: 0.5\nmatrix_efficiency_8bit: 0.5\nnarrow_exponent: 0.5\ntile_overhead: 1000 clk\n"
    "tail: 0.5\nmemory_efficiency: 0.8\npermute_passes: 1\n";

struct Decoded {
  RowTiles tiles;
  std::string mistakes;
};

Decoded decode(const std::string& row_tiles) {
  const Value document = parse_document(kStandard + ("row_tiles: " + row_tiles + "\n"), "test.yaml");
  Decoding decoding;
  Decoded decoded{.tiles = decode_moe(Node(&document, "moe", &decoding)).standard.row_tiles, .mistakes = {}};
  for (const Diagnostic& d : decoding.diagnostics.list()) decoded.mistakes += d.path + ": " + d.message + "\n";
  return decoded;
}

TEST(RowTiles, TheFirstThatHoldsTheRowsIsTakenAndTheLastForMore) {
  const RowTiles tiles = decode("{rows: [16, 64, 128]}").tiles;
  EXPECT_EQ(tiles.by, TileMeasure::rows_per_active_expert);
  EXPECT_EQ(tiles.of(1).rows, 16);
  EXPECT_EQ(tiles.of(16).rows, 16);
  EXPECT_EQ(tiles.of(16.5).rows, 64);
  EXPECT_EQ(tiles.of(1000).rows, 128);
}

TEST(RowTiles, LimitsAndColumnsMayBeALibrarysOwn) {
  const Decoded decoded = decode(
      "{rows: [16, 64], columns: [32, 96], by: tokens_per_local_expert, up_to: [1], kind: derived, source: tests}");
  EXPECT_EQ(decoded.mistakes, "");
  EXPECT_EQ(decoded.tiles.by, TileMeasure::tokens_per_local_expert);
  EXPECT_EQ(decoded.tiles.of(1).columns, 32);
  EXPECT_EQ(decoded.tiles.of(1.1).rows, 64);
  EXPECT_EQ(decoded.tiles.of(1.1).columns, 96);
}

TEST(RowTiles, MistakesAreRefusedWhereTheyStand) {
  EXPECT_THAT(decode("{rows: []}").mistakes, HasSubstr("moe.row_tiles.rows: expected at least one"));
  EXPECT_THAT(decode("{rows: [64, 16]}").mistakes, HasSubstr("ascending order"));
  EXPECT_THAT(decode("{rows: [16, 64], columns: [32]}").mistakes, HasSubstr("moe.row_tiles.columns: expected one"));
  EXPECT_THAT(decode("{rows: [16, 64], up_to: [1, 2]}").mistakes, HasSubstr("moe.row_tiles.up_to: expected a limit"));
  EXPECT_THAT(decode("{rows: [16, 64, 128], up_to: [2, 1]}").mistakes, HasSubstr("limits in ascending order"));
  EXPECT_THAT(decode("{rows: [16], by: token}").mistakes, HasSubstr("moe.row_tiles.by"));
}

}  // namespace
}  // namespace mlosim::spec
