#include "validate/suite/suite_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::suite {
namespace {

TEST(SuiteFile, ATableIsKnownByItsEndingInEitherCase) {
  for (const char* path : {"t.csv", "a/t.CSV", "t.Csv", "x.yaml.csv"}) EXPECT_TRUE(is_table(path)) << path;
  for (const char* path : {"t.yaml", "csv", "-", "", "t.csv.yaml", "tcsv"}) EXPECT_FALSE(is_table(path)) << path;
}

TEST(SuiteFile, AFileIsReadAsItStands) {
  const support::TemporaryDirectory folder;
  const std::string text(
      "\xEF\xBB\xBF"
      "a,b\r\n\0c",
      10);
  support::write_text(folder.path() / "t.csv", text);
  EXPECT_EQ(read_text((folder.path() / "t.csv").string()), text);
  support::write_text(folder.path() / "empty.csv", "");
  EXPECT_EQ(read_text((folder.path() / "empty.csv").string()), "");
}

TEST(SuiteFile, WhatCannotBeReadIsRefused) {
  const support::TemporaryDirectory folder;
  EXPECT_THROW(read_text((folder.path() / "nowhere.csv").string()), spec::InputError);
  EXPECT_THROW(read_text(folder.path().string()), spec::InputError);
}

}  // namespace
}  // namespace mlosim::suite
