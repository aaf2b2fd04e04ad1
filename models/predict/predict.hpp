// The answer to a workload: time with its interval, throughput, MFU, memory, energy, cost, bottlenecks and what the
// answer leans on. Renderers (render.hpp) turn it into text, JSON or CSV.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/economics.hpp"
#include "models/predict/evaluate.hpp"
#include "models/predict/interval.hpp"
#include "models/predict/residuals.hpp"
#include "models/predict/silicon.hpp"
#include "models/predict/workload.hpp"
#include "sim/chip/kernel.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/provenance.hpp"

namespace mlosim::predict {

struct Setting;

struct Bottleneck {
  std::string resource;
  double share = 0;       // of the time
  double elasticity = 0;  // d ln time / d ln resource: -0.7 means that 1 % more of it saves 0.7 %
};

struct Assumption {
  std::string parameter;  // "chip.l2.bandwidth"
  std::string value;      // as written
  spec::SourceKind kind = spec::SourceKind::assumed;
  std::string source;
  double elasticity = 0;  // of the time
};

struct Prediction {
  std::string workload;
  std::string system;
  std::string chip;
  std::string runtime;
  Task task = Task::decode;
  graph::Precision precision;  // of a network
  chip::Fidelity fidelity = chip::Fidelity::event;
  std::int64_t max_events = chip::kMaxEvents;  // that bounded the play of one kernel
  Evaluation evaluation;
  Interval interval;  // of the time, at kIntervalLevel
  std::optional<double> tokens_per_s;
  std::optional<double> tokens_per_s_per_chip;
  FlopsPerSecond achieved_flops_per_chip;
  double mfu = 0;  // of the chip's published dense peak in the operands' format
  double hfu = 0;  // the same of all that is computed, recomputation included
  Joules energy;   // of all chips
  Watts power_per_chip;
  BytesPerSecond memory_bandwidth;  // of a chip's device memory
  std::optional<Dollars> cost;      // economics.bill's total
  Economics economics;
  std::optional<SiliconEstimate> silicon;  // none of a chip that does not say what it is built of
  std::vector<Bottleneck> bottlenecks;     // largest share first
  std::vector<Assumption> assumptions;     // derived and assumed numbers, largest elasticity first
  std::vector<std::string> warnings;
};

// What all machines have in common.
struct CostTables {
  spec::EconomicsChoice economics;
  std::optional<SiliconTable> silicon;
};

CostTables read_cost_tables(const spec::Library& library);

struct PredictOptions {
  WorkloadOptions workload;
  chip::Fidelity fidelity = chip::Fidelity::event;
  std::int64_t max_events = chip::kMaxEvents;  // of the play of one kernel
  // Bottlenecks and assumptions. The workload is priced again dozens of times for their elasticities: in closed form,
  // also where its kernels are played (Fidelity::event), since a derivative asks for a difference and not for a level.
  bool sensitivities = true;
  report::TraceWriter* trace = nullptr;  // gets every program played
  const Residuals* residuals = nullptr;  // for the interval; read from the library where there are none
  const CostTables* costs = nullptr;     // likewise
};

// The workload's time on other hardware, in closed form (of a roofline: its roofline): what derivatives are taken of.
// Both outlive the answer.
std::function<Seconds(spec::Hardware)> closed_form_of(const Workload& workload, const Setting& setting,
                                                      chip::Fidelity fidelity);

// Throws spec::InputError. A workload that does not fit its memory is predicted all the same: evaluation.memory says
// so.
Prediction predict(const spec::Library& library, const std::string& workload, const PredictOptions& options);

// The same for a workload that has been read already, with its options laid over it.
Prediction predict(const spec::Library& library, const Workload& workload, const PredictOptions& options);

// The same where its machine has been read, too (setting.hpp); what that warned of is not in the warnings.
Prediction predict(const spec::Library& library, const Workload& workload, const Setting& setting,
                   const PredictOptions& options);

}  // namespace mlosim::predict
