#include "models/explore/check_axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string mistakes(const std::string& axes, const std::string& workload = kDecode, const std::string& more = "") {
  return mistakes_of(study_text(workload, "axes:\n  " + axes + "\nobjectives: time_s\n" + more));
}

TEST(CheckAxis, EveryWordOfAClosedListIsLookedAt) {
  EXPECT_THAT(mistakes("precision: [bf16, nonsense]"), HasSubstr("unknown value 'nonsense'"));
  EXPECT_THAT(mistakes("precision.weights: [bf16, zzz]"),
              HasSubstr("s.yaml:5:29: precision.weights: unknown value 'zzz'"));
  EXPECT_THAT(mistakes("runtime.fusion: [default, qqq]"), HasSubstr("one of: default, none"));
  EXPECT_THAT(mistakes("train.recompute: [full, wrong]", kTrain), HasSubstr("wrong"));
  EXPECT_THAT(mistakes("train.optimizer: [adam, nadam]", kTrain), HasSubstr("nadam"));
  EXPECT_THAT(mistakes("parallelism: [{tp: 2}, {tq: 2}]"), HasSubstr("unknown key 'tq'"));
  EXPECT_THAT(mistakes("inference: [{batch: 8, prompt: many, output: 8}]"), HasSubstr("'many' is not a number"));
  EXPECT_THAT(mistakes("model: [llama-3.1-8b, llama-9]"), HasSubstr("llama-9"));
  EXPECT_THAT(mistakes("runtime.framework: [vllm, vlmm]"), HasSubstr("no runtime is called 'vlmm'"));
}

TEST(CheckAxis, PricesMayBeVaried) {
  EXPECT_THAT(mistakes("economics.price: [2 USD/h, 3 USD/h]"), IsEmpty());
  EXPECT_THAT(mistakes("economics.price: [2 W]"), HasSubstr("economics.price: '2 W' is a power"));
  EXPECT_THAT(mistakes("economics.pue: [1.1, 0.5]"), HasSubstr("draws no less than its computers do"));
  EXPECT_THAT(mistakes("economics: [{basis: own}, {basis: loan}]"), HasSubstr("unknown value 'loan'"));
}

TEST(CheckAxis, LongListsAreLookedAtToTheEnd) {
  std::string counts, names;
  for (int i = 1; i < 200; ++i) counts += std::to_string(i) + ", ";
  EXPECT_THAT(mistakes("inference.batch: [" + counts + "many]"), HasSubstr("'many' is not a number"));
  EXPECT_THAT(mistakes("inference.batch: [" + counts + "many, 200]"), HasSubstr("'many' is not a number"));
  EXPECT_THAT(mistakes("chip.units: [" + counts + "many, 200, 201]"), HasSubstr("many"));
}

TEST(CheckAxis, OfManyWrongValuesAFewAreTold) {
  const std::string said = mistakes("inference.batch: {from: 1, to: 100000, by: 0.5}");
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 9);
}

TEST(CheckAxis, APathThroughANumberLeadsNowhere) {
  EXPECT_THAT(mistakes("system.chip.clock.boost: [1755 MHz]"),
              HasSubstr("s.yaml:5:3: axes.system.chip.clock.boost: d has no 'system.chip.clock.boost'; did you mean"));
}

TEST(CheckAxis, ALayoutThatDoesNotGoWithAModelIsNoMistake) {
  const std::string in_stages = std::string(kTrain).replace(kTrain.find("tp: 2"), 5, "tp: 2, pp: 8");
  EXPECT_THAT(mistakes("model.layers: [2, 32]", in_stages), IsEmpty());
}

TEST(CheckAxis, RangesOfCountsAreWhole) {
  const auto axis = [](const std::string& text, const std::string& method = "grid") {
    return blueprint_of(study_text(kDecode, "axes: {" + text + "}\nobjectives: time_s\nmethod: " + method + "\n"))
        .study.axes.front();
  };
  const auto numbers = [](const Axis& a) {
    std::vector<double> list;
    for (const Choice& choice : a.choices) list.push_back(choice.numbers.front());
    return list;
  };
  EXPECT_EQ(numbers(axis("inference.batch: {from: 1, to: 64, steps: 7, scale: log}")),
            (std::vector<double>{1, 2, 4, 8, 16, 32, 64}));
  EXPECT_EQ(numbers(axis("model.layers: {from: 1, to: 4, steps: 7}")), (std::vector<double>{1, 2, 3, 4}))
      << "none twice";
  EXPECT_EQ(axis("inference.batch: {from: 1, to: 64, steps: 4}").choices[1].label, "22");
  EXPECT_TRUE(axis("inference.batch: {from: 1, to: 64}", "{random: {points: 4}}").continuum->whole);
  EXPECT_TRUE(axis("chip.units: {from: 100, to: 140}", "{random: {points: 4}}").continuum->whole);
  EXPECT_FALSE(axis("chip.hbm.bandwidth: {from: 1 TB/s, to: 2 TB/s}", "{random: {points: 4}}").continuum->whole);
  EXPECT_THAT(mistakes("inference.batch: {from: 2.2, to: 2.8}", kDecode, "method: {random: {points: 4}}\n"),
              HasSubstr("no whole number between"));
}

}  // namespace
}  // namespace mlosim::explore
