#include "validate/suite/published.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::suite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kHead = "schema: mlosim/suite/1\nname: points\n";
constexpr const char* kRow = "  - {id: a, workload: {task: ops}, measured: {time_s: 0.5}, source: a paper}\n";

PublishedSuite decode(const std::string& text) { return decode_suite(spec::parse_document(text, "s.yaml")); }

std::string mistake_of(const std::string& text) {
  try {
    decode(text);
    return "none";
  } catch (const spec::InputError& error) {
    return error.what();
  }
}

std::string rows(const std::string& text) { return std::string(kHead) + "rows:\n" + text; }

TEST(PublishedSuite, ARowSaysWhatRanWhatWasMeasuredAndWhereThatIsWritten) {
  const PublishedSuite suite = decode(rows(
      "  - id: a\n    workload: {task: decode, system: x}\n    measured: {tpot_s: 0.02, tokens_per_s_per_chip: 1.5e3}\n"
      "    unknown: the version\n    source: a paper, table 2\n"));
  EXPECT_EQ(suite.name, "points");
  ASSERT_EQ(suite.rows.size(), 1U);
  const PublishedRow& row = suite.rows.front();
  EXPECT_EQ(row.id, "a");
  EXPECT_THAT(row.measured, ElementsAre(Pair("tokens_per_s_per_chip", 1500.0), Pair("tpot_s", 0.02)));
  EXPECT_EQ(row.unknown, "the version");
  EXPECT_EQ(row.source, "a paper, table 2");
  EXPECT_EQ(row.place.line, 4);
}

TEST(PublishedSuite, AnInlineWorkloadNeedsNoSchema) {
  const PublishedSuite suite = decode(rows(kRow));
  ASSERT_TRUE(suite.rows.front().workload.find("schema"));
  EXPECT_EQ(suite.rows.front().workload.find("schema")->text, "mlosim/workload/1");
  EXPECT_EQ(suite.rows.front().workload.find("task")->text, "ops");
}

TEST(PublishedSuite, AllMistakesAreReportedWithTheirPlaces) {
  const std::string mistake =
      mistake_of(rows("  - {id: a, workload: {task: ops}, measured: {times_s: 1}, source: s}\n"
                      "  - {id: a, workload: decode, measured: {tpot_s: 0}, sorce: s}\n"));
  EXPECT_THAT(mistake, HasSubstr("s.yaml:4:47: rows.0.measured: unknown key 'times_s'; did you mean 'time_s'?"));
  EXPECT_THAT(mistake, HasSubstr("rows.1.id: the id 'a' appears twice; it was given in line 4"));
  EXPECT_THAT(mistake, HasSubstr("rows.1.workload: expected members"));
  EXPECT_THAT(mistake, HasSubstr("rows.1.measured.tpot_s: '0' must be greater than zero"));
  EXPECT_THAT(mistake, HasSubstr("rows.1: key 'source' is missing"));
  EXPECT_THAT(mistake, HasSubstr("rows.1: unknown key 'sorce'; did you mean 'source'?"));
}

TEST(PublishedSuite, EveryRowHasAnIdASourceAndAFigure) {
  EXPECT_THAT(mistake_of(rows("  - {workload: {task: ops}, measured: {time_s: 1}, source: s}\n")),
              HasSubstr("key 'id' is missing"));
  EXPECT_THAT(mistake_of(rows("  - {id: a, workload: {task: ops}, measured: {time_s: 1}, source: ''}\n")),
              HasSubstr("rows.0.source: this is empty"));
  EXPECT_THAT(mistake_of(rows("  - {id: a, workload: {task: ops}, measured: {}, source: s}\n")),
              HasSubstr("rows.0.measured: nothing was measured; one or more of: time_s, "));
  EXPECT_THAT(mistake_of(rows("  - {id: a, workload: {task: ops}, measured: {time_s: 3 us}, source: s}\n")),
              HasSubstr("rows.0.measured.time_s"));
}

TEST(PublishedSuite, WhatIsNoSuiteIsRefused) {
  EXPECT_THAT(mistake_of("schema: mlosim/chip/1\nname: x\nrows: []\n"), HasSubstr("expected 'mlosim/suite/1'"));
  EXPECT_THAT(mistake_of(kHead), HasSubstr("key 'rows' is missing"));
  EXPECT_THAT(mistake_of(std::string(kHead) + "rows: {a: 1}\n"), HasSubstr("rows: expected a list"));
  EXPECT_THAT(mistake_of(rows("  - a\n")), HasSubstr("rows.0: expected members"));
}

TEST(PublishedSuite, ATableUnderAnotherNameIsSaidToBeOne) {
  const support::TemporaryDirectory folder;
  const std::filesystem::path file = folder.path() / "t.txt";
  support::write_text(file, "\"device\",op,dtype,m,n,k,time_us\r\nh100_sxm,gemm,bfloat16,1,2,3,1\r\n");
  try {
    read_suite(file.string());
    FAIL() << "a table was read as a suite";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("t.txt:1:1: this is a table of measurements"));
    EXPECT_THAT(error.what(), HasSubstr(".csv"));
  }
}

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> suites;
  for (const std::filesystem::path& file : support::source_files({"validate/suites"}, {".yaml"})) {
    const std::filesystem::path table = support::source_dir() / std::filesystem::path(file).replace_extension(".csv");
    if (!std::filesystem::exists(table)) suites.push_back(support::source_dir() / file);
  }
  return suites;
}

TEST(ShippedSuites, AreReadAndCalledAsTheirFiles) {
  EXPECT_THAT(shipped(), testing::Not(IsEmpty()));
  for (const std::filesystem::path& file : shipped()) {
    const PublishedSuite suite = read_suite(file.string());
    EXPECT_EQ(suite.name, file.stem().string());
    EXPECT_NE(suite.description, "") << file;
    EXPECT_THAT(suite.rows, testing::Not(IsEmpty())) << file;
  }
}

}  // namespace
}  // namespace mlosim::suite
