// The roofline's picture: a point for each operator that computes, a roof for each level, nothing that a browser runs.
#include "models/predict/roofline_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/predict/explain.hpp"
#include "models/predict/render_explanation.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

class RooflineChartTest : public testing::Test, protected Desk {
 protected:
  Explanation explain(const std::string& text) {
    ExplainOptions options;
    options.predict.fidelity = chip::Fidelity::analytic;
    return predict::explain(small.library(), small.write("w.yaml", text), options);
  }
};

TEST_F(RooflineChartTest, EveryOperatorThatComputesHasAPointUnderTheRoofs) {
  const Explanation e = explain(decode_text());
  ASSERT_FALSE(e.roofline.points.empty());
  const std::string svg = render_roofline_svg(e.roofline);
  EXPECT_EQ(count(svg, "<circle"), e.roofline.points.size());
  EXPECT_THAT(svg, HasSubstr("hbm 1.00 TB/s"));
  EXPECT_THAT(svg, HasSubstr("l2 5.00 TB/s"));
  EXPECT_THAT(svg, HasSubstr("bf16 matrix 100 Tflop/s"));
  FlopsPerSecond most;
  for (const ComputeRoof& roof : e.roofline.rates) most = std::max(most, roof.rate);
  for (const RooflinePoint& point : e.roofline.points) EXPECT_LE(point.achieved, most);
}

TEST_F(RooflineChartTest, NothingIsDrawnOutsideOfThePaperAndTextIsEscaped) {
  RooflineChart chart{.title = "a < b & \"c\"",
                      .memories = {{"hbm", BytesPerSecond(1e12)}},
                      .rates = {{"bf16 matrix", FlopsPerSecond(1e14)}},
                      .points = {{"tiny", 1e-6, FlopsPerSecond(1), 0.5}, {"huge", 1e9, FlopsPerSecond(9e13), 0.5}}};
  const std::string svg = render_roofline_svg(chart, 800, 500);
  EXPECT_THAT(svg, HasSubstr("a &lt; b &amp; &quot;c&quot;"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, Not(HasSubstr("x=\"-")));
  EXPECT_THAT(svg, Not(HasSubstr("y=\"-")));
}

TEST_F(RooflineChartTest, AChartWithoutPointsOrRoofsIsStillAPicture) {
  const std::string svg = render_roofline_svg({.title = "nothing", .memories = {}, .rates = {}, .points = {}});
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST_F(RooflineChartTest, APageNeedsNeitherNetworkNorScripts) {
  const Explanation e = explain(decode_text());
  const std::string page = render_html(e);
  for (const char* part : {"Where the time goes", "Operators", "Roofline", "Time for 1 % more", "halve the time"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  EXPECT_EQ(page, render_html(explain(decode_text())));
}

}  // namespace
}  // namespace mlosim::predict
