#include "validate/suite/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlosim::suite {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(std::string_view line) {
  bool torn = false;
  std::vector<std::string> list;
  for (const Cell& cell : cells_of(line, torn)) list.push_back(cell.text);
  EXPECT_FALSE(torn) << line;
  return list;
}

TEST(Csv, LinesEndWithEitherConventionAndTheLastOneNeedsNoEnd) {
  EXPECT_THAT(lines_of("a,b\r\nc,d\ne"), ElementsAre("a,b", "c,d", "e"));
  EXPECT_TRUE(lines_of("").empty());
}

TEST(Csv, AByteOrderMarkIsNoPartOfTheFirstLine) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "a,b\nc"),
              ElementsAre("a,b", "c"));
  EXPECT_TRUE(lines_of("\xEF\xBB\xBF").empty());
}

TEST(Csv, CellsAreSplitAtCommasAndEmptyOnesAreKept) {
  EXPECT_THAT(texts("a,,b,"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(texts(""), ElementsAre(""));
}

TEST(Csv, AQuotedCellHoldsCommasAndDoubledQuotes) {
  EXPECT_THAT(texts(R"(1,"torch, ""eager""",2)"), ElementsAre("1", "torch, \"eager\"", "2"));
}

TEST(Csv, EveryCellKnowsItsColumn) {
  bool torn = false;
  const std::vector<Cell> cells = cells_of(R"(ab,"c,d",e)", torn);
  ASSERT_EQ(cells.size(), 3u);
  EXPECT_EQ(cells[0].column, 1);
  EXPECT_EQ(cells[1].column, 4);
  EXPECT_EQ(cells[2].column, 10);
}

TEST(Csv, AnOpenQuoteAtTheEndOfALineIsTorn) {
  bool torn = false;
  cells_of(R"(1,"torch)", torn);
  EXPECT_TRUE(torn);
}

TEST(Csv, ACellThatIsWrittenIsReadBackTheSame) {
  for (const std::string text : {"plain", "with, comma", "with \"quotes\"", ""}) {
    EXPECT_THAT(texts(csv_cell(text) + ",end"), ElementsAre(text, "end"));
  }
}

}  // namespace
}  // namespace mlosim::suite
