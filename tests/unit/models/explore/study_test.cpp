#include "models/explore/study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;

const std::string kRest = "objectives: time_s\n";

Axis axis_of(const std::string& values, const std::string& method = "grid") {
  return study_of(study_text(kDecode,
                             "axes:\n  system.chip.hbm.bandwidth: " + values + "\nmethod: " + method + "\n" + kRest))
      .axes.front();
}

std::vector<double> numbers_of(const Axis& axis) {
  std::vector<double> numbers;
  for (const Choice& choice : axis.choices) numbers.push_back(choice.numbers.front());
  return numbers;
}

TEST(Study, ReadsChoicesStepsMultiplesAndFactors) {
  EXPECT_EQ(numbers_of(axis_of("[4 TB/s, 6 TB/s]")), (std::vector<double>{4e12, 6e12}));
  EXPECT_EQ(numbers_of(axis_of("5 TB/s")), (std::vector<double>{5e12}));
  EXPECT_EQ(numbers_of(axis_of("{from: 1 TB/s, to: 2 TB/s, steps: 3}")), (std::vector<double>{1e12, 1.5e12, 2e12}));
  EXPECT_EQ(numbers_of(axis_of("{from: 1 TB/s, to: 2 TB/s, by: 0.5 TB/s}")), (std::vector<double>{1e12, 1.5e12, 2e12}));
  EXPECT_EQ(numbers_of(axis_of("{from: 1 TB/s, to: 9 TB/s, factor: 2}")),
            (std::vector<double>{1e12, 2e12, 4e12, 8e12}));
  const Axis logarithmic = axis_of("{from: 1 TB/s, to: 4 TB/s, steps: 3, scale: log}");
  EXPECT_NEAR(logarithmic.choices[1].numbers.front(), 2e12, 1);
}

TEST(Study, ARangeWithoutStepsIsEveryNumberBetween) {
  const Axis axis = axis_of("{from: 1 TB/s, to: 4 TB/s, scale: log}", "{random: {points: 4}}");
  ASSERT_TRUE(axis.continuum.has_value());
  EXPECT_TRUE(axis.continuum->logarithmic);
  EXPECT_THROW(axis_of("{from: 1 TB/s, to: 4 TB/s}"), spec::InputError) << "a grid needs steps";
}

TEST(Study, RangesThatSayMoreThanTheyAreAreRefused) {
  const auto refusal = [](const std::string& range) {
    try {
      axis_of(range);
    } catch (const spec::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal("{from: 1 TB/s, to: 4 TB/s, by: 1 TB/s, scale: log}"), HasSubstr("scale: spreads 'steps'"));
  EXPECT_THAT(refusal("{from: 1 TB/s, to: 4 TB/s, factor: 2, scale: linear}"), HasSubstr("scale: spreads 'steps'"));
  EXPECT_THAT(refusal("{from: 1 TB/s, to: 4 TB/s, steps: 1}"), HasSubstr("one step leaves 'to' out"));
  EXPECT_THAT(refusal("{from: 4 TB/s, to: 4 TB/s, steps: 3}"), HasSubstr("are the same number"));
  EXPECT_THAT(refusal("{from: 1 TB/s, to: 4 TB/s, by: 1 TB/s, whole: true}"), HasSubstr("whole: belongs to"));
  EXPECT_EQ(refusal("{from: 4 TB/s, to: 4 TB/s, steps: 1}"), "");
}

TEST(Study, OneNumberIsListedOnceHoweverItIsWritten) {
  EXPECT_THROW(axis_of("[4 TB/s, 4000 GB/s]"), spec::InputError);
  EXPECT_THROW(axis_of("[4, 4.0]"), spec::InputError);
  EXPECT_NO_THROW(axis_of("[a, b]"));
}

TEST(Study, SearchesAreCheckedWhereTheyAreRead) {
  const auto refusal = [](const std::string& method) {
    try {
      axis_of("[4 TB/s, 6 TB/s]", method);
    } catch (const spec::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal("{nsga2: {seed: 4294967296}}"), HasSubstr("method.nsga2.seed: is at most 4294967295"));
  EXPECT_EQ(refusal("{nsga2: {seed: 4294967295}}"), "");
  EXPECT_EQ(refusal("{random: {seed: 4294967296}}"), "");
  EXPECT_THAT(refusal("{best_parallelism: {tp: [2, 4, 2]}}"), HasSubstr("'2' is in the list twice"));
  EXPECT_THAT(refusal("{best_parallelism: {schedule: {max: 2}}}"), HasSubstr("'max' belongs to a count"));
}

TEST(Study, WhatIsWrongWithAnAxisIsSaidInOneRun) {
  try {
    study_of(study_text(
        kDecode, "axes:\n  a.b: []\n  a.c: [1 s, 2 B]\n  a.d: {from: 2, to: 1, steps: 2}\n  a.e: [1, 1]\n" + kRest));
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the axis is empty"));
    EXPECT_THAT(error.what(), HasSubstr("among values that are"));
    EXPECT_THAT(error.what(), HasSubstr("the range is empty"));
    EXPECT_THAT(error.what(), HasSubstr("in the list twice"));
  }
}

TEST(Study, LinkedAxesSetSeveralPathsAtOnce) {
  const Study study = study_of(study_text(kDecode,
                                          "axes:\n  layout:\n    - {parallelism.tp: 1, inference.batch: 8}\n    - "
                                          "{parallelism.tp: 2, inference.batch: 16}\n" +
                                              kRest));
  EXPECT_EQ(study.axes.front().paths, (std::vector<std::string>{"parallelism.tp", "inference.batch"}));
  EXPECT_EQ(study.axes.front().choices[1].numbers, (std::vector<double>{2, 16}));
}

TEST(Study, UnknownMethodsKeysAndSchemasAreRefused) {
  const auto refusal = [](const std::string& text) {
    try {
      study_of(text);
    } catch (const spec::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string axes = "axes: {inference.batch: [1, 2]}\n";
  EXPECT_THAT(refusal(study_text(kDecode, axes + kRest + "method: gird\n")), HasSubstr("did you mean 'grid'?"));
  EXPECT_THAT(refusal(study_text(kDecode, axes + kRest + "metod: grid\n")), HasSubstr("did you mean 'method'?"));
  EXPECT_THAT(refusal(study_text(kDecode, axes)), HasSubstr("key 'objectives' is missing"));
  EXPECT_THAT(refusal(study_text(kDecode, kRest)), HasSubstr("a study needs 'axes'"));
  EXPECT_THAT(refusal("schema: mlosim/study/2\n"), HasSubstr("mlosim/study/1"));
  EXPECT_THAT(refusal(study_text(kDecode, axes + kRest + "method: {best_parallelism: {tq: 2}}\n")),
              HasSubstr("did you mean 'tp'?"));
}

}  // namespace
}  // namespace mlosim::explore
