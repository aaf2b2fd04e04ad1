// Points whose machines are moved from one to the next have the figures that each has by itself.
#include "models/explore/evaluator.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "models/explore/space.hpp"
#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

// The metrics of a point, bit by bit, as predict() says them of the document with the point's keys; empty where it is
// no design or does not fit.
std::vector<std::uint64_t> predicted(const Blueprint& b, const std::vector<double>& at, std::vector<double> slots) {
  std::vector<std::uint64_t> bits;
  try {
    const predict::Prediction p = predict_point(b, at, slots);
    if (!misfit_of(p).empty()) return bits;
    fill_metrics(p, 0, b.slots, slots);
    for (std::size_t m = 0; m < metrics().size(); ++m)
      bits.push_back(std::bit_cast<std::uint64_t>(slots[b.slots.metrics_of(0) + m]));
  } catch (const spec::InputError&) {
  }
  return bits;
}

// That fits one node.
const std::string kFitting = "overrides: {train.recompute: full, parallelism.zero: 3}\n";

void expect_as_predicted(const std::string& workload, const std::string& rest) {
  const Blueprint b = blueprint_of(study_text(workload, rest + "\nobjectives: time_s\n"));
  SharedSettings settings(library());
  const auto evaluator = make_evaluator(b, settings);
  const Space space(b);
  std::size_t possible = 0;
  for (std::uint64_t number = 0; number < space.size(); ++number) {
    std::vector<double> at(b.study.axes.size()), slots(b.slots.size());
    space.locate(number, at);
    fill_slots(b, at, slots);
    const std::vector<std::uint64_t> expected = predicted(b, at, slots);
    const Evaluator::Answer answer = evaluator->evaluate(at, slots);
    ASSERT_EQ(answer.verdict == Verdict::evaluated, !expected.empty()) << number << answer.reason;
    if (expected.empty()) continue;
    ++possible;
    for (std::size_t m = 0; m < metrics().size(); ++m) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(slots[b.slots.metrics_of(0) + m]), expected[m])
          << number << " " << metrics()[m].name;
    }
  }
  EXPECT_GT(possible, 0U);
}

TEST(Evaluator, TrainingLayoutsOnMovedMachinesAreAsPredicted) {
  expect_as_predicted(
      kTrain, kFitting +
                  "axes: {chip.hbm.bandwidth: [2 TB/s, 5 TB/s], system.scale_out.bandwidth: [25 GB/s, 100 GB/s], "
                  "system.fabric.latency: [0.6 us, 2 us], parallelism.tp: [1, 4], parallelism.zero: [1, 2], "
                  "parallelism.pp: [1, 2]}");
  expect_as_predicted(
      kTrain,
      kFitting + "axes: {system.fabric.chips: [4, 8], chip.hbm.capacity: [40 GB, 80 GB], parallelism.tp: [2, 8]}");
  expect_as_predicted(kTrain,
                      kFitting + "axes: {runtime.training.submit: [1 us, 5 us, 20 us], parallelism.tp: [1, 2]}");
}

TEST(Evaluator, MachinesThatAreDrawnAtRandomAreAsPredicted) {
  expect_as_predicted(
      kTrain,
      "axes: {chip.hbm.bandwidth: {from: 2 TB/s, to: 5 TB/s}, chip.power.cap: {from: 300 W, to: 900 W}, "
      "chip.l2.bandwidth: {from: 3 TB/s, to: 9 TB/s}, collectives.ring.choice.ring_base.simple: [5 us, 12 us], "
      "parallelism.tp: [1, 2, 8], train.micro_batch: [1, 2]}\nmethod: {random: {points: 12, seed: 3}}");
  expect_as_predicted(kDecode,
                      "axes: {chip.hbm.bandwidth: {from: 2 TB/s, to: 5 TB/s}, chip.units: [100, 132], "
                      "inference.batch: [4, 8], parallelism.tp: [1, 2]}\nmethod: {random: {points: 12, seed: 3}}");
}

TEST(Evaluator, NumbersOfAMachineMayBeWrongAtOnePointAndRightAtTheNext) {
  expect_as_predicted(kDecode,
                      "axes: {chip.rated_clock: [1.8 GHz, 1.9 GHz], chip.clock: [1.85 GHz, 1.98 GHz], "
                      "chip.power.cap: [500 W, 700 W]}");
  expect_as_predicted(kTrain, kFitting +
                                  "axes: {chip.rated_clock: [1.8 GHz, 1.9 GHz], chip.clock: [1.85 GHz, 1.98 GHz], "
                                  "parallelism.tp: [1, 2]}");
}

TEST(Evaluator, SystemsAndNumbersOfTheirsAreMovedTogether) {
  expect_as_predicted(kDecode,
                      "axes: {system: [dgx_h100, dgx_h200], chip.hbm.bandwidth: [3 TB/s, 6 TB/s], "
                      "inference.batch: [4, 8]}\nderived: {chip.l2.bandwidth: \"chip.hbm.bandwidth * 2\"}");
}

}  // namespace
}  // namespace mlosim::explore
