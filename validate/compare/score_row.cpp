#include "validate/compare/score_row.hpp"

#include "validate/compare/predict_row.hpp"

namespace mlosim::compare {
namespace {

// Seconds that a row's work would take at datasheet rates: arithmetic, and bytes (of a collective: over its links).
void fill_ideal_times(ScoredRow& scored, const suite::Measurement& row, const spec::ChipSpec& chip) {
  const work::OpWork work = work::work_of(row.work);
  Seconds compute = work.vector / chip.vector_rate();
  if (const auto peak = chip.matrix_peak(work.matrix_dtype)) compute += work.matrix / *peak;
  scored.compute = compute.si();
  scored.memory = std::holds_alternative<work::Collective>(row.work)
                      ? scored.roofline
                      : (work.bytes() / chip.device_memory().bandwidth).si();
}

}  // namespace

ScoredRow score_row(const suite::Measurement& row, const spec::Hardware& hardware, chip::Fidelity fidelity) {
  const RowPrediction prediction = predict_row(row, hardware, fidelity);
  ScoredRow s;
  s.device = row.device;
  s.op = row.op;
  s.dtype = row.dtype;
  s.software = row.software;
  s.measured = row.measured.si();
  s.predicted = s.low = s.high = prediction.time.si();
  s.roofline = prediction.price.bound.si();
  fill_ideal_times(s, row, hardware.system.chip);
  s.fit_half = suite::is_in_fit_half(row.work);
  s.plan = prediction.price.detail;
  s.bound_by = chip::name_of(prediction.price.bound_by);
  return s;
}

}  // namespace mlosim::compare
