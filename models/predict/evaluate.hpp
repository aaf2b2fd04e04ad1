// Plays a workload on a machine: the pure core of a prediction. Sensitivities call it again with another machine.
#pragma once

#include <cstdint>
#include <optional>

#include "models/plan/goodput.hpp"
#include "models/plan/memory.hpp"
#include "models/predict/workload.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/report/step_report.hpp"
#include "sim/report/trace.hpp"
#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

struct Evaluation {
  report::StepReport total;             // of one chip; what time_s is of
  std::optional<Seconds> prefill_time;  // time to the first token
  std::optional<Seconds> step_time;     // mean of a decode step
  std::optional<Seconds> end_to_end;    // generate: prefill and all steps
  double tokens = 0;                    // that the time is for: prompt tokens of a prefill, output tokens otherwise
  Flops model_flops;                    // of the whole model, for all chips together
  Flops hardware_flops;                 // the same with what is computed again (train)
  Seconds peak_time;  // of model_flops on all chips at the published peaks of their formats; MFU is its share
  std::int64_t chips = 1;
  std::optional<plan::MemoryPlan> memory;
  std::optional<plan::Goodput> goodput;  // of a training run with failures or checkpoints
};

// Formats of a run on a chip: what the user left open follows from the weights and the chip. Warnings say what was
// taken.
graph::Precision resolve_precision(const PrecisionChoice& choice, const graph::ModelSpec& model,
                                   const spec::ChipSpec& chip, std::vector<std::string>& warnings);

// The runtime with the workload's own fields laid over it.
spec::RuntimeSpec resolve_runtime(const spec::RuntimeSpec& profile, const RuntimeChoice& choice);

// That a workload runs on: of bare operators those that its widest collective needs.
std::int64_t chips_of(const Workload& workload);

// Checks what only shows with the machine at hand: that it has the chips. Throws spec::InputError.
void check_against_machine(const Workload& workload, const spec::SystemSpec& system);

struct EvaluateOptions {
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  std::int64_t max_events = chip::kMaxEvents;  // of the play of one kernel
  report::TraceWriter* trace = nullptr;        // gets every program played
  bool lists_operators = true;                 // of a training step in closed form: its time alone is cheaper
};

// How kernels are priced in a run.
machine::PriceOptions price_options(const EvaluateOptions& options, const chip::OperandState& operands, bool sustained);

// At the published dense peak of the operands' wider format; zero where the chip has none.
Seconds time_at_peak(Flops flops, const graph::Precision& precision, const spec::ChipSpec& chip, std::int64_t chips);

// `hardware.runtime` is the resolved one. Throws spec::InputError where the machine cannot run an operator; of bare
// operators all mistakes, each with the operator's place.
Evaluation evaluate(const Workload& workload, const graph::Precision& precision, const spec::Hardware& hardware,
                    const EvaluateOptions& options);

}  // namespace mlosim::predict
