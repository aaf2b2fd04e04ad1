// What ranks exchange besides the collectives inside their passes: messages between stages with every micro-batch, and
// once a step what data parallelism gathers and sums beside the passes at its ends. How much of it there is, and the
// operators that reports list. The same for steps that are played and for those in closed form.
#pragma once

#include <span>
#include <vector>

#include "models/predict/plan_training.hpp"
#include "sim/machine/price_book.hpp"
#include "sim/report/step_report.hpp"

namespace mlosim::predict {

// Messages of one rank in a step. A message's time counts on the rank that sends it.
struct Sends {
  double activations = 0, gradients = 0;

  double all() const { return activations + gradients; }
};
Sends sends_of_rank(const plan::ScheduleShape& shape, std::int64_t rank);
double mean_sends(const plan::ScheduleShape& shape);  // of a rank, over all of them

// What data parallelism does beside the first forward and the last backward passes of each chunk.
struct OnceAStep {
  bool gathers = false, reduces = false;

  bool any() const { return gathers || reduces; }
};
OnceAStep exchanges_once_a_step(const plan::TrainingParallelism& p, const spec::TrainingRuntime& runtime);

// Collectives that follow one another: time and energy of all, needs of the last.
struct Exchanged {
  report::StepCost cost;
  chip::ChipUse use;
};
Exchanged price_exchange(const std::vector<work::Collective>& collectives, machine::PriceBook& prices);

// A rank of the pipeline: which, and how many layers of each block of the graph it holds.
struct RankLayers {
  std::int64_t rank = 0;
  std::span<const std::int64_t> counts;
};
// Its messages and its exchanges once a step, each with all its runs.
std::vector<report::OpTotal> traffic_operators(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                                               const Training& training, const RankLayers& layers,
                                               machine::PriceBook& prices);

}  // namespace mlosim::predict
