#include "validate/compare/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "sim/machine/price_book.hpp"
#include "sim/spec/hardware.hpp"
#include "tests/unit/validate/suite/tables.hpp"
#include "validate/compare/render.hpp"

namespace mlosim::compare {
namespace {

using suite::kGemmHeader;
using suite::TableFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kRow = "h100_sxm,gemm,bfloat16,1,4096,4096,4096,200,,,lib,bench\n";

TEST(Validate, AGraphReplayedRowIsPredictedAsItsKernel) {
  TableFolder folder;
  const Validation v = validate(folder.library(), {folder.write("t.csv", kGemmHeader + kRow)}, {});
  ASSERT_THAT(v.rows, SizeIs(1));
  std::vector<std::string> warnings;
  spec::Decoding decoding;
  const spec::Hardware h100 =
      spec::decode_hardware(spec::read_hardware(folder.library(), "h100_sxm", "", warnings), decoding);
  const machine::TaskPrice price = machine::price_operator(work::Gemm{.m = 4096, .n = 4096, .k = 4096}, h100,
                                                           {.operands = {.between_uses = {}, .rotates_weights = true}});
  EXPECT_DOUBLE_EQ(v.rows.front().predicted, price.time.si());
  EXPECT_DOUBLE_EQ(v.rows.front().roofline, price.bound.si());
  EXPECT_LE(v.rows.front().roofline, v.rows.front().predicted);
  EXPECT_EQ(v.rows.front().plan, price.detail);
}

TEST(Validate, HostTimeIsAFloorAndSynchronisationIsAdded) {
  const auto predicted = [](const std::string& fields, const std::string& row) {
    TableFolder folder(fields);
    return validate(folder.library(), {folder.write("t.csv", kGemmHeader + row)}, {}).rows.at(0).predicted;
  };
  const std::string tiny = "h100_sxm,gemm,bfloat16,1,1,64,64,3,,,lib,bench\n";
  EXPECT_NEAR(predicted("host: 50 us\n", tiny), 50e-6, 1e-9);
  const double kernel = predicted("launch: graph\n", kRow);
  EXPECT_DOUBLE_EQ(predicted("host: 50 us\n", kRow), kernel);
  EXPECT_NEAR(predicted("added: 50 us\n", kRow), kernel + 50e-6, 1e-12);
  EXPECT_GT(predicted("launch: eager\n", kRow), kernel);
}

TEST(Validate, HalvesAreDisjointAndTogetherAll) {
  TableFolder folder;
  std::string text = kGemmHeader;
  for (int m = 1; m <= 64; ++m) text += "h100_sxm,gemm,bfloat16,1," + std::to_string(m) + ",512,512,5,,,lib,bench\n";
  const std::string path = folder.write("t.csv", text);
  const std::size_t fit = validate(folder.library(), {path}, {.half = Half::fit}).rows.size();
  const std::size_t scored = validate(folder.library(), {path}, {.half = Half::score}).rows.size();
  EXPECT_EQ(fit + scored, 64u);
  EXPECT_GT(fit, 10u);
  EXPECT_GT(scored, 10u);
}

TEST(Validate, RowsAreGroupedByTheKeysAskedFor) {
  TableFolder folder;
  const std::string text = kGemmHeader + kRow + "h100_sxm,gemm,float16,1,64,512,512,5,,,lib,bench\n" +
                           "h100_sxm,gemm,float16,1,64,512,512,5,,,other,bench\n";
  const std::string path = folder.write("t.csv", text);
  const Validation by_default = validate(folder.library(), {path}, {});
  ASSERT_THAT(by_default.groups, SizeIs(2));
  EXPECT_THAT(by_default.groups[0].key, ElementsAre("h100_sxm", "gemm", "bfloat16"));
  EXPECT_EQ(by_default.groups[1].score.rows, 2u);
  const Validation by_software = validate(folder.library(), {path}, {.group_by = {GroupKey::software}});
  EXPECT_THAT(by_software.groups, SizeIs(2));
}

TEST(Validate, WhatAChipCannotRunIsSkippedWithTheReason) {
  TableFolder folder;
  const Validation v = validate(
      folder.library(), {folder.write("t.csv", kGemmHeader + "a100_sxm,gemm,nvfp4,1,1,64,64,3,,,lib,bench\n")}, {});
  EXPECT_THAT(v.rows, SizeIs(0));
  ASSERT_THAT(v.skipped, SizeIs(1));
  EXPECT_THAT(v.skipped.front().row, HasSubstr("t.csv:2"));
  EXPECT_THAT(v.skipped.front().reason, HasSubstr("nvfp4"));
}

TEST(Validate, TheWorstRowsComeFirst) {
  TableFolder folder;
  const std::string text = kGemmHeader + "h100_sxm,gemm,bfloat16,1,64,512,512,5,,,lib,bench\n" +
                           "h100_sxm,gemm,bfloat16,1,64,512,512,5000,,,lib,bench\n";
  const Validation v = validate(folder.library(), {folder.write("t.csv", text)}, {.worst = 1});
  EXPECT_THAT(v.worst, ElementsAre(1u));
}

TEST(Validate, AnswersTheSameBytesOnOneAndManyThreads) {
  TableFolder folder;
  std::string text = kGemmHeader;
  for (int m = 1; m <= 200; ++m) text += "h100_sxm,gemm,bfloat16,1," + std::to_string(m) + ",512,512,5,,,lib,bench\n";
  const std::string path = folder.write("t.csv", text);
  const auto rendered = [&](std::size_t threads) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    const Validation v = validate(folder.library(), {path}, {});
    return render_json(v) + render_text(v) + render_predictions(v);
  };
  EXPECT_EQ(rendered(1), rendered(4));
}

TEST(Validate, PredictionsKeepEveryColumnOfTheirTable) {
  TableFolder folder;
  const std::string one = folder.write("a.csv",
                                       "device,op,dtype,m,n,k,time_us,software,source,note\n"
                                       "h100_sxm,gemm,bfloat16,8,64,64,4,\"a, b\",bench,mine\n");
  const std::string two = folder.write("b.csv", kGemmHeader + kRow);
  const Validation v = validate(folder.library(), {one, two}, {});
  const std::string text = render_predictions(v);
  EXPECT_THAT(text, testing::StartsWith("device,op,dtype,m,n,k,time_us,software,source,note,batch,power_w,flag,"
                                        "predicted_us,low_us,high_us\n"));
  EXPECT_THAT(text, HasSubstr("h100_sxm,gemm,bfloat16,8,64,64,4,\"a, b\",bench,mine,,,,"));
}

}  // namespace
}  // namespace mlosim::compare
