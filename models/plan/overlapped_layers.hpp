// The closed form of layers whose parameters are gathered ahead of them, and whose gradients are reduced behind them,
// on a stream of their own: plan_training_chunk's order, with the time of each layer and of each collective put in.
//
// A layer waits for its own gather; the share of a collective that can be hidden runs beside the layer after it was
// queued. What runs beside each other slows each other down (machine::fair_speeds).
#pragma once

#include <span>

#include "sim/spec/training_runtime.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::plan {

struct OverlappedLayer {
  Seconds work;                 // compute and in-line collectives, alone
  Seconds gather{}, reduce{};   // of data parallelism, alone; zero where there is none
  double work_speed = 1;        // while a collective runs beside it, …
  double collective_speed = 1;  // … and the collective's
};

// Shares of a collective's time that nothing can hide.
struct ExposedShares {
  double gather = 0, reduce = 0;
};

// Of a stack, and of a run that turns overlapping off (`train.overlap`).
ExposedShares exposed_shares(const spec::TrainingRuntime& runtime);

// From the start of the first layer's gather to the end of the last work or collective. `layers` in the order in which
// they run.
Seconds overlapped_time(std::span<const OverlappedLayer> layers, const ExposedShares& exposed);

}  // namespace mlosim::plan
