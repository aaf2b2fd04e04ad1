#include "validate/cuda/measure/result_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/source_tree.hpp"
#include "validate/cuda/measure/csv.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

using support::read_text;
using support::write_text;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(MeasureCsv, WhatIsWrittenIsReadBack) {
  const std::vector<std::string> fields = {"plain", "a,b", "say \"so\"", "two\nlines", ""};
  const CsvText csv = parse_csv(format_record(fields));
  ASSERT_EQ(csv.records.size(), 1u);
  EXPECT_EQ(csv.records[0], fields);
}

TEST(MeasureCsv, ATornLastLineIsNoRecord) {
  const CsvText csv = parse_csv("a,b\n1,2\n3,");
  ASSERT_EQ(csv.records.size(), 2u);
  EXPECT_EQ(csv.whole_bytes, 8u);
  EXPECT_EQ(parse_csv("a,b\n\"1,2\n").whole_bytes, 4u) << "torn within quotes";
}

TEST(MeasureCsv, LinesMayEndAsOnWindowsAndMayBeBlank) {
  EXPECT_THAT(parse_csv("a,b\r\n\r\n1,2\r\n").records, ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "2")));
}

class MeasureResultFile : public testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "x.csv").string(); }
  std::string text() const { return read_text(path()); }
  void write(const std::string& text) const { write_text(path(), text); }
  ResultFile open(ResultFile::Mode mode) const {
    return ResultFile(path(), mode, {"device", "op", "kind", "bytes", "time_us"}, {"device", "op", "kind", "bytes"});
  }

  const Cells copy_ = {{"op", "copy"}, {"bytes", "4096"}};
  support::TemporaryDirectory folder_;
};

TEST_F(MeasureResultFile, EachRowIsInTheFileWhenAppendReturns) {
  ResultFile file = open(ResultFile::Mode::create);
  EXPECT_EQ(text(), "device,op,kind,bytes,time_us\n");
  file.append({{"device", "h100_sxm"}, {"op", "copy"}, {"time_us", "1.5"}, {"bytes", "4096"}});
  EXPECT_EQ(text(), "device,op,kind,bytes,time_us\nh100_sxm,copy,,4096,1.5\n");
  EXPECT_TRUE(file.contains("h100_sxm", copy_));
  EXPECT_FALSE(file.contains("h200_sxm", copy_));
}

TEST_F(MeasureResultFile, AFileThatExistsIsNotOverwritten) {
  write("precious\n");
  try {
    open(ResultFile::Mode::create);
    FAIL() << "it was overwritten";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("exists already"));
    EXPECT_THAT(error.hint(), HasSubstr("--resume"));
  }
  EXPECT_EQ(text(), "precious\n");
}

TEST_F(MeasureResultFile, ARunGoesOnBehindTheLastWholeRow) {
  write("device,op,kind,bytes,time_us\nh100_sxm,copy,,4096,1.5\nh100_sxm,copy,,81");
  ResultFile file = open(ResultFile::Mode::resume);
  EXPECT_TRUE(file.contains("h100_sxm", copy_));
  EXPECT_FALSE(file.contains("h100_sxm", {{"op", "copy"}, {"bytes", "8192"}}));
  file.append({{"device", "h100_sxm"}, {"op", "copy"}, {"bytes", "8192"}, {"time_us", "2"}});
  EXPECT_EQ(text(), "device,op,kind,bytes,time_us\nh100_sxm,copy,,4096,1.5\nh100_sxm,copy,,8192,2\n");
}

TEST_F(MeasureResultFile, ResumingKeepsTheOrderOfTheColumnsThatAreThere) {
  write("note,time_us,bytes,kind,op,device\nmine,1.5,4096,,copy,h100_sxm\n");
  ResultFile file = open(ResultFile::Mode::resume);
  EXPECT_TRUE(file.contains("h100_sxm", copy_));
  file.append({{"device", "h100_sxm"}, {"op", "read"}, {"bytes", "1"}, {"time_us", "2"}});
  EXPECT_THAT(text(), testing::EndsWith("\n,2,1,,read,h100_sxm\n"));
}

TEST_F(MeasureResultFile, ResumingWithoutAFileOrWithATornHeaderBeginsOne) {
  { const ResultFile file = open(ResultFile::Mode::resume); }
  EXPECT_EQ(text(), "device,op,kind,bytes,time_us\n");
  write("device,op,ki");
  { const ResultFile file = open(ResultFile::Mode::resume); }
  EXPECT_EQ(text(), "device,op,kind,bytes,time_us\n");
}

TEST_F(MeasureResultFile, AFileWithOtherColumnsIsRefusedAndLeftAsItIs) {
  const std::string other = "device,op,time_us\nh100_sxm,copy,1";
  write(other);
  EXPECT_THROW(open(ResultFile::Mode::resume), UsageError);
  EXPECT_EQ(text(), other);
}

TEST_F(MeasureResultFile, AFileOfOneLineThatIsNoHeaderIsRefusedAndLeftAsItIs) {
  write("precious");
  EXPECT_THROW(open(ResultFile::Mode::resume), UsageError);
  EXPECT_EQ(text(), "precious");
}

TEST_F(MeasureResultFile, TwoRunsDoNotWriteIntoOneFile) {
  const ResultFile file = open(ResultFile::Mode::create);
  EXPECT_THROW(open(ResultFile::Mode::resume), UsageError);
}

TEST_F(MeasureResultFile, AFolderThatIsNotThereIsNamed) {
  const std::string nowhere = (folder_.path() / "nowhere" / "x.csv").string();
  try {
    ResultFile(nowhere, ResultFile::Mode::create, {"device"}, {"device"});
    FAIL() << "it was written";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr(nowhere));
  }
}

TEST_F(MeasureResultFile, AColumnThatNoCaseAnnouncedIsAMistakeOfOurs) {
  ResultFile file = open(ResultFile::Mode::create);
  EXPECT_THROW(file.append({{"colour", "red"}}), std::logic_error);
}

}  // namespace
}  // namespace mlosim::measure
