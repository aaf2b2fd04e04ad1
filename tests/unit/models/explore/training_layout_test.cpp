// Layouts laid over as numbers and layouts written in YAML say the same.
#include "models/explore/training_layout.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "models/explore/evaluator.hpp"
#include "models/explore/space.hpp"
#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

// Of every point: the same verdict as that of the document with the point's keys, and the same time.
void expect_same_as_documents(const std::string& workload, const std::string& axes) {
  const Blueprint b = blueprint_of(study_text(workload, "axes: " + axes + "\nobjectives: time_s\n"));
  ASSERT_TRUE(shares_layouts(b));
  SharedSettings settings(library());
  const auto evaluator = make_evaluator(b, settings);
  const Space space(b);
  std::size_t possible = 0;
  for (std::uint64_t number = 0; number < space.size(); ++number) {
    std::vector<double> at(b.study.axes.size()), slots(b.slots.size());
    space.locate(number, at);
    fill_slots(b, at, slots);
    const Evaluator::Answer answer = evaluator->evaluate(at, slots);
    try {
      const predict::Prediction p = predict_point(b, at, slots);
      EXPECT_EQ(answer.verdict == Verdict::evaluated, p.evaluation.memory->fits()) << number << answer.reason;
      if (answer.verdict != Verdict::evaluated) continue;
      ++possible;
      EXPECT_EQ(slots[b.slots.metrics_of(0)], p.evaluation.total.makespan.si()) << number;
    } catch (const spec::InputError& error) {
      EXPECT_EQ(answer.verdict, Verdict::impossible) << number << error.what();
    }
  }
  EXPECT_GT(possible, 0U);
}

TEST(TrainingLayout, IsWhatTheDocumentSays) {
  expect_same_as_documents(
      kTrain,
      "{parallelism.tp: [1, 2, 3, 8], parallelism.pp: [1, 2, 4], parallelism.virtual_stages: [1, 2], "
      "parallelism.zero: [0, 1, 3], train.micro_batch: [1, 3], parallelism.sp: [true, false]}");
  expect_same_as_documents(
      kTrain,
      "{parallelism.schedule: [gpipe, 1f1b, interleaved, zero_bubble, dualpipe], parallelism.pp: [1, 2, 4], "
      "parallelism.virtual_stages: [1, 2], train.recompute: [none, selective, full, {full_layers: 8}]}");
  expect_same_as_documents(
      kTrain,
      "{train.overlap.grad_reduce: [true, false], train.overlap.tp: [true, false], parallelism.cp: [1, 2], "
      "parallelism.hsdp_shard: [2, 3, 4], parallelism.zero: [0, 3]}");
}

TEST(TrainingLayout, OfExpertsIsWhatTheDocumentSays) {
  const std::string moe =
      "{schema: mlosim/workload/1, name: t, model: mixtral-8x7b, task: train, system: dgx_h100, chips: 64, precision: "
      "bf16, train: {global_batch: 64, micro_batch: 1, sequence: 4096, recompute: full}}";
  expect_same_as_documents(
      moe, "{parallelism.tp: [1, 2, 4], parallelism.ep: [1, 2, 3, 8], parallelism.pp: [1, 2], parallelism.zero: [1]}");
}

TEST(TrainingLayout, BestParallelismLeavesOutWhatSaysTheSame) {
  OpenLayout layout;
  layout.training.parallelism.sp = true;
  EXPECT_TRUE(is_redundant(layout)) << "sequence parallel over one rank";
  layout = {};
  layout.training.parallelism.zero = plan::ZeroStage::parameters;
  EXPECT_TRUE(is_redundant(layout)) << "nobody to share with";
  layout.training.parallelism.dp = 2;
  EXPECT_FALSE(is_redundant(layout));
  layout.training.overlap.tp = false;
  EXPECT_TRUE(is_redundant(layout)) << "nothing of tp to hide";
}

TEST(TrainingLayout, BestParallelismFindsNoWorseThanAnyLayoutOfTheGrid) {
  const auto best = [](const std::string& text) {
    const Blueprint b = blueprint_of(study_text(kTrain, text + "objectives: time_s\n"));
    SharedSettings settings(library());
    const auto evaluator = make_evaluator(b, settings);
    const Space space(b);
    double least = 1e9;
    for (std::uint64_t number = 0; number < space.size(); ++number) {
      std::vector<double> at(b.study.axes.size()), slots(b.slots.size());
      space.locate(number, at);
      fill_slots(b, at, slots);
      if (evaluator->evaluate(at, slots).verdict == Verdict::evaluated)
        least = std::min(least, slots[b.slots.metrics_of(0)]);
    }
    return least;
  };
  const double searched =
      best("method: {best_parallelism: {cp: 1, virtual_stages: {max: 2}, micro_batch: {max: 2}}}\n");
  EXPECT_LE(searched,
            best("axes: {parallelism.tp: [1, 2, 4, 8], parallelism.pp: [1, 2], train.micro_batch: [1, 2]}\n"));
}

}  // namespace
}  // namespace mlosim::explore
