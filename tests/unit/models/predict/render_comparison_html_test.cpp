// A comparison's page: every row is on it, its bars are as long as their times, and nothing on it is more than text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "models/predict/render_comparison.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Bar {
  double start = 0, end = 0;
  int slices = 0;
  bool has_gaps = false;
};

// The stacked bars of a page, from the top of it downwards within each drawing.
std::map<int, Bar> bars_of(const std::string& page) {
  static const std::regex kSlice(R"re(<rect x="([0-9.]+)" y="([0-9]+)" width="([0-9.]+)"[^>]*><title>)re");
  std::map<int, Bar> bars;
  for (std::sregex_iterator it(page.begin(), page.end(), kSlice), end; it != end; ++it) {
    const double x = std::strtod((*it)[1].str().c_str(), nullptr), width = std::strtod((*it)[3].str().c_str(), nullptr);
    const auto [bar, is_new] = bars.try_emplace(std::atoi((*it)[2].str().c_str()), Bar{.start = x, .end = x});
    bar->second.has_gaps |= std::abs(bar->second.end - x) > 0.02;
    bar->second.end = x + width;
    ++bar->second.slices;
  }
  return bars;
}

class ComparisonPageTest : public testing::Test, protected Desk {
 protected:
  Compared row(const std::vector<std::pair<std::string, std::string>>& settings = {},
               const std::string& text = decode_text()) {
    Prediction p = predict_with(text, settings);
    return {.workload = p.workload,
            .system = p.system,
            .chips = p.evaluation.chips,
            .prediction = p,
            .refusal = {},
            .reasons = {},
            .differences = {}};
  }
  // On two machines, and on one that it cannot run on.
  std::vector<Compared> three_rows() {
    std::vector<Compared> rows{row(), row({{"chip.hbm.bandwidth", "2 TB/s"}})};
    rows[1].system = "toy_fast";
    rows[1].reasons = {{.what = "memory bandwidth", .from = "1 TB/s", .to = "2 TB/s", .factor = 1.5}};
    rows[1].differences = {{.parameter = "chip.hbm.bandwidth", .from = "1 TB/s", .to = ""}};
    rows.push_back({.workload = "w",
                    .system = "toy_odd",
                    .chips = 7,
                    .prediction = {},
                    .refusal = "16 heads are no multiple of 7",
                    .reasons = {},
                    .differences = {}});
    return rows;
  }
};

TEST_F(ComparisonPageTest, EveryRowIsThereWithItsRatioToTheFirst) {
  const std::vector<Compared> rows = three_rows();
  const std::string page = render_html(rows);
  for (const char* system :
       {"<td>toy<br>", "<td>toy_fast<br>", "<td>toy_odd</td>", ">1 x toy</text>", ">1 x toy_fast<"})
    EXPECT_THAT(page, HasSubstr(system));
  EXPECT_THAT(page, HasSubstr("16 heads are no multiple of 7"));
  const double ratio = rows[1].prediction->evaluation.total.makespan / rows[0].prediction->evaluation.total.makespan;
  char text[16];
  std::snprintf(text, sizeof text, "%.2fx", ratio);
  EXPECT_THAT(page, HasSubstr(std::string("<span class=\"note\">") + text + "</span>"));
}

TEST_F(ComparisonPageTest, TheSlicesOfABarAddUpToItsRowsTime) {
  const std::vector<Compared> rows = three_rows();
  const std::map<int, Bar> bars = bars_of(render_html(rows));
  ASSERT_EQ(bars.size(), 2u);
  const Bar &first = bars.begin()->second, &second = bars.rbegin()->second;
  const auto time = [&](std::size_t i) { return rows[i].prediction->evaluation.total.makespan; };
  for (const Bar& bar : {first, second}) {
    EXPECT_GE(bar.slices, 2);
    EXPECT_FALSE(bar.has_gaps);
  }
  EXPECT_EQ(first.start, second.start);
  EXPECT_LT(time(1) / time(0), 0.9);
  EXPECT_NEAR((second.end - second.start) / (first.end - first.start), time(1) / time(0), 1e-3);
}

TEST_F(ComparisonPageTest, WorkloadsHaveAScaleOfTheirOwn) {
  std::vector<Compared> rows{row(), row({{"inference.prompt", "4096"}})};
  rows[1].workload = rows[1].prediction->workload = "long";
  const std::string page = render_html(rows);
  EXPECT_THAT(page, HasSubstr("<h1>w, long</h1>"));
  EXPECT_THAT(page, HasSubstr("<h3>long</h3>"));
  EXPECT_THAT(page, HasSubstr("<td>long</td>"));
  EXPECT_THAT(page, Not(HasSubstr("x slower</text>")));
  EXPECT_THAT(render_html(three_rows()), HasSubstr("x faster</text>"));
  EXPECT_THAT(render_html(three_rows()), Not(HasSubstr("<td>w</td>"))) << "the title says it";
}

TEST_F(ComparisonPageTest, SaysWhyAndWhatDiffers) {
  const std::string page = render_html(three_rows());
  EXPECT_THAT(page, HasSubstr("<td>memory bandwidth</td><td class=\"n\">1 TB/s</td><td class=\"n\">2 TB/s</td>"));
  EXPECT_THAT(page, HasSubstr("1.500x"));
  EXPECT_THAT(page, HasSubstr("100.0 %"));
  EXPECT_THAT(page, HasSubstr("Of the time: memory -"));
  EXPECT_THAT(page, HasSubstr("<td>chip.hbm.bandwidth</td><td class=\"n\">1 TB/s</td><td class=\"n\">-</td>"));
  EXPECT_THAT(page, HasSubstr("80 % interval"));
}

TEST_F(ComparisonPageTest, AGainOfNothingHasNoReasons) {
  std::vector<Compared> rows{row(), row()};
  rows[1].reasons = {{.what = "clock", .from = "1 GHz", .to = "1.001 GHz", .factor = 1.001}};
  EXPECT_THAT(render_html(rows), Not(HasSubstr("<h2>Why</h2>")));
}

TEST_F(ComparisonPageTest, ARowThatDoesNotFitSaysSo) {
  const std::string page = render_html({row({{"inference.batch", "10000000"}})});
  EXPECT_THAT(page, HasSubstr("<span class=\"bad\">does not fit</span>"));
  EXPECT_THAT(page, HasSubstr("<p class=\"warn\">w on 1 x toy: does not fit: "));
  EXPECT_THAT(render_html({row()}), Not(HasSubstr("does not fit")));
}

TEST_F(ComparisonPageTest, WhatFilesSayIsTextAndNoMarkup) {
  std::vector<Compared> rows = three_rows();
  const std::string markup = "<b a=\"1\">&", escaped = "&lt;b a=&quot;1&quot;&gt;&amp;";
  for (Compared& row : rows) {
    row.workload += markup;
    row.system += markup;
    row.refusal += markup;
    for (Reason& reason : row.reasons) reason.what = reason.from = reason.to = markup;
    for (Difference& d : row.differences) d.parameter = d.from = d.to = markup;
    if (!row.prediction) continue;
    row.prediction->workload = row.prediction->system = row.prediction->chip = row.prediction->runtime = markup;
    row.prediction->warnings = {markup};
  }
  const std::string page = render_html(rows);
  EXPECT_THAT(page, HasSubstr(escaped));
  EXPECT_THAT(page, Not(HasSubstr("<b ")));
  const std::string numbers = render_html({markup, "x"}, {{{.parameter = markup, .from = markup, .to = markup}}});
  EXPECT_THAT(numbers, HasSubstr(escaped));
  EXPECT_THAT(numbers, Not(HasSubstr("<b ")));
}

TEST_F(ComparisonPageTest, NeedsNeitherNetworkNorScriptsAndIsTheSameEachTime) {
  const std::string page = render_html(three_rows());
  for (const char* part : {"<script", "src=", "href=", "http"}) EXPECT_THAT(page, Not(HasSubstr(part)));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  EXPECT_EQ(page, render_html(three_rows()));
}

}  // namespace
}  // namespace mlosim::predict
