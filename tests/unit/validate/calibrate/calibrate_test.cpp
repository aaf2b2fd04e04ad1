#include "validate/calibrate/calibrate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/validate/calibrate/synthetic.hpp"
#include "validate/calibrate/render.hpp"

namespace mlosim::calibrate {
namespace {

using testing::HasSubstr;

Options options_for(std::vector<std::string> parameters) {
  Options options;
  options.rows.chips = {"h100_sxm"};
  options.parameters = std::move(parameters);
  options.starts = 1;
  return options;
}

const FittedParameter& parameter(const Calibration& calibration, const std::string& path) {
  const auto found = std::find_if(calibration.parameters.begin(), calibration.parameters.end(),
                                  [&](const FittedParameter& p) { return p.parameter.path == path; });
  if (found == calibration.parameters.end()) throw std::out_of_range(path);
  return *found;
}

TEST(Calibrate, FindsTheParametersThatRowsWerePricedWith) {
  const Synthetic synthetic;
  const std::string table = synthetic.write(
      "table.csv", "h100_sxm",
      {{"chip.gemm.fixed", "2.6 us"}, {"chip.hbm.efficiency", "0.75"}, {"chip.gemm.matrix_efficiency", "0.85"}}, 0.03);
  const Measurements measurements(synthetic.library(), {table});
  const Calibration c = calibrate(synthetic.library(), measurements,
                                  options_for({"gemm.fixed", "hbm.efficiency", "gemm.matrix_efficiency"}));
  for (const auto& [path, truth] : std::vector<std::pair<std::string, double>>{
           {"chip.gemm.fixed", 2.6e-6}, {"chip.hbm.efficiency", 0.75}, {"chip.gemm.matrix_efficiency", 0.85}}) {
    const FittedParameter& found = parameter(c, path);
    EXPECT_EQ(found.identification.verdict, Verdict::identified) << path << ": " << found.identification.reason;
    EXPECT_LE(std::abs(found.value / truth - 1), 3 * found.identification.standard_error) << path << " " << found.text;
    EXPECT_LT(found.identification.standard_error, 0.05) << path;
  }
  EXPECT_TRUE(c.is_better);
  EXPECT_LT(c.fitted.after.mape, 0.02);
  EXPECT_LT(c.held_out.after.mape, 0.02) << "shapes that were not fitted are predicted as well";
  EXPECT_GT(c.fitted.before.mape, 0.05);
}

TEST(Calibrate, OnlyShapesOfTheFitHalfAreFitted) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(), {synthetic.write("table.csv", "h100_sxm", {})});
  const Calibration half = calibrate(synthetic.library(), measurements, options_for({"gemm.fixed"}));
  EXPECT_EQ(half.fitted.after.rows + half.held_out.after.rows, Synthetic::shapes().size());
  EXPECT_GT(half.held_out.after.rows, Synthetic::shapes().size() / 4);
  Options options = options_for({"gemm.fixed"});
  options.all_rows = true;
  const Calibration all = calibrate(synthetic.library(), measurements, options);
  EXPECT_EQ(all.fitted.after.rows, Synthetic::shapes().size());
  EXPECT_EQ(all.held_out.after.rows, 0u);
}

TEST(Calibrate, SaysWhatTheRowsCannotTellAndKeepsIt) {
  const Synthetic synthetic;
  // Single tiles show the sum of launch and prologue, nothing of its parts, and nothing of the multipliers' rate.
  const Measurements measurements(
      synthetic.library(),
      {synthetic.write("table.csv", "h100_sxm", {{"chip.gemm.fixed", "2.6 us"}}, 0.02, Synthetic::tiny_shapes())});
  const Calibration c =
      calibrate(synthetic.library(), measurements, options_for({"gemm.fixed", "gemm.prologue", "power.matrix.bf16"}));
  const FittedParameter& fixed = parameter(c, "chip.gemm.fixed");
  const FittedParameter& prologue = parameter(c, "chip.gemm.prologue");
  const FittedParameter& energy = parameter(c, "chip.power.matrix.bf16");
  EXPECT_EQ(energy.identification.verdict, Verdict::no_effect) << energy.identification.reason;
  EXPECT_FALSE(energy.is_changed);
  EXPECT_NE(fixed.is_changed, prologue.is_changed) << "one of the two is held where it was";
  const FittedParameter& held = fixed.is_changed ? prologue : fixed;
  EXPECT_NE(held.identification.verdict, Verdict::identified);
  EXPECT_EQ(held.text, held.parameter.text);
  EXPECT_THAT(render_text(c), HasSubstr(held.parameter.path + ": " + held.identification.reason));
  EXPECT_LT(c.held_out.after.mape, 0.02);
}

TEST(Calibrate, RowsOfOneShapeInTwoFormatsCountOnce) {
  const Synthetic synthetic;
  const std::string once = synthetic.write("once.csv", "h100_sxm", {{"chip.hbm.efficiency", "0.7"}}, 0.05);
  std::string rows = support::read_text(once), fp16 = rows.substr(rows.find('\n') + 1);
  for (std::size_t at = 0; (at = fp16.find("bfloat16", at)) != std::string::npos;) fp16.replace(at, 8, "float16");
  support::write_text(synthetic.path("twice.csv"), rows + fp16);
  const auto error = [&](const std::string& table) {
    const Measurements measurements(synthetic.library(), {table});
    const Calibration c = calibrate(synthetic.library(), measurements, options_for({"hbm.efficiency"}));
    return parameter(c, "chip.hbm.efficiency").identification.standard_error;
  };
  const double alone = error(once);
  EXPECT_GT(alone, 0);
  EXPECT_NEAR(error(synthetic.path("twice.csv")) / alone, 1, 0.1);
}

TEST(Calibrate, StandardErrorsAreTheSpreadOfEstimates) {
  const Synthetic synthetic;
  double sum = 0, squares = 0, errors = 0;
  constexpr int kTrials = 12;
  for (int seed = 1; seed <= kTrials; ++seed) {
    const std::string table =
        synthetic.write("table.csv", "h100_sxm", {{"chip.hbm.efficiency", "0.7"}}, 0.08, Synthetic::shapes(), 7 * seed);
    const Measurements measurements(synthetic.library(), {table});
    const FittedParameter found =
        parameter(calibrate(synthetic.library(), measurements, options_for({"hbm.efficiency"})), "chip.hbm.efficiency");
    const double estimate = std::log(found.value / 0.7);
    sum += estimate;
    squares += estimate * estimate;
    errors += found.identification.standard_error / kTrials;
  }
  const double spread = std::sqrt((squares - sum * sum / kTrials) / (kTrials - 1));
  EXPECT_GT(errors, spread / 2);
  EXPECT_LT(errors, spread * 3);
}

TEST(Calibrate, SaysWhereANumberStandsOutsideItsBounds) {
  const Synthetic synthetic;
  const std::string chip = support::read_text(support::source_dir() / "hw_specs/chips/h100_sxm.yaml");
  std::filesystem::create_directories(synthetic.path("hw_specs/chips"));
  support::write_text(synthetic.path("hw_specs/chips/h100_sxm.yaml"),
                      chip + "gemm: {fixed: {value: 9 us, kind: assumed, source: too much}}\n");
  const spec::Library library({synthetic.path("."), MLOSIM_SOURCE_DIR});
  const Measurements measurements(library, {synthetic.write("table.csv", "h100_sxm", {})});
  const Calibration c = calibrate(library, measurements, options_for({"gemm.fixed"}));
  EXPECT_THAT(render_text(c), HasSubstr("chip.gemm.fixed is 9 us, outside its bounds of 0.6 us to 6 us"));
}

TEST(Calibrate, AFitThatIsNoBetterKeepsTheOldNumbers) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(), {synthetic.write("table.csv", "h100_sxm", {})});
  const Calibration c = calibrate(synthetic.library(), measurements, options_for({"gemm.fixed"}));
  EXPECT_FALSE(c.is_better);
  for (const FittedParameter& p : c.parameters) EXPECT_FALSE(p.is_changed) << p.parameter.path;
  EXPECT_LT(c.fitted.after.mape, 1e-5);
}

TEST(Calibrate, GivesTheSameResultOnOneAndOnManyThreads) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(),
                                  {synthetic.write("table.csv", "h100_sxm", {{"chip.gemm.fixed", "2.2 us"}}, 0.05)});
  const auto run = [&](std::size_t threads) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    return render_json(calibrate(synthetic.library(), measurements, options_for({"gemm.fixed", "hbm.efficiency"})));
  };
  EXPECT_EQ(run(1), run(4));
}

TEST(Calibrate, StopsWhenAskedWithTheBestSoFar) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(),
                                  {synthetic.write("table.csv", "h100_sxm", {{"chip.gemm.fixed", "2.6 us"}})});
  Options options = options_for({"gemm.fixed", "hbm.efficiency"});
  options.fit.stop = [] { return true; };
  const Calibration c = calibrate(synthetic.library(), measurements, options);
  EXPECT_TRUE(c.is_stopped);
  EXPECT_LE(c.fitted.after.mape, c.fitted.before.mape);
  EXPECT_THAT(render_text(c), HasSubstr("stopped before the end"));
}

TEST(Calibrate, RefusesWhatCannotBeFittedWithTheNearestName) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(), {synthetic.write("table.csv", "h100_sxm", {})});
  const auto mistake = [&](const Options& options) {
    try {
      calibrate(synthetic.library(), measurements, options);
      return std::string("no mistake");
    } catch (const spec::InputError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(mistake(options_for({"gemm.fixd"})), HasSubstr("gemm.fixed"));
  Options options = options_for({});
  options.rows.chips = {"h100_sxn"};
  EXPECT_THAT(mistake(options), HasSubstr("did you mean 'h100_sxm'"));
  options.rows.chips = {"h100_sxm", "h100_sxn"};
  EXPECT_THAT(mistake(options), HasSubstr("h100_sxn")) << "one right word does not hide a wrong one";
  options = options_for({});
  options.rows.dtypes = {"bf16", "fp8"};
  EXPECT_THAT(mistake(options), HasSubstr("fp8"));
  options = options_for({});
  options.rows.software = {"bench*", "nosuch*"};
  EXPECT_THAT(mistake(options), HasSubstr("nosuch*"));
  options = options_for({});
  options.rows.runtime = "vlm";
  EXPECT_THAT(mistake(options), HasSubstr("trtllm")) << "the vendor's default is what these rows ran on";
}

}  // namespace
}  // namespace mlosim::calibrate
