#include "validate/compare/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const std::string kRow = "h100_sxm,gemm,bfloat16,1,4096,4096,4096,200,,,lib,bench\n";

TEST(Validate, AGraphReplayedRowIsPredictedAsItsKernel) {
  TableFolder folder;
  const Validation v = validate(folder.library(), {folder.write("t.csv", kGemmHeader + kRow)}, {});
  ASSERT_THAT(v.rows, SizeIs(1));
  std::vector<std::string> warnings;
  const spec::Hardware h100 = spec::require_hardware(folder.library(), "h100_sxm", {}, warnings);
  const machine::TaskPrice price = machine::price_operator(
      work::Gemm{.m = 4096, .n = 4096, .k = 4096}, h100,
      {.fidelity = chip::Fidelity::event, .operands = {.between_uses = {}, .rotates_weights = true}});
  EXPECT_DOUBLE_EQ(v.rows.front().predicted, price.time.si());
  ASSERT_TRUE(v.rows.front().datasheet);
  EXPECT_DOUBLE_EQ(v.rows.front().datasheet->roofline, price.bound.si());
  EXPECT_LE(v.rows.front().datasheet->roofline, v.rows.front().predicted);
  EXPECT_EQ(v.rows.front().plan, price.detail);
}

TEST(Validate, MeasuredWattsAreAGroupOfTheirOwnBesideTheTimes) {
  TableFolder folder;
  const std::string row = "h100_sxm,gemm,bfloat16,1,4096,4096,4096,200,600,,lib,bench\n";
  const Validation v = validate(folder.library(), {folder.write("t.csv", kGemmHeader + row + kRow)}, {});
  ASSERT_THAT(v.rows, SizeIs(3));
  ASSERT_THAT(v.groups, SizeIs(2));
  EXPECT_EQ(v.groups[0].score.rows, 2u);
  EXPECT_THAT(v.groups[1].key, testing::Contains("gemm.power_w"));
  EXPECT_EQ(v.groups[1].score.rows, 1u);
  EXPECT_EQ(v.overall.rows, 2u);  // of times
  const ScoredRow& watts = v.rows[1];
  EXPECT_EQ(watts.measure, Measure::power);
  EXPECT_EQ(watts.measured, 600);
  EXPECT_GT(watts.predicted, 175);        // what the chip draws without work
  EXPECT_LE(watts.predicted, 700 * 1.6);  // a short kernel may draw more than the cap
}

TEST(Validate, WattsThatAreNoNumberAreRefused) {
  TableFolder folder;
  const std::string row = "h100_sxm,gemm,bfloat16,1,4096,4096,4096,200,hot,,lib,bench\n";
  EXPECT_THROW(validate(folder.library(), {folder.write("t.csv", kGemmHeader + row)}, {}), spec::InputError);
}

// The prediction of one row under a protocol with these fields, in seconds.
double predicted(const std::string& fields, const std::string& row) {
  TableFolder folder(fields);
  return validate(folder.library(), {folder.write("t.csv", kGemmHeader + row)}, {}).rows.at(0).predicted;
}

TEST(Validate, ColdWeightsAreReadFromTheDeviceMemoryEvenWhereFewCopiesFitTheCache) {
  const std::string small = "h100_sxm,gemm,bfloat16,1,16,2048,1024,5,,,lib,bench\n";
  const double warm = predicted("weights: warm\n", small);
  EXPECT_NEAR(predicted("weights: rotated\n", small), warm, 0.01 * warm);
  EXPECT_GT(predicted("weights: cold\n", small), 1.05 * warm);
}

TEST(Validate, HostTimeIsAFloorAndSynchronisationIsAdded) {
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
    std::vector<std::string> warnings;
    return render_json(v) + render_text(v) + render_predictions(v, warnings);
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
  std::vector<std::string> warnings;
  const std::string text = render_predictions(v, warnings);
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_THAT(text, testing::StartsWith("device,op,dtype,m,n,k,time_us,software,source,note,batch,power_w,flag,"
                                        "predicted_us,low_us,high_us\n"));
  EXPECT_THAT(text, HasSubstr("h100_sxm,gemm,bfloat16,8,64,64,4,\"a, b\",bench,mine,,,,"));
}

// A table of two devices and formats, of times that no three constants of all of them fit.
std::string mixed_table() {
  std::string text = kGemmHeader;
  for (int i = 1; i <= 24; ++i) {
    const std::string shape = std::to_string(64 * i) + ",4096,4096,";
    text += "h100_sxm,gemm,bfloat16,1," + shape + std::to_string(10 * i) + ",,,lib,bench\n";
    text += "a100_sxm_80gb,gemm,float16,1," + shape + std::to_string(70 * i) + ",,,lib,bench\n";
    if (i % 3 == 0) text += "a100_sxm_80gb,gemm,float32,1," + shape + std::to_string(900 + i) + ",,,other,bench\n";
  }
  return text;
}

TEST(Validate, TheBaselineIsTheSameHoweverRowsAreGrouped) {
  TableFolder folder;
  const std::string path = folder.write("t.csv", mixed_table());
  for (const Half half : {Half::all, Half::score}) {
    const Validation fine = validate(folder.library(), {path}, {.half = half});
    ASSERT_THAT(fine.groups, SizeIs(3));
    double sum = 0, rows = 0;
    for (const Group& group : fine.groups) {
      sum += static_cast<double>(group.score.rows) * group.score.three_constants_mape;
      rows += static_cast<double>(group.score.rows);
    }
    EXPECT_NEAR(fine.overall.three_constants_mape, sum / rows, 1e-12);
    const Validation coarse = validate(folder.library(), {path}, {.half = half, .group_by = {GroupKey::op}});
    ASSERT_THAT(coarse.groups, SizeIs(1));
    EXPECT_NEAR(coarse.groups[0].score.three_constants_mape, sum / rows, 1e-12);
  }
}

// One figure of each measure, on one chip; the third row asks for what its task has no answer for.
const std::string kSuite =
    "schema: mlosim/suite/1\nname: s\nrows:\n"
    "- {id: step, workload: {task: decode, model: llama-3.1-8b, system: h100_sxm, runtime: {framework: nosuchstack},\n"
    "   inference: {batch: 8, prompt: 512, output: 64}},\n"
    "   measured: {time_s: 0.01, tokens_per_s_per_chip: 500, energy_j: 0.1, per_chip_bytes: 2e10}, source: here}\n"
    "- {id: prompt, workload: {task: prefill, model: llama-3.1-8b, system: h100_sxm,\n"
    "   inference: {batch: 1, prompt: 512}}, measured: {tpot_s: 1}, source: here}\n";

TEST(Validate, PublishedFiguresHaveNoBaselineAndLeaveThatOfTheTablesAlone) {
  TableFolder folder;
  const std::string table = folder.write("t.csv", kGemmHeader + kRow), suite = folder.write("s.yaml", kSuite);
  const Validation figures = validate(folder.library(), {suite}, {});
  ASSERT_THAT(figures.rows, SizeIs(4));
  const auto json = nlohmann::json::parse(render_json(figures));
  for (const auto& scores : {json.at("overall"), json.at("groups").at(0)}) {
    EXPECT_TRUE(scores.at("mape").is_number());
    EXPECT_TRUE(scores.at("baseline_mape").at("roofline").is_null());
    EXPECT_TRUE(scores.at("baseline_mape").at("three_constants").is_null());
  }
  EXPECT_EQ(figures.overall.interval_rows, 2u);
  const Validation alone = validate(folder.library(), {table}, {}),
                   mixed = validate(folder.library(), {table, suite}, {});
  EXPECT_EQ(mixed.overall.rows, 5u);
  EXPECT_EQ(mixed.overall.baseline_rows, 1u);
  EXPECT_EQ(mixed.overall.roofline_mape, alone.overall.roofline_mape);
  EXPECT_EQ(mixed.overall.three_constants_mape, alone.overall.three_constants_mape);
}

TEST(Validate, FiguresArePrintedInTheirOwnUnit) {
  TableFolder folder;
  const Validation v = validate(folder.library(), {folder.write("s.yaml", kSuite)}, {});
  std::map<std::string, nlohmann::json> worst;
  const auto json = nlohmann::json::parse(render_json(v));
  for (const auto& row : json.at("worst")) worst[row.at("op")] = row;
  EXPECT_EQ(worst.at("decode.energy_j").at("measured_j"), 0.1);
  EXPECT_TRUE(worst.at("decode.energy_j").at("interval_j").is_null());
  EXPECT_EQ(worst.at("decode.per_chip_bytes").at("measured_bytes"), 2e10);
  EXPECT_EQ(worst.at("decode.time_s").at("measured_s"), 0.01);
  const nlohmann::json rate = worst.at("decode.tokens_per_s_per_chip");
  EXPECT_DOUBLE_EQ(rate.at("measured_tokens_per_s_per_chip").get<double>(), 500);
  const double predicted = rate.at("predicted_tokens_per_s_per_chip");
  EXPECT_LE(rate.at("interval_tokens_per_s_per_chip").at(0).get<double>(), predicted);
  EXPECT_GE(rate.at("interval_tokens_per_s_per_chip").at(1).get<double>(), predicted);
  EXPECT_NEAR(rate.at("error").get<double>(), 500 / predicted - 1, 1e-9);
  const std::string text = render_text(v);
  for (const char* figure : {" 100 mJ ", " 20.0 GB ", " 10.0 ms ", " 500 tok/s "}) EXPECT_THAT(text, HasSubstr(figure));
}

TEST(Validate, SkippedFiguresAndWarningsNameTheirSuite) {
  TableFolder folder;
  const std::string suite = folder.write("s.yaml", kSuite);
  const Validation v = validate(folder.library(), {suite}, {});
  ASSERT_THAT(v.skipped, SizeIs(1));
  EXPECT_EQ(v.skipped[0].row, suite + ": prompt: tpot_s");
  EXPECT_THAT(v.warnings,
              testing::Contains(testing::AllOf(testing::StartsWith(suite + ": step: "), HasSubstr("nosuchstack"))));
}

TEST(Validate, SkippedRowsAreThoseOfTheHalf) {
  TableFolder folder;
  std::string text = kGemmHeader;
  for (int m = 1; m <= 64; ++m) text += "a100_sxm_80gb,gemm,nvfp4,1," + std::to_string(m) + ",512,512,5,,,lib,bench\n";
  const std::string path = folder.write("t.csv", text);
  const std::size_t fit = validate(folder.library(), {path}, {.half = Half::fit}).skipped.size();
  const std::size_t scored = validate(folder.library(), {path}, {.half = Half::score}).skipped.size();
  EXPECT_EQ(fit + scored, 64u);
  EXPECT_GT(std::min(fit, scored), 10u);
}

TEST(Validate, ARooflineIsABoundAndHasNoIntervals) {
  TableFolder folder;
  const Validation v = validate(folder.library(), {folder.write("t.csv", kGemmHeader + kRow)},
                                {.fineness = {.fidelity = chip::Fidelity::roofline}});
  EXPECT_EQ(v.overall.interval_rows, 0u);
  const auto json = nlohmann::json::parse(render_json(v));
  EXPECT_TRUE(json.at("overall").at("interval_coverage").is_null());
  EXPECT_TRUE(json.at("worst").at(0).at("interval_s").is_null());
  std::vector<std::string> warnings;
  EXPECT_THAT(render_predictions(v, warnings), testing::EndsWith(",,\n"));
}

TEST(Validate, BothFidelitiesAreScoredSideBySide) {
  TableFolder folder;
  const std::vector<std::string> suites{folder.write("t.csv", kGemmHeader + kRow), folder.write("s.yaml", kSuite)};
  const Validation both = validate(folder.library(), suites, {.beside_analytic = true});
  const Validation event = validate(folder.library(), suites, {});
  const Validation analytic = validate(folder.library(), suites, {.fineness = {.fidelity = chip::Fidelity::analytic}});
  ASSERT_EQ(both.rows.size(), analytic.rows.size());
  for (std::size_t i = 0; i < both.rows.size(); ++i) {
    EXPECT_EQ(both.rows[i].predicted, event.rows[i].predicted) << both.rows[i].label;
    EXPECT_EQ(both.rows[i].analytic, analytic.rows[i].predicted) << both.rows[i].label;
    EXPECT_FALSE(event.rows[i].analytic);
  }
  ASSERT_TRUE(both.disagreement);
  EXPECT_EQ(both.disagreement->event_mape, event.overall.mape);
  EXPECT_EQ(both.disagreement->analytic_mape, analytic.overall.mape);
  EXPECT_THAT(both.apart, testing::Not(IsEmpty()));
  EXPECT_THAT(render_text(both),
              testing::AllOf(HasSubstr("played beside closed forms"), HasSubstr("rows that they disagree most about")));
  const auto json = nlohmann::json::parse(render_json(both));
  EXPECT_EQ(json.at("overall").at("fidelities").at("event").at("mape"), event.overall.mape);
  EXPECT_EQ(json.at("groups").at(0).at("fidelities").at("rows"), json.at("groups").at(0).at("rows"));
  EXPECT_TRUE(json.at("apart").at(0).at("log_ratio").is_number());
  EXPECT_FALSE(event.disagreement);
  EXPECT_FALSE(nlohmann::json::parse(render_json(event)).contains("apart"));
  std::vector<std::string> warnings;
  EXPECT_THAT(render_predictions(both, warnings), HasSubstr("predicted_us,low_us,high_us,analytic_us\n"));
}

TEST(Validate, ProgressCountsEveryRow) {
  TableFolder folder;
  std::vector<std::size_t> counts;
  validate(folder.library(), {folder.write("t.csv", kGemmHeader + kRow + kRow + kRow)},
           {.progress = [&](std::size_t done, std::size_t all) {
             EXPECT_EQ(all, 3u);
             counts.push_back(done);
           }});
  EXPECT_THAT(counts, ElementsAre(1u, 2u, 3u));
}

TEST(Validate, PredictionsOfTimesAreWrittenAndOtherFiguresLeftOut) {
  TableFolder folder;
  const std::string table = folder.write("t.csv", kGemmHeader + kRow), suite = folder.write("s.yaml", kSuite);
  std::vector<std::string> warnings;
  const std::string figures = render_predictions(validate(folder.library(), {suite}, {}), warnings);
  EXPECT_THAT(figures, StartsWith("id,device,op,dtype,time_us,predicted_us,low_us,high_us\n"));
  EXPECT_THAT(figures, HasSubstr("s.yaml: step,h100_sxm,decode.time_s,bf16,10000,"));
  EXPECT_EQ(std::count(figures.begin(), figures.end(), '\n'), 3);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("2 published figures are no times")));
  const std::string mixed = render_predictions(validate(folder.library(), {table, suite}, {}), warnings);
  EXPECT_EQ(std::count(mixed.begin(), mixed.end(), '\n'), 4);
  EXPECT_THAT(warnings, SizeIs(2));
}

TEST(Validate, NoRowsHaveNoErrors) {
  TableFolder folder;
  const Validation v = validate(folder.library(), {folder.write("t.csv", kGemmHeader)}, {});
  const auto json = nlohmann::json::parse(render_json(v));
  EXPECT_EQ(json.at("rows"), 0);
  EXPECT_TRUE(json.at("overall").at("mape").is_null());
  EXPECT_THAT(render_text(v), testing::ContainsRegex("all +0 +- +- +- +- +- +- +-\n"));
}

}  // namespace
}  // namespace mlosim::compare
