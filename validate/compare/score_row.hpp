// A measured row beside its prediction, ready to be scored. Used by validation and by calibration.
#pragma once

#include <optional>

#include "sim/spec/hardware.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/scored_row.hpp"
#include "validate/suite/measurement.hpp"

namespace mlosim::compare {

// The row on `hardware`, without a label, a place in a table or an interval. Throws spec::InputError where the machine
// cannot run the operator.
ScoredRow score_row(const suite::Measurement& row, const spec::Hardware& hardware, const Fineness& fineness = {});

// The watts that were measured beside its time, as a row of its own ("gemm.power_w"); none where none were, and none
// under a roofline, which has no power. Throws as score_row.
std::optional<ScoredRow> score_power(const suite::Measurement& row, const spec::Hardware& hardware,
                                     const Fineness& fineness = {});

}  // namespace mlosim::compare
