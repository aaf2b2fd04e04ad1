// What the README says of mlosim's accuracy is what it is, and what is known to be wrong is written down: both are
// computed from the shared measurements, on the half of the shapes that no parameter was fitted on.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/spec/library.hpp"
#include "tests/golden/shared_measurements.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/compare/residual_report.hpp"

namespace mlosim::golden {
namespace {

using compare::Group;

bool has_shared_tables() { return !shared_tables().empty(); }

// Errors of several groups together, each row counting once.
struct Error {
  double rows = 0, model = 0, three_constants = 0;

  void add(const compare::Score& s) {
    const auto n = static_cast<double>(s.rows);
    rows += n;
    model += n * s.mape;
    three_constants += n * s.three_constants_mape;
  }
  std::string text() const {
    return rows > 0 ? fmt::format("{:.1f} ({:.1f})", 100 * model / rows, 100 * three_constants / rows) : "";
  }
};

constexpr std::array<std::string_view, 9> kColumns{
    "GEMM, 16 bit", "GEMM, 8 bit and less", "GEMM, fp32", "attention prefill", "attention decode", "MLA",
    "MoE",          "elementwise, norms",   "collectives"};

std::size_t column_of(const std::string& op, const std::string& dtype) {
  const std::map<std::string, std::size_t> by_op{{"attention_prefill", 3}, {"attention_decode", 4}, {"mla_prefill", 5},
                                                 {"mla_decode", 5},        {"moe_gemm", 6},         {"collective", 8}};
  if (op == "gemm") return dtype == "bfloat16" || dtype == "float16" ? 0 : dtype == "float32" ? 2 : 1;
  const auto known = by_op.find(op);
  return known == by_op.end() ? 7 : known->second;
}

std::string accuracy_table() {
  std::map<std::string, std::array<Error, kColumns.size() + 1>> devices;
  std::array<Error, kColumns.size() + 1> all{};
  for (const Group& group : shared_score().groups) {
    const std::size_t column = column_of(group.key[1], group.key[2]);
    for (auto* line : {&devices[group.key[0]], &all}) {
      (*line)[column].add(group.score);
      line->back().add(group.score);
    }
  }
  std::string text = "| chip | rows |";
  for (const std::string_view column : kColumns) text += fmt::format(" {} |", column);
  text += "\n|---|---|";
  for (std::size_t i = 0; i < kColumns.size(); ++i) text += "---|";
  text += '\n';
  const auto add = [&](const std::string& name, const std::array<Error, kColumns.size() + 1>& errors) {
    text += fmt::format("| {} | {:.0f} |", name, errors.back().rows);
    for (std::size_t i = 0; i < kColumns.size(); ++i)
      text += errors[i].rows > 0 ? fmt::format(" {} |", errors[i].text()) : "  |";
    text += '\n';
  };
  for (const auto& [device, errors] : devices) add(device, errors);
  add("all", all);
  return text;
}

TEST(Accuracy, TheReadmesTableIsWhatIsMeasuredNow) {
  if (!has_shared_tables()) GTEST_SKIP() << "the shared measurements are not here";
  expect_marked_text(support::source_dir() / "README.md", "accuracy", accuracy_table());
}

// A line of DEVIATIONS.md's table: "| device | op | dtype | error | three constants | why |".
struct Deviation {
  std::vector<std::string> key;
  std::string why;
};

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::vector<Deviation> read_deviations(const std::string& text) {
  std::vector<Deviation> list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
    if (cells.size() == 7 && cells[1] != "device" && !cells[1].starts_with("---"))
      list.push_back({{cells[1], cells[2], cells[3]}, cells[6]});
  }
  return list;
}

// Worse than a roofline with three constants (by more than a tenth of a point), or off by more than a quarter: what has
// to be explained.
constexpr double kLargeError = 0.25, kTie = 0.001;
bool is_deviation(const compare::Score& s) { return s.mape > s.three_constants_mape + kTie || s.mape > kLargeError; }

TEST(Accuracy, EveryGroupThatIsFarOffIsListedWithTheReasonAndNoOther) {
  if (!has_shared_tables()) GTEST_SKIP() << "the shared measurements are not here";
  const std::filesystem::path file = support::source_dir() / "validate/DEVIATIONS.md";
  std::map<std::vector<std::string>, std::string> reasons;
  for (const Deviation& d : read_deviations(marked_text(file, "deviations"))) reasons[d.key] = d.why;
  std::string text = "| device | op | dtype | error, % | three constants, % | why |\n|---|---|---|---|---|---|\n";
  for (const Group& group : shared_score().groups) {
    if (!is_deviation(group.score)) continue;
    const std::string why = reasons.contains(group.key) ? reasons.at(group.key) : "";
    EXPECT_NE(why, "") << fmt::format("{} {} {} is off by {:.1f} % (three constants {:.1f} %): say why in {}",
                                      group.key[0], group.key[1], group.key[2], 100 * group.score.mape,
                                      100 * group.score.three_constants_mape, file.filename().string());
    text += fmt::format("| {} | {} | {} | {:.1f} | {:.1f} | {} |\n", group.key[0], group.key[1], group.key[2],
                        100 * group.score.mape, 100 * group.score.three_constants_mape, why);
  }
  expect_marked_text(file, "deviations", text);
}

struct Bound {
  const char* device;
  const char* op;
  const char* dtype;
  double most;
};

void PrintTo(const Bound& b, std::ostream* out) { *out << b.device << ' ' << b.op << ' ' << b.dtype; }

class AccuracyBound : public testing::TestWithParam<Bound> {};

TEST_P(AccuracyBound, HoldsOnShapesThatWereNotFittedAndBeatsThreeConstants) {
  if (!has_shared_tables()) GTEST_SKIP() << "the shared measurements are not here";
  const std::vector<std::string> key{GetParam().device, GetParam().op, GetParam().dtype};
  const std::vector<Group>& groups = shared_score().groups;
  const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.key == key; });
  ASSERT_NE(group, groups.end());
  EXPECT_LE(group->score.mape, GetParam().most);
  EXPECT_LT(group->score.mape, group->score.three_constants_mape);
  EXPECT_LT(group->score.mape, group->score.roofline_mape);
}

INSTANTIATE_TEST_SUITE_P(Groups, AccuracyBound,
                         testing::Values(Bound{"a100_sxm_80gb", "gemm", "bfloat16", 0.09},
                                         Bound{"h100_sxm", "gemm", "bfloat16", 0.065},
                                         Bound{"b200_sxm", "gemm", "bfloat16", 0.09},
                                         Bound{"l40s", "gemm", "bfloat16", 0.12}),
                         [](const testing::TestParamInfo<Bound>& tested) {
                           return fmt::format("{}_{}_{}", tested.param.device, tested.param.op, tested.param.dtype);
                         });

TEST(Accuracy, FourOfFiveRowsAreInsideIntervalsThatTheyPlayedNoPartIn) {
  if (!has_shared_tables()) GTEST_SKIP() << "the shared measurements are not here";
  const compare::Coverage coverage =
      compare::out_of_fold_coverage(spec::Library({support::source_dir().string()}), shared_tables());
  EXPECT_GE(coverage.share(), 0.75);
  EXPECT_LE(coverage.share(), 0.85);
}

}  // namespace
}  // namespace mlosim::golden
