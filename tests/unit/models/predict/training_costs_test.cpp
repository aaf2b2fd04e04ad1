// The closed form of training steps: the same answers as a prediction's, and near to the played step.
#include "models/predict/training_costs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "models/predict/evaluate_training.hpp"
#include "models/predict/setting.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

const std::vector<std::string>& layouts() {
  static const std::vector<std::string> kLayouts{
      "parallelism: {dp: 8}",
      "parallelism: {dp: 8, zero: 1}",
      "parallelism: {dp: 8, zero: 3}",
      "parallelism: {tp: 8, sp: true}",
      "parallelism: {tp: 2, cp: 2, dp: 2, zero: 2}",
      "parallelism: {pp: 4, dp: 2, zero: 1}",
      "parallelism: {pp: 4, dp: 2, schedule: gpipe}",
      "parallelism: {pp: 2, tp: 2, dp: 2, virtual_stages: 2}",
      "parallelism: {pp: 4, dp: 2, schedule: zero_bubble}",
      "parallelism: {pp: 4, dp: 2, schedule: dualpipe}",
      "parallelism: {pp: 4, dp: 2, zero: 1, schedule: dualpipe}",
      "parallelism: {pp: 2, dp: 4, zero: 1, virtual_stages: 4}",
  };
  return kLayouts;
}

std::string text_of(const std::string& layout, const std::string& train = "") {
  return workload_text("train", "toy_8",
                       "model: {layers: 8, hidden: 1024, heads: 16, ffn: 4096, vocab: 32000}, runtime: trainer, " +
                           layout + ", train: {global_batch: 64, sequence: 1024" + train + "}");
}

class TrainingCostsTest : public testing::Test, protected Desk {
 protected:
  // The estimate that one object makes of each of the texts, in turn.
  std::vector<TrainingEstimate> estimates(const std::vector<std::string>& texts) {
    const Workload first = read(texts.front());
    const Setting setting = read_setting(small.library(), first, warnings);
    const TrainingSubject subject{.model = *first.model, .precision = setting.precision, .hardware = setting.hardware};
    TrainingCosts costs(subject, training_price_options({}, setting.hardware.system.chip));
    std::vector<TrainingEstimate> found;
    for (const std::string& text : texts) found.push_back(costs.estimate(*read(text).training));
    return found;
  }
};

TEST_F(TrainingCostsTest, AreThoseOfAPredictionWhateverWasPricedBefore) {
  std::vector<std::string> texts;
  for (const std::string& layout : layouts()) {
    texts.push_back(text_of(layout));
    texts.push_back(text_of(layout, ", micro_batch: 2, recompute: full"));
  }
  const std::vector<std::string> backwards(texts.rbegin(), texts.rend());
  texts.insert(texts.end(), backwards.begin(), backwards.end());
  const std::vector<TrainingEstimate> found = estimates(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Evaluation e = predict_with(texts[i], {}).evaluation;
    EXPECT_EQ(found[i].total.makespan, e.total.makespan) << texts[i];
    EXPECT_EQ(found[i].total.energy, e.total.energy) << texts[i];
    EXPECT_EQ(found[i].total.communication_total, e.total.communication_total) << texts[i];
    EXPECT_EQ(found[i].memory.total(), e.memory->total()) << texts[i];
    EXPECT_EQ(found[i].fits(), e.memory->fits()) << texts[i];
    EXPECT_EQ(found[i].model_flops, e.model_flops) << texts[i];
    EXPECT_EQ(found[i].hardware_flops, e.hardware_flops) << texts[i];
  }
}

// Kernels are closed forms here and there but for those of the chip's play; the toy's differ by a few percent.
TEST_F(TrainingCostsTest, AreNearToThePlayedStep) {
  for (const std::string& layout : layouts()) {
    const Evaluation estimated = predict_with(text_of(layout), {}).evaluation;
    const Evaluation played = predict_with(text_of(layout), {}, chip::Fidelity::event).evaluation;
    EXPECT_NEAR(estimated.total.makespan / played.total.makespan, 1, 0.06) << layout;
    EXPECT_EQ(estimated.memory->total(), played.memory->total()) << layout;
    EXPECT_EQ(estimated.model_flops, played.model_flops) << layout;
    EXPECT_NEAR(estimated.total.communication_total / played.total.communication_total, 1, 0.1) << layout;
    EXPECT_NEAR(estimated.total.energy / played.total.energy, 1, 0.06) << layout;
  }
}

TEST_F(TrainingCostsTest, PartsAddUpToTheStep) {
  for (const TrainingEstimate& estimate : estimates({text_of(layouts()[2]), text_of(layouts()[5])})) {
    EXPECT_NEAR(estimate.total.breakdown.total() / estimate.total.makespan, 1, 1e-12);
    Seconds sum;
    for (const Seconds part : estimate.total.by_resource) sum += part;
    EXPECT_NEAR(sum / estimate.total.makespan, 1, 1e-12);
  }
}

// Every operator of the played step, as often.
TEST_F(TrainingCostsTest, ListTheOperatorsOfThePlayedStep) {
  for (const std::string& layout : {layouts()[2], layouts()[4], layouts()[7], layouts()[9]}) {
    const auto counts = [&](chip::Fidelity fidelity) {
      std::map<std::string, double> of;
      for (const report::OpTotal& op : predict_with(text_of(layout), {}, fidelity).evaluation.total.ops)
        of[op.name] += op.count;
      return of;
    };
    std::map<std::string, double> estimated = counts(chip::Fidelity::analytic), played = counts(chip::Fidelity::event);
    // What is partly hidden runs in two pieces.
    const auto drop_exchanges = [](std::map<std::string, double>& all) {
      std::erase_if(all, [](const auto& op) {
        return op.first.ends_with("parameters.gather") || op.first.ends_with("gradients.reduce");
      });
    };
    drop_exchanges(estimated);
    drop_exchanges(played);
    EXPECT_EQ(estimated, played) << layout;
    EXPECT_EQ(played.contains("gradients.send"), layout.find("pp: ") != std::string::npos) << layout;
  }
}

}  // namespace
}  // namespace mlosim::predict
