#include "validate/calibrate/parameter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sim/spec/hardware.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::calibrate {
namespace {

using testing::HasSubstr;

ParameterRule rule(const std::string& pattern, double low, double high, Scale scale = Scale::linear) {
  ParameterRule r;
  r.pattern = pattern;
  r.operators = {"gemm"};
  r.low = low;
  r.high = high;
  r.scale = scale;
  return r;
}

spec::Value chip(const std::string& text) { return spec::parse_document(text, "chip.yaml"); }

TEST(FreeParameters, AStarStandsForAnyOneNameOrIndex) {
  const spec::Value document =
      chip("a:\n  x: {e: {value: 0.5}}\n  y: {e: 0.25}\n  z: {other: 1}\nlist: [{e: 0.1}, {e: 0.2}]\n");
  std::vector<std::string> paths;
  for (const FreeParameter& p :
       free_parameters({rule("chip.a.*.e", 0, 1), rule("chip.list.*.e", 0, 1)}, document, {"gemm"}, {}))
    paths.push_back(p.path + "=" + p.text);
  EXPECT_THAT(paths,
              testing::ElementsAre("chip.a.x.e=0.5", "chip.a.y.e=0.25", "chip.list.0.e=0.1", "chip.list.1.e=0.2"));
}

TEST(FreeParameters, KeepTheUnitThatANumberIsWrittenIn) {
  ParameterRule time = rule("chip.fixed", 1e-7, 1e-5, Scale::logarithmic);
  time.dimension = dimension_of(Seconds());
  const std::vector<FreeParameter> found = free_parameters(
      {time, rule("chip.steps", 0, 10000)}, chip("fixed: 1.98 us\nsteps: {value: 810 clk}\n"), {"gemm"}, {});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_DOUBLE_EQ(found[0].value, 1.98e-6);
  EXPECT_EQ(found[0].rounded_text(2.34567e-6), "2.346 us");
  EXPECT_EQ(found[1].rounded_text(812.04), "812 clk");
  EXPECT_EQ(found[1].rounded_text(12345), "12350 clk");
  EXPECT_EQ(found[1].rounded_text(0), "0 clk");
  EXPECT_EQ(found[1].rounded_text(0.0123456), "0.01235 clk");
}

TEST(FreeParameters, PositionsComeBackToTheValueAndStayWithinTheBounds) {
  for (const Scale scale : {Scale::linear, Scale::logarithmic}) {
    FreeParameter p;
    p.rule = rule("chip.x", 2, 50, scale);
    EXPECT_NEAR(p.value_at(p.position_of(7)), 7, 1e-12);
    EXPECT_DOUBLE_EQ(p.value_at(p.highest_position() + 1), 50);
    EXPECT_DOUBLE_EQ(p.value_at(p.lowest_position() - 1), 2);
  }
}

TEST(FreeParameters, ThoseOnRequestAreFreeOnlyWhereTheyAreNamed) {
  ParameterRule quiet = rule("chip.norm", 1, 20);
  quiet.on_request = true;
  const spec::Value document = chip("norm: 4.5\n");
  EXPECT_TRUE(free_parameters({quiet}, document, {"gemm"}, {}).empty());
  EXPECT_EQ(free_parameters({quiet}, document, {"gemm"}, {"norm"}).size(), 1u);
  EXPECT_TRUE(free_parameters({quiet}, document, {"moe_gemm"}, {"norm"}).empty()) << "no row of its operator";
}

TEST(FreeParameters, APatternThatMatchesNothingIsAMistakeWithTheNearestPath) {
  try {
    free_parameters({rule("chip.gemm.fixed", 0, 1)}, chip("gemm: {fixed: 0.5}\n"), {"gemm"}, {"gemm.fixt"});
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("chip.gemm.fixed"));
  }
}

TEST(ParameterRules, WrongNamesAndValuesAreMistakesOfTheList) {
  const support::TemporaryDirectory folder;
  std::filesystem::create_directories(folder.path() / "validate");
  support::write_text(folder.path() / "validate/parameters.yaml",
                      "schema: mlosim/parameters/1\nparameters:\n"
                      "  - {parameter: chip.a, operators: [gemn], low: 0, high: 1, source: x}\n"
                      "  - {parameter: chip.b, operators: [gemm], values: [64, wide], source: x}\n");
  try {
    read_parameter_rules(spec::Library({folder.path().string()}));
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'gemm'"));
    EXPECT_THAT(error.what(), HasSubstr("wide"));
  }
}

TEST(ParameterRules, EveryFamilyOfTheLibraryHasSomeOfThem) {
  const spec::Library library({MLOSIM_SOURCE_DIR});
  const std::vector<ParameterRule> rules = read_parameter_rules(library);
  for (const std::string& name : library.names(spec::Shelf::chips)) {
    const spec::Value document =
        spec::with_family(library, spec::read_document(library.require(spec::Shelf::chips, name)));
    EXPECT_FALSE(free_parameters(rules, document, {"gemm"}, {}).empty()) << name;
  }
}

}  // namespace
}  // namespace mlosim::calibrate
