#include "validate/suite/measurement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/validate/suite/tables.hpp"

namespace mlosim::suite {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What read_table says of a table that it refuses.
std::string refusal(const std::string& text) {
  TableFolder folder;
  try {
    folder.read(text);
  } catch (const spec::InputError& error) {
    return error.what();
  }
  return "";
}

template <class Op>
Op only_op(const std::string& text) {
  TableFolder folder;
  const Table table = folder.read(text);
  EXPECT_THAT(table.skipped, IsEmpty()) << table.skipped.front().reason;
  EXPECT_THAT(table.rows, SizeIs(1));
  return table.rows.empty() ? Op{} : std::get<Op>(table.rows.front().work);
}

TEST(Measurement, AGemmRowIsReadWithItsTimeAndOrigin) {
  TableFolder folder;
  const Table table = folder.read(kGemmHeader + "a100_sxm,gemm,bfloat16,2,16,128,256,12.5,,,lib 1.0,bench\n");
  ASSERT_THAT(table.rows, SizeIs(1));
  const Measurement& row = table.rows.front();
  EXPECT_EQ(row.device, "a100_sxm_80gb");
  EXPECT_EQ(row.line, 2);
  EXPECT_DOUBLE_EQ(row.measured.si(), 12.5e-6);
  EXPECT_EQ(row.software, "lib 1.0");
  EXPECT_EQ(row.protocol->source, "bench");
  EXPECT_EQ(std::get<work::Gemm>(row.work),
            (work::Gemm{.m = 16, .n = 128, .k = 256, .batch = 2, .output = work::DType::bf16}));
}

TEST(Measurement, ExpertsThatRanWithoutAGateAreReadSo) {
  TableFolder folder("ungated_experts: [[2688, 1856]]\n");
  const std::string header =
      "device,op,dtype,tokens,hidden,inter,experts,topk,tp,ep,gated,distribution,time_us,power_w,flag,software,"
      "source\n";
  const Table table =
      folder.read(header + "h100_sxm,moe_gemm,bfloat16,8,2688,1856,128,6,1,1,1,balanced,9,,,lib,bench\n" +
                  "h100_sxm,moe_gemm,bfloat16,8,2688,768,128,6,1,1,1,balanced,9,,,lib,bench\n");
  ASSERT_THAT(table.rows, SizeIs(2));
  EXPECT_FALSE(std::get<work::MoeGemm>(table.rows[0].work).gated);
  EXPECT_TRUE(std::get<work::MoeGemm>(table.rows[1].work).gated);
}

TEST(Measurement, FormatsOfTablesAreThoseOfOperators) {
  const auto gemm = [](const std::string& dtype) {
    return only_op<work::Gemm>(kGemmHeader + "h100_sxm,gemm," + dtype + ",1,1,2,3,1,,,lib,bench\n");
  };
  EXPECT_EQ(gemm("float32").activations, work::DType::fp32);
  EXPECT_EQ(gemm("int4_wo").weights, work::DType::int4);
  EXPECT_EQ(gemm("int4_wo").activations, work::DType::bf16);
  EXPECT_EQ(gemm("w4a8_mxfp4_mxfp8").weights, work::DType::mxfp4);
  EXPECT_EQ(gemm("sq").weights, work::DType::int8);
  EXPECT_TRUE(gemm("fp8").quantise_activations);
  EXPECT_FALSE(gemm("bfloat16").quantise_activations);
}

TEST(Measurement, AProtocolCanLeaveTheQuantiserOutAndNameTheOperatorThatRan) {
  TableFolder folder("quantises_activations: false\noperators: {layernorm: rmsnorm}\n");
  const Table gemm = folder.read(kGemmHeader + "h100_sxm,gemm,fp8,1,1,2,3,1,,,lib,bench\n");
  EXPECT_FALSE(std::get<work::Gemm>(gemm.rows.at(0).work).quantise_activations);
  const Table norm = folder.read(
      "device,op,dtype,rows,cols,time_us,flag,software,source\nh100_sxm,layernorm,float16,8,4096,3,,lib,bench\n");
  EXPECT_EQ(std::get<work::Elementwise>(norm.rows.at(0).work).kind, work::ElementwiseKind::rmsnorm);
}

TEST(Measurement, BytesOfAnElementwiseRowAreItsOwn) {
  const auto op = only_op<work::Elementwise>(
      "device,op,dtype,kind,rows,cols,bytes_in,bytes_out,time_us,flag,software,source\n"
      "h100_sxm,elementwise,float16,add,4,8,64,32,2,,lib,bench\n");
  EXPECT_EQ(op.bytes_in, Bytes(64));
  EXPECT_EQ(op.bytes_out, Bytes(32));
}

TEST(Measurement, AGateThatReadsNoMoreThanItWritesIsThePlainActivation) {
  const std::string header = "device,op,dtype,kind,rows,cols,bytes_in,bytes_out,time_us,flag,software,source\n";
  const auto kind = [&](const std::string& bytes_in) {
    return only_op<work::Elementwise>(header + "h100_sxm,elementwise,float16,silu_mul,4,8," + bytes_in +
                                      ",64,2,,lib,bench\n")
        .kind;
  };
  EXPECT_EQ(kind("128"), work::ElementwiseKind::silu_mul);
  EXPECT_EQ(kind("64"), work::ElementwiseKind::silu);
}

TEST(Measurement, AKernelThatKeepsItsTensorsMovesNothing) {
  TableFolder folder("keeps_tensors: true\n");
  const Table table = folder.read(
      "device,op,dtype,rows,cols,time_us,flag,software,source\ntpu_v6e,layernorm,bfloat16,8,4096,3,,lib,bench\n");
  const auto op = std::get<work::Elementwise>(table.rows.at(0).work);
  EXPECT_EQ(op.bytes_in, Bytes(0));
  EXPECT_EQ(op.bytes_out, Bytes(0));
}

TEST(Measurement, AFlaggedRowIsLeftOutUnlessAskedFor) {
  const std::string text = kGemmHeader + "h100_sxm,gemm,bfloat16,1,1,2,3,1,,slow,lib,bench\n";
  TableFolder folder;
  const Table without = folder.read(text);
  EXPECT_THAT(without.rows, IsEmpty());
  ASSERT_THAT(without.skipped, SizeIs(1));
  EXPECT_EQ(without.skipped.front().reason, "flagged 'slow'");
  EXPECT_THAT(folder.read(text, {.flagged = true}).rows, SizeIs(1));
}

TEST(Measurement, WhatIsNotModelledIsSkippedWithTheReason) {
  TableFolder folder;
  const auto reason = [&](const std::string& row) {
    const Table table = folder.read(kGemmHeader + row);
    EXPECT_THAT(table.rows, IsEmpty());
    return table.skipped.empty() ? "" : table.skipped.front().reason;
  };
  EXPECT_THAT(reason("p100,gemm,bfloat16,1,1,2,3,1,,,lib,bench\n"), HasSubstr("no chip is called 'p100'"));
  EXPECT_THAT(reason("h100_sxm,conv,bfloat16,1,1,2,3,1,,,lib,bench\n"), HasSubstr("'conv' is not modelled"));
  EXPECT_THAT(reason("h100_sxm,gemm,fp6,1,1,2,3,1,,,lib,bench\n"), HasSubstr("'fp6' is not modelled"));
}

TEST(Measurement, ARowOfAnUnknownSourceIsTakenForAReplayedKernel) {
  TableFolder folder;
  const Table table = folder.read("device,op,dtype,m,n,k,time_us\nh100_sxm,gemm,bfloat16,1,2,3,1\n");
  ASSERT_THAT(table.rows, SizeIs(1));
  EXPECT_EQ(table.rows.front().protocol->name, "standard: *");
  EXPECT_EQ(table.rows.front().protocol->launch, spec::LaunchPath::graph);
}

TEST(Measurement, AProtocolMaySayWhyItsRowsCannotBeUsed) {
  TableFolder folder("software: [{match: \"broken *\", unusable: the clock was wrong}, {match: \"*\"}]\n");
  const Table table = folder.read(kGemmHeader + "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,broken 1,bench\n" +
                                  "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,good 1,bench\n");
  EXPECT_THAT(table.rows, SizeIs(1));
  ASSERT_THAT(table.skipped, SizeIs(1));
  EXPECT_EQ(table.skipped.front().reason, "the clock was wrong");
}

TEST(Measurement, WrongCellsAreRefusedWithTheirPlace) {
  const std::string good = "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,lib,bench\n";
  EXPECT_THAT(refusal("device,op\n"), HasSubstr("no column is called 'dtype'"));
  EXPECT_THAT(refusal(kGemmHeader + good + "h100_sxm,gemm,bfloat16,1,1,2,3,fast,,,lib,bench\n"),
              HasSubstr("table.csv:3:32: time_us is 'fast'"));
  EXPECT_THAT(refusal(kGemmHeader + "h100_sxm,gemm,bfloat16,1,1,2,3,-4,,,lib,bench\n"), HasSubstr("positive"));
  EXPECT_THAT(refusal(kGemmHeader + "h100_sxm,gemm,bfloat16,1,1,2,3,nan,,,lib,bench\n"), HasSubstr("positive"));
  EXPECT_THAT(refusal(kGemmHeader + "h100_sxm,gemm,bfloat16,1,x,2,3,4,,,lib,bench\n"), HasSubstr("table.csv:2:26"));
  EXPECT_THAT(refusal(kGemmHeader + "h100_sxm,gemm,bf\n"), HasSubstr("3 cells under 12 columns"));
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
}

TEST(Measurement, WhatIsNoTextIsRefusedWithItsPlace) {
  const std::string row = "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,lib,bench\n";
  EXPECT_THAT(refusal(kGemmHeader + row +
                      "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,l\xE9"
                      "on,bench\n"),
              HasSubstr("table.csv:3:37: this is not UTF-8 text"));
  EXPECT_THAT(refusal(kGemmHeader + "h100_sxm" + std::string(1, '\0') + ",gemm,bfloat16,1,1,2,3,1,,,lib,bench\n"),
              HasSubstr("table.csv:2:9: this is not UTF-8 text"));
  EXPECT_THAT(refusal("dev\xFF"
                      "ice,op\n"),
              HasSubstr("table.csv:1:4: this is not UTF-8 text"));
  EXPECT_THAT(refusal("device,op,dtype,m,n,k,time_us\rh100_sxm,gemm,bfloat16,1,2,3,1\r"),
              HasSubstr("table.csv:1:30: a carriage return inside a line; a table is UTF-8 text whose lines end in"));
}

TEST(Measurement, ATableMayStartWithAByteOrderMarkAndHoldAnyLetters) {
  TableFolder folder;
  const Table table =
      folder.read("\xEF\xBB\xBF" + kGemmHeader + "h100_sxm,gemm,bfloat16,1,1,2,3,1,,,l\u00e9on,bench\r\n");
  ASSERT_THAT(table.rows, SizeIs(1));
  EXPECT_EQ(table.rows.front().software, "l\u00e9on");
  EXPECT_EQ(table.header + "\n", kGemmHeader);
}

TEST(Measurement, TwoColumnsOfOneNameAreRefused) {
  EXPECT_THAT(refusal("device,op,dtype,m,m,n,k,time_us\nh100_sxm,gemm,bfloat16,1,2,2,3,1\n"),
              HasSubstr("table.csv:1:19: a second column is called 'm'"));
}

TEST(Measurement, ATimeInAnotherUnitIsRefused) {
  const auto time = [](const std::string& text) {
    return refusal("device,op,dtype,m,n,k,time_us\nh100_sxm,gemm,bfloat16,1,2,3," + text + "\n");
  };
  EXPECT_THAT(time("1e-320"), HasSubstr("table.csv:2:30: time_us is '1e-320'"));
  EXPECT_THAT(time("0.9e-6"), HasSubstr("from 1e-6 to 1e12"));
  EXPECT_THAT(time("1.1e12"), HasSubstr("from 1e-6 to 1e12"));
  EXPECT_EQ(time("1.1e-6"), "");
  EXPECT_EQ(time("0.9e12"), "");
}

TEST(Measurement, ColumnsOfEarlierPredictionsAreLeftOut) {
  TableFolder folder;
  const Table table = folder.read(
      "low_us,device,op,dtype,m,n,k,time_us,note,predicted_us,high_us\n"
      "1,h100_sxm,gemm,bfloat16,1,2,3,1,\"a, b\",2,3\n");
  EXPECT_EQ(table.header, "device,op,dtype,m,n,k,time_us,note");
  EXPECT_THAT(table.texts, testing::ElementsAre("h100_sxm,gemm,bfloat16,1,2,3,1,\"a, b\""));
}

TEST(Measurement, EveryMistakeOfATableIsReported) {
  const std::string text = refusal(kGemmHeader + "h100_sxm,gemm,bfloat16,1,x,2,3,4,,,lib,bench\n" +
                                   "h100_sxm,gemm,bfloat16,1,1,2,y,4,,,lib,bench\n");
  EXPECT_THAT(text, HasSubstr("table.csv:2:"));
  EXPECT_THAT(text, HasSubstr("table.csv:3:"));
}

TEST(Measurement, ACollectivesTopologyIsASystemByItsProtocolByNameOrByItsChip) {
  const std::string header = "device,op,dtype,kind,bytes,ranks,topology,time_us,flag,software,source\n";
  TableFolder folder("systems: {\"boards:2\": dgx_h100}\n");
  const auto system = [&](const std::string& topology) {
    const Table table =
        folder.read(header + "h100_sxm,collective,float16,all_reduce,1024,8," + topology + ",10,,lib,bench\n");
    return table.rows.empty() ? table.skipped.at(0).reason : table.rows.front().system;
  };
  EXPECT_EQ(system("boards:2"), "dgx_h100");
  EXPECT_EQ(system("a100_sxm_node"), "dgx_a100");
  EXPECT_EQ(system("mi300x_node"), "mi300x_8");
  EXPECT_EQ(system("dgx_h200"), "dgx_h200");
  EXPECT_THAT(system("nowhere"), HasSubstr("no system is called 'nowhere'"));
  TableFolder nodes("systems: {\"dgx:4_dev_per_node\": dgx_h100}\n");
  const Table across =
      nodes.read(header + "h100_sxm,collective,float16,all_reduce,1024,8,dgx:4_dev_per_node,10,,lib,bench\n" +
                 "h100_sxm,collective,float16,all_reduce,1024,4,dgx:4_dev_per_node,10,,lib,bench\n");
  EXPECT_EQ(across.rows.size(), 1U);
  EXPECT_THAT(across.skipped.at(0).reason, HasSubstr("across nodes"));
}

}  // namespace
}  // namespace mlosim::suite
