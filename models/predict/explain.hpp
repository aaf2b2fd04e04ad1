// Why a workload takes as long as it does: of every distinct operator the plan and those it was preferred to, where its
// time, bytes and energy go, and how near to the roofline it comes. Facts alone; render_explanation.hpp makes text and
// JSON of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "models/predict/roofline_chart.hpp"
#include "models/predict/what_if.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/spec/library.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::predict {

// Where a kernel stands under the roofline of its compulsory work.
struct RooflinePosition {
  enum class Roof { matrix_unit, vector_unit, memory };

  Roof roof = Roof::memory;    // the highest of its lower bounds
  Seconds bound;               // that one
  double intensity = 0;        // matrix operations, or vector ones where they are more, per compulsory byte
  double ridge = 0;            // of the chip: below it the memory is the roof, where no cache helps
  FlopsPerSecond peak;         // of those operations
  FlopsPerSecond achieved;     // those over its time
  BytesPerSecond bandwidth;    // of the device memory
  BytesPerSecond transferred;  // bytes at the device memory over its time
};

std::string_view name_of(RooflinePosition::Roof roof);

// What is known of an operator that is a kernel of a chip.
struct KernelFacts {
  chip::KernelPrice price;  // of the first run; time by cause and hit rate where it was played (price.events > 0)
  std::vector<chip::PlanEstimate> plans;  // the one taken and the runners-up; empty where nothing is searched
  RooflinePosition roofline;
  // What the mean run takes beyond that: gaps of eager launches, the clock of a step above the power cap, the longer
  // caches of a generation's later steps.
  Seconds around;
};

// Equal operators of a workload.
struct OperatorFacts {
  std::vector<std::string> names;    // in the program
  std::vector<std::size_t> indices;  // in Prediction::evaluation.total.ops
  work::Operator op;
  double count = 0;  // runs
  Seconds each;      // mean of them
  Seconds total;
  double share = 0;  // of the workload's time; operators that run beside each other count both
  Seconds bound;     // none takes less
  chip::Resource bound_by = chip::Resource::latency;
  std::string detail;                 // plan or algorithm in short
  std::optional<KernelFacts> kernel;  // none of a collective
};

// Time of all runs of all kernels, by cause as far as they were played.
struct KernelTime {
  chip::TimeByCause played;
  Seconds closed_form;  // of kernels that were not played
};

// A rank of a training step's pipeline, as it was played.
struct StageFacts {
  std::uint32_t rank = 0;
  std::map<std::string, Seconds> by_pass;  // "forward", "backward", …
  Seconds busy;
  Seconds idle;  // of the pipeline's time: filling, draining, waiting for neighbours
};

struct Explanation {
  Prediction prediction;
  std::vector<OperatorFacts> operators;  // largest total first
  KernelTime kernels;
  WhatIf what_if;  // empty of one operator alone
  RooflineChart roofline;
  std::vector<StageFacts> stages;  // of a pipeline that was played; empty where there is none
};

struct ExplainOptions {
  PredictOptions predict;
  // Of one operator alone: its name, or its index in the result's `ops`.
  std::optional<std::string> op;
  std::size_t runners_up = 3;
};

// Throws spec::InputError, also where no operator is called as `op` says.
Explanation explain(const spec::Library& library, const std::string& workload, const ExplainOptions& options);

}  // namespace mlosim::predict
