// Predictions of workloads over systems and numbers of chips, side by side. The first is what the others are compared
// with. Used by `mlosim compare`; renderers are render_comparison.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/predict/predict.hpp"
#include "models/predict/reasons.hpp"

namespace mlosim::predict {

struct CompareOptions {
  std::vector<std::string> workloads;
  std::vector<std::string> systems;  // empty: each workload's own
  std::vector<std::int64_t> chips;   // empty: each workload's own
  bool scales_batch = false;         // the batch grows with the chips (weak scaling), from that of the workload
  PredictOptions predict;
  bool lists_numbers = false;  // those that the machines do not share
};

// A row: a prediction, or why there is none ("a global batch of 1536 is no multiple of …").
struct Compared {
  std::string workload, system;
  std::optional<std::int64_t> chips;
  std::optional<Prediction> prediction;
  std::string refusal;
  std::vector<Reason> reasons{};          // against the first row that is predicted; none of that one
  std::vector<Difference> differences{};  // likewise, where they are listed
};

// Workloads first, then systems, then chips. A row that the machine or the workload cannot be is refused in itself; if
// all are, the first refusal is thrown (spec::InputError).
std::vector<Compared> compare(const spec::Library& library, const CompareOptions& options);

// The numbers of one system or chip that others do not share, each against the first. Throws spec::InputError.
std::vector<std::vector<Difference>> compare_specs(const spec::Library& library,
                                                   const std::vector<std::string>& systems);

// Against `base`, of time per token of one chip where there are tokens, of time otherwise: above 1 is better.
double gain(const Prediction& prediction, const Prediction& base);

}  // namespace mlosim::predict
