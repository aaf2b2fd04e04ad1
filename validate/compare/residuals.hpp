// Measures hw_specs/residuals.yaml: the curves of residuals, how far away other chips, runtimes and formats are, and
// how operators' errors go together. residual_report.hpp makes the file of it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/predict/residuals.hpp"
#include "validate/compare/residual_rows.hpp"

namespace mlosim::compare {

// The ends of the interval that holds 0 and a share of 0.8 of further rows of the same kind: the 10th and the 90th
// percentile, or from 0 on where the rows are all on one side. Empty rows: {0, 0}.
std::pair<double, double> band_of(std::vector<double> log_ratios);

// Curves by operator, chip, runtime and format. A format with fewer than 25 rows is put together with the others of its
// runtime that have too few, and what is still too little with that of the chip's other runtimes. Points along the time
// hold at least 40 rows each, six points at most, all of the rows between them; their ends lean on the operator's as a
// whole, as 5 rows would.
std::vector<predict::ResidualCurve> make_curves(const std::vector<Residual>& rows);

// Everything but `host`, `network` and `source`. A step's distance is the one at which intervals of rows that need the
// step hold a share of 0.8 of them, chips and formats weighing alike:
// - chip, family: borrowed rows around the lender's curve; the usual distance of another chip leans on that of another
//   family, as two more chips would, since few siblings are fitted apart;
// - runtime, format, op, kind: own rows around the curves of the same chip that lack theirs. The operators of these
// rows
//   are fitted; that one without curves is not, Residuals::of adds as the step to another family;
// - size: the upper half of a curve's rows around that of the lower half, and the other way round.
// The distance of one operator leans on the usual one, as two more chips would. Correlations are mean products of
// residuals over their mean squares: of two rows of one operator, runtime and format on one chip; of the means of two
// kinds under one runtime on one chip.
predict::ResidualTable measure_residuals(const ResidualRows& rows);

}  // namespace mlosim::compare
