// Which fitted parameters the rows determine, and how well: standard errors and correlations from the Jacobian at the
// optimum. Says what the data cannot tell instead of letting a fit pretend.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "validate/calibrate/objective.hpp"

namespace mlosim::calibrate {

enum class Verdict {
  identified,
  no_effect,   // no row depends on it
  at_bound,    // the fit ran into a physical bound
  uncertain,   // its standard error exceeds half of it
  correlated,  // the rows fix only its product or sum with another one
};

struct Identification {
  Verdict verdict = Verdict::identified;
  double standard_error = 0;  // relative to the value; of a value near 0 to a tenth of its range
  std::string reason;         // "rows fix only its combination with chip.gemm.k_step (correlation 0.99)"
};

// Judges the parameters `free` at `values`. Standard errors by the delete-one-shape jackknife (Efron 1982), each with
// one Newton step of the robust loss: rows of one shape, in whatever format and of whatever software, share their
// errors. Correlations by (JᵀWJ)⁺ with the loss's second derivative W.
std::vector<Identification> identify(const Objective& objective, const Setting& setting,
                                     const std::vector<std::size_t>& free, const std::vector<double>& values,
                                     const std::vector<std::size_t>& subset, double loss_scale);

}  // namespace mlosim::calibrate
