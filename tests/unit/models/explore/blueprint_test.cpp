#include "models/explore/blueprint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "models/explore/evaluator.hpp"
#include "models/explore/space.hpp"
#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string mistakes(const std::string& axes, const std::string& more = "", const std::string& workload = kDecode) {
  return mistakes_of(study_text(workload, "axes:\n  " + axes + "\nobjectives: time_s\n" + more));
}

TEST(Blueprint, WrongPathsAreRefusedWithTheNearestRightOne) {
  EXPECT_THAT(mistakes("system.chip.hbm.bandwith: [4 TB/s]"), HasSubstr("did you mean 'system.chip.hbm.bandwidth'?"));
  EXPECT_THAT(mistakes("chip.l3.capacity: [4 MiB]"), HasSubstr("has no 'chip.l3.capacity'"));
  EXPECT_THAT(mistakes("inference.bach: [4]"), HasSubstr("did you mean 'inference.batch'?"));
  EXPECT_THAT(mistakes("model.layrs: [4]"), HasSubstr("did you mean 'model.layers'?"));
  EXPECT_THAT(mistakes("train.micro_batch: [4]"), HasSubstr("the task 'decode' has no 'train.micro_batch'"));
  EXPECT_THAT(mistakes("system.chip.hbm.bandwith: [4 TB/s]"), HasSubstr("s.yaml:5:3"));
}

TEST(Blueprint, ValuesThatCannotStandThereAreRefused) {
  EXPECT_THAT(mistakes("chip.hbm.bandwidth: [4 W]"), HasSubstr("expected a data rate"));
  EXPECT_THAT(mistakes("chip.hbm.bandwidth: {from: 1 B, to: 4 B, steps: 2}"), HasSubstr("expected a data rate"));
  EXPECT_THAT(mistakes("inference.batch: [4, many]"), HasSubstr("inference.batch: 'many' is not a number"));
  EXPECT_THAT(mistakes("inference.batch: [4, 0]"), HasSubstr("'0' is less than 1"));
  EXPECT_THAT(mistakes("inference.batch: [\"4\"]"), HasSubstr("without quotes"));
  EXPECT_THAT(mistakes("system: [dgx_h100, dgx_h1000]"), HasSubstr("dgx_h1000"));
  EXPECT_THAT(mistakes("parallelism.schedule: [1f1b, 2f2b]", "", kTrain), HasSubstr("2f2b"));
}

TEST(Blueprint, ValuesThatCannotBeCombinedAreNoMistake) {
  EXPECT_THAT(mistakes("parallelism.tp: [1, 2, 3]"), IsEmpty());
  EXPECT_THAT(mistakes("parallelism.pp: [1, 7, 64]", "", kTrain), IsEmpty());
}

TEST(Blueprint, ContradictingConstraintsAreRefused) {
  const std::string axis = "inference.batch: [1, 2]";
  EXPECT_THAT(mistakes(axis, "constraints: [\"time_s <= 1 s\", \"time_s >= 2 s\"]\n"), HasSubstr("contradicting"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"inference.batch >= 4\"]\n"), HasSubstr("contradicting"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"2 <= 1\"]\n"), HasSubstr("never holds"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"time_s <= 2 s\", \"time_s >= 1 s\"]\n"), IsEmpty());
  EXPECT_THAT(mistakes(axis, "constraints: [\"time_s <= 2 W\"]\n"), HasSubstr("of one kind"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"inference.batch < 1\"]\n"), HasSubstr("contradicting"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"2 > inference.batch\", \"inference.batch >= 2\"]\n"),
              HasSubstr("contradicting"));
  EXPECT_THAT(mistakes(axis, "constraints: [\"max(inference.batch, 4) >= 4\", \"ceil(inference.batch / 4) <= 1\"]\n"),
              IsEmpty())
      << "an expression of an axis is not the axis";
}

TEST(Blueprint, FiguresThatAWorkloadLacksAreRefused) {
  const auto refusal = [](const std::string& objective) {
    return mistakes_of(study_text(kDecode, "axes: {inference.batch: [1, 2]}\nobjectives: [" + objective + "]\n"));
  };
  EXPECT_THAT(refusal("ttft_s"), HasSubstr("have a first token"));
  EXPECT_THAT(refusal("time"), HasSubstr("'time' is no metric"));
  EXPECT_THAT(refusal("\"time_s * 2\""), HasSubstr("needs a direction"));
  EXPECT_THAT(refusal("d.time_s"), IsEmpty());
  EXPECT_THAT(refusal("\"1.0 * tokens_per_s\""), HasSubstr("needs a direction")) << "whether it has a point or not";
  EXPECT_THAT(refusal("inference.prompt"), HasSubstr("{minimize: \"inference.prompt\"}"));
  EXPECT_THAT(refusal("tpot_s, {maximize: tokens_per_s / cost_usd, name: x}"), IsEmpty());
}

TEST(Blueprint, DerivedPathsHaveTheDimensionOfTheirPlace) {
  const auto refusal = [](const std::string& derived) {
    return mistakes("inference.batch: [1, 2]", "derived: {" + derived + "}\n");
  };
  EXPECT_THAT(refusal("chip.l2.capacity: 1 MiB * inference.batch"), IsEmpty());
  EXPECT_THAT(refusal("chip.l2.capacity: 2 * chip.hbm.bandwidth"), HasSubstr("expected a size"));
  EXPECT_THAT(refusal("chip.l2.capacty: 1 MiB"), HasSubstr("did you mean 'chip.l2.capacity'?"));
  EXPECT_THAT(refusal("chip.l2.capacity: 1 MiB, chip.l2.capacity: 2 MiB"), HasSubstr("chip.l2.capacity"));
  EXPECT_THAT(refusal("inference.batch: 2"), HasSubstr("'inference.batch' is set by 'axes.inference.batch'"));
  EXPECT_THAT(refusal("parallelism.pp: 2 / 1"), IsEmpty()) << "a count that the workload need not give";
  EXPECT_THAT(refusal("chip.l2.bandwidth: chip.l2.capacity / 1 s, chip.l2.capacity: 1 MiB"), HasSubstr("move it up"));
}

TEST(Blueprint, LayoutsOfTrainingVaryFastestAndMachinesSlowest) {
  const Blueprint b = blueprint_of(study_text(
      kTrain,
      "axes: {parallelism.tp: [1, 2], chip.l2.capacity: [1 MiB, 2 MiB], chips: [16, 32]}\nobjectives: time_s\n"));
  EXPECT_EQ(b.study.axes[0].name, "chip.l2.capacity");
  EXPECT_EQ(b.study.axes[2].name, "parallelism.tp");
  EXPECT_EQ(b.layout_axes, 1U);
  EXPECT_TRUE(shares_layouts(b));
}

TEST(Blueprint, ALayoutKeyThatTheStudyVariesIsOfTheDesignAndNotOfItsLayouts) {
  const Blueprint b = blueprint_of(
      study_text(kTrain,
                 "axes: {train.global_batch: [32, 64], chip.l2.capacity: [1 MiB, 2 MiB]}\nobjectives: time_s\n"
                 "method: {best_parallelism: {tp: [1, 2]}}\n"));
  const std::uint64_t layouts = Space(b).layouts();
  EXPECT_EQ(Space(b).size(), 4 * layouts);
  EXPECT_EQ(b.study.axes[1].name, "train.global_batch");
  EXPECT_EQ(b.layout_axes, b.searched_axes + 1) << "it is evaluated as quickly as they are";
  EXPECT_TRUE(shares_layouts(b));
}

TEST(Blueprint, ModelsThatAreLaidOverAWorkloadAreRead) {
  const Blueprint b = blueprint_of(study_text(kDecode,
                                              "axes: {inference.batch: [1]}\noverrides: {model: llama-2-7b}\n"
                                              "objectives: [{minimize: time_s / model.hidden, name: x}]\n"));
  EXPECT_EQ(b.workloads.front().decoded.model->name, "llama-2-7b");
}

TEST(Blueprint, DegreesThatFollowFromOthersAreNoAxes) {
  const std::string axis = "axes: {parallelism.dp: [1, 2]}\nobjectives: time_s\n";
  EXPECT_THAT(mistakes_of(study_text(kTrain, axis)), HasSubstr("dp follows from the 16 chips of t"));
  EXPECT_THAT(mistakes_of(study_text(kTrain, axis + "method: best_parallelism\n")),
              HasSubstr("dp follows from 'chips'"));
  EXPECT_THAT(mistakes_of(study_text(kDecode, axis)), IsEmpty());
  EXPECT_THAT(mistakes_of(study_text(kTrain, "axes: {parallelism: [{tp: 2, dp: 4}]}\nobjectives: time_s\n")),
              HasSubstr("leave out either 'chips' or dp"));
  EXPECT_THAT(mistakes_of(study_text(kDecode, axis + "derived: {chips: 4 * parallelism.dp}\n")),
              HasSubstr("dp follows from 'chips'"));
}

TEST(Blueprint, VariablesThatNothingTakesAndObjectivesThatTakeNothingAreSaid) {
  std::vector<std::string> warnings;
  draw_blueprint(library(),
                 study_of(study_text(kDecode, "axes: {inference.batch: [1]}\nobjectives: [{minimize: 3}]\n")),
                 warnings);
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("'3' is the same at every point")));
  warnings.clear();
  const std::string rest = "axes: {inference.batch: [1, 2]}\nobjectives: time_s\nvariables: {k: [1, 2]}\n";
  draw_blueprint(library(), study_of(study_text(kDecode, rest)), warnings);
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("variables.k: no expression takes it")));
  warnings.clear();
  draw_blueprint(library(), study_of(study_text(kDecode, rest + "constraints: [\"k * time_s <= 1 s\"]\n")), warnings);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(Blueprint, ASearchOfNothingIsRefused) {
  const std::string rest = "axes: {inference.batch: [1], inference.prompt: {from: 8, to: 8}}\nobjectives: time_s\n";
  EXPECT_THAT(mistakes_of(study_text(kDecode, rest + "method: nsga2\n")), HasSubstr("nsga2 has nothing to vary"));
}

TEST(Blueprint, LayoutsAreSearchedForOneWorkloadWhoseChipsAreKnown) {
  const auto refusal = [](const std::string& workload, const std::string& more) {
    return mistakes_of(study_text(workload, "objectives: time_s\n" + more));
  };
  EXPECT_THAT(refusal(kTrain, "method: best_parallelism\n"), IsEmpty());
  EXPECT_THAT(refusal(kDecode, "method: best_parallelism\n"), HasSubstr("how many chips"));
  EXPECT_THAT(refusal(kDecode, "method: best_parallelism\noverrides: {chips: 4}\n"), IsEmpty());
  EXPECT_THAT(refusal(kDecode, "method: {best_parallelism: {zero: 1}}\noverrides: {chips: 4}\n"),
              HasSubstr("no part of the layouts of this task"));
  EXPECT_THAT(refusal(kTrain, "method: {best_parallelism: {tp: [none]}}\n"), HasSubstr("parallelism.tp"));
  EXPECT_THAT(refusal(kTrain, "method: {best_parallelism: {tp: [3, 5]}}\n"), HasSubstr("no value of it is valid"));
  EXPECT_THAT(refusal(kTrain, "method: best_parallelism\naxes: {parallelism.tp: [1, 2]}\n"),
              HasSubstr("goes through the layouts itself"));
}

TEST(Space, NumbersAndCoordinatesOfAGridGoTogether) {
  const Blueprint b = blueprint_of(study_text(
      kDecode, "axes: {chip.l2.capacity: [1 MiB, 2 MiB], inference.batch: [1, 2, 3]}\nobjectives: time_s\n"));
  const Space space(b);
  EXPECT_EQ(space.size(), 6U);
  std::vector<double> at(2);
  space.locate(4, at);
  EXPECT_EQ(at, (std::vector<double>{1, 1}));
  EXPECT_EQ(space.next_after(1, 0), 3U);
}

TEST(Space, ALatinHypercubeHasOnePointInEachStratum) {
  const Blueprint b = blueprint_of(study_text(kDecode,
                                              "axes: {chip.l2.capacity: {from: 1 B, to: 101 B}}\nmethod: "
                                              "{latin_hypercube: {points: 100}}\nobjectives: time_s\n"));
  const Space space(b);
  std::vector<bool> seen(100);
  for (std::uint64_t i = 0; i < 100; ++i) {
    std::vector<double> at(1);
    space.locate(i, at);
    seen[static_cast<std::size_t>(at[0] - 1)] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 100);
}

TEST(Space, WholeNumbersAreDrawnAlikeAndWithinTheirEnds) {
  for (const std::string scale : {"linear", "log"}) {
    const Blueprint b =
        blueprint_of(study_text(kDecode, "axes: {inference.batch: {from: 1.4, to: 4.6, scale: " + scale +
                                             "}}\nmethod: {latin_hypercube: {points: 300}}\nobjectives: time_s\n"));
    std::map<double, int> seen;
    for (std::uint64_t i = 0; i < 300; ++i) {
      std::vector<double> at(1);
      Space(b).locate(i, at);
      ++seen[at[0]];
    }
    ASSERT_EQ(seen.size(), 3U) << scale;
    for (const double whole : {2., 3., 4.}) EXPECT_TRUE(seen.contains(whole)) << scale;
    if (scale == "linear") {
      EXPECT_NEAR(seen[2], 100, 1);
    }
  }
}

TEST(Space, RandomPointsFollowFromTheSeedAlone) {
  const auto first = [](const std::string& seed) {
    const Blueprint b = blueprint_of(study_text(
        kDecode, "axes: {chip.l2.capacity: {from: 1 B, to: 101 B}}\nmethod: {random: {points: 9, seed: " + seed +
                     "}}\nobjectives: time_s\n"));
    std::vector<double> at(1);
    Space(b).locate(5, at);
    return at[0];
  };
  EXPECT_EQ(first("3"), first("3"));
  EXPECT_NE(first("3"), first("4"));
}

}  // namespace
}  // namespace mlosim::explore
