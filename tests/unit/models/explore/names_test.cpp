#include "models/explore/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Two workloads, a and b, that differ in their batch.
std::string two(const std::string& rest) {
  const std::string a = kDecode, b = std::string(kDecode).replace(kDecode.find("batch: 8"), 8, "batch: 32");
  return "schema: mlosim/study/1\nname: s\nworkloads:\n  - {name: a, workload: " + a +
         "}\n  - {name: b, workload: " + b + "}\n" + rest;
}

// What an objective of the one point of the study is.
double objective(const std::string& text) {
  const Blueprint b = blueprint_of(text);
  std::vector<double> slots(b.slots.size());
  return b.objectives.front().expression.evaluate(slots);
}

std::string minimized(const std::string& expression) {
  return "objectives: [{minimize: \"" + expression + "\", name: x}]\n";
}

TEST(Names, NumbersAreThoseThatTheWorkloadsOwnOverridesLeave) {
  const std::string workload = std::string(kDecode).replace(
      kDecode.find("name: d,"), 8,
      "name: d, overrides: {inference.prompt: 2048, model.layers: 8, chip.hbm.bandwidth: 5 TB/s},");
  const std::string axes = "axes: {inference.batch: [4]}\n";
  EXPECT_EQ(objective(study_text(workload, axes + minimized("inference.prompt"))), 2048);
  EXPECT_EQ(objective(study_text(workload, axes + minimized("model.layers"))), 8);
  EXPECT_EQ(objective(study_text(workload, axes + minimized("system.chip.hbm.bandwidth"))), 5e12);
  EXPECT_EQ(
      objective(study_text(workload, axes + "overrides: {inference.prompt: 512}\n" + minimized("inference.prompt"))),
      512)
      << "the study's are laid over the workload's";
}

TEST(Names, BelowAWholeThatAnAxisSetsThereIsNoNumber) {
  const auto refusal = [](const std::string& axes, const std::string& name) {
    return mistakes_of(study_text(kDecode, "axes: {" + axes + "}\n" + minimized(name)));
  };
  EXPECT_THAT(refusal("inference: [{batch: 4, prompt: 64, output: 8}]", "inference.batch"),
              HasSubstr("'inference.batch' changes with the axis 'inference'"));
  EXPECT_THAT(refusal("model: [llama-3.1-8b]", "model.layers"), HasSubstr("changes with the axis 'model'"));
  EXPECT_THAT(refusal("system: [dgx_h100]", "chip.hbm.bandwidth"), HasSubstr("changes with the axis 'system'"));
  EXPECT_THAT(refusal("runtime.framework: [vllm]", "system.chip.l2.bandwidth"), HasSubstr("axis 'runtime.framework'"));
  EXPECT_THAT(refusal("system: [dgx_h100]", "inference.batch"), IsEmpty());
}

TEST(Names, WhatIsNotTheSameInAllWorkloadsIsNamedOfOne) {
  const std::string axis = "axes: {\"a:inference.batch\": [4, 64]}\n";
  EXPECT_THAT(mistakes_of(two(axis + minimized("inference.batch"))),
              HasSubstr("name one of them: 'b.inference.batch'"));
  EXPECT_THAT(mistakes_of(two(axis + "derived: {inference.prompt: \"16 * inference.batch\"}\n" + minimized("time_s"))),
              HasSubstr("not the same in all workloads"));
  EXPECT_EQ(objective(two(axis + minimized("b.inference.batch"))), 32);
  const Blueprint b = blueprint_of(two(axis + minimized("a.inference.batch")));
  EXPECT_EQ(b.objectives.front().expression.lone_slot(), b.slots.axis.front());
  EXPECT_EQ(objective(two(axis + minimized("a.inference.prompt"))), 1024);
  EXPECT_THAT(mistakes_of(two("axes: {inference.batch: [4]}\n" + minimized("inference.batch"))), IsEmpty());
}

TEST(Names, DerivedPathsMayBeOfOneWorkload) {
  const std::string axes = "axes: {inference.batch: [4, 64]}\n";
  const Blueprint b = blueprint_of(
      two(axes + "derived: {\"a:inference.prompt\": \"16 * inference.batch\"}\n" + minimized("a.inference.prompt")));
  EXPECT_TRUE(b.workloads[0].takes_derived[0]);
  EXPECT_FALSE(b.workloads[1].takes_derived[0]);
  EXPECT_EQ(b.objectives.front().expression.lone_slot(), b.slots.axes);
  EXPECT_THAT(mistakes_of(two(axes + "derived: {\"a:inference.prompt\": \"16 * inference.batch\"}\n" +
                              minimized("inference.prompt"))),
              HasSubstr("name one of them: 'b.inference.prompt'"));
  EXPECT_THAT(mistakes_of(two(axes + "derived: {\"c:inference.prompt\": \"16 / 1\"}\n" + minimized("time_s"))),
              HasSubstr("no workload is called 'c'"));
}

TEST(Names, AHintIsNeverTheNameItself) {
  const std::string refusal =
      mistakes_of(study_text(kDecode, "axes: {inference.batch: [4]}\n" + minimized("parallelism.ep")));
  EXPECT_THAT(refusal, HasSubstr("'parallelism.ep' has no number here"));
  EXPECT_THAT(refusal, Not(HasSubstr("did you mean 'parallelism.ep'")));
}

TEST(Names, AVariableDoesNotHideAMetric) {
  EXPECT_THAT(mistakes_of(study_text(
                  kDecode, "axes: {inference.batch: [4]}\nvariables: {time_s: [1 s]}\n" + minimized("time_s"))),
              HasSubstr("'time_s' is a metric"));
}

}  // namespace
}  // namespace mlosim::explore
