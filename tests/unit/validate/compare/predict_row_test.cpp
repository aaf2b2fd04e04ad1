#include "validate/compare/predict_row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/validate/suite/tables.hpp"

namespace mlosim::compare {
namespace {

using suite::TableFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

suite::Protocol protocol(const std::string& runtime) {
  suite::Protocol p;
  p.runtime = runtime;
  return p;
}

// One row for every system, in lines 2, 3 …
std::vector<suite::Table> table_of(const std::vector<std::string>& systems, const suite::Protocol& protocol) {
  suite::Table table;
  table.file = "t.csv";
  for (const std::string& system : systems) {
    suite::Measurement row;
    row.line = static_cast<int>(table.rows.size()) + 2;
    row.system = row.device = system;
    row.work = work::Gemm{.m = 64, .n = 64, .k = 64};
    row.protocol = &protocol;
    table.rows.push_back(row);
    table.texts.push_back(system);
  }
  return {table};
}

TEST(Machines, ARowOfASystemThatThereIsNoneOfIsSkipped) {
  TableFolder folder;
  const suite::Protocol plain = protocol("");
  std::vector<suite::Table> tables = table_of({"h100_sxm", "h100_sxn", "a100_sxm_80gb"}, plain);
  const Machines machines(folder.library(), tables);
  ASSERT_THAT(tables[0].rows, SizeIs(2));
  EXPECT_THAT(tables[0].texts, ElementsAre("h100_sxm", "a100_sxm_80gb"));
  ASSERT_THAT(tables[0].skipped, SizeIs(1));
  EXPECT_EQ(tables[0].skipped[0].row, "t.csv:3");
  EXPECT_THAT(tables[0].skipped[0].reason, HasSubstr("h100_sxn"));
  EXPECT_EQ(machines.of(tables[0].rows[1]).system.chip.name, "a100_sxm_80gb");
}

TEST(Machines, AChipWithAMistakeIsRefusedNotSkipped) {
  TableFolder folder;
  std::filesystem::create_directories(std::filesystem::path(folder.write("x", "")).parent_path() / "hw_specs/chips");
  folder.write("hw_specs/chips/broken.yaml", "schema: mlosim/chip/1\nname: broken\nfamily: hopper\nclock: 7 GB\n");
  const suite::Protocol plain = protocol("");
  std::vector<suite::Table> tables = table_of({"broken"}, plain);
  try {
    const Machines machines(folder.library(), tables);
    FAIL() << "the chip was taken";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("broken.yaml"));
  }
}

TEST(Machines, ARuntimeThatThereIsNoneOfIsAWarningOnceForAllItsRows) {
  TableFolder folder;
  const suite::Protocol unknown = protocol("nosuchruntime");
  std::vector<suite::Table> tables = table_of({"h100_sxm", "h100_sxm", "h100_sxm"}, unknown);
  const Machines machines(folder.library(), tables);
  EXPECT_THAT(tables[0].rows, SizeIs(3));
  EXPECT_THAT(machines.warnings(), ElementsAre(HasSubstr("nosuchruntime")));
}

}  // namespace
}  // namespace mlosim::compare
