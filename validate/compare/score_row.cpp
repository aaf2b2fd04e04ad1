#include "validate/compare/score_row.hpp"

#include <variant>

namespace mlosim::compare {
namespace {

// Of arithmetic, and of bytes: those of a collective go over its links.
DatasheetTimes datasheet_times(const work::Operator& op, const spec::ChipSpec& chip, Seconds bound) {
  const work::OpWork work = work::work_of(op);
  Seconds compute = work.vector / chip.vector_rate();
  if (const auto peak = chip.matrix_peak(work.matrix_dtype)) compute += work.matrix / *peak;
  const bool is_collective = std::holds_alternative<work::Collective>(op);
  const Seconds memory = is_collective ? bound : work.bytes() / chip.device_memory().bandwidth;
  return {.roofline = bound.si(), .compute = compute.si(), .memory = memory.si()};
}

ScoredRow describe(const suite::Measurement& row, const RowPrediction& prediction) {
  ScoredRow s;
  s.device = row.device;
  s.op = row.op;
  s.dtype = row.dtype;
  s.software = row.software;
  s.fit_half = suite::is_in_fit_half(row.work);
  s.plan = prediction.price.detail;
  s.bound_by = chip::name_of(prediction.price.bound_by);
  return s;
}

}  // namespace

ScoredRow score_row(const suite::Measurement& row, const spec::Hardware& hardware, const Fineness& fineness) {
  const RowPrediction prediction = predict_row(row, hardware, fineness);
  ScoredRow s = describe(row, prediction);
  s.measured = row.measured.si();
  s.predicted = prediction.time.si();
  s.datasheet = datasheet_times(row.work, hardware.system.chip, prediction.price.bound);
  return s;
}

std::optional<ScoredRow> score_power(const suite::Measurement& row, const spec::Hardware& hardware,
                                     const Fineness& fineness) {
  if (!row.power || fineness.fidelity == chip::Fidelity::roofline) return std::nullopt;
  const RowPrediction prediction = predict_row(row, hardware, fineness);
  ScoredRow s = describe(row, prediction);
  s.op += ".power_w";
  s.in_table = false;
  s.measure = Measure::power;
  s.measured = row.power->si();
  s.predicted = prediction.power.si();
  return s;
}

}  // namespace mlosim::compare
