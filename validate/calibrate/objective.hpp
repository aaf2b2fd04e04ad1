// What a fit makes small: the logarithm of predicted over measured time, row by row, as a function of a chip's free
// parameters. Prices rows by the same code that predictions come from. Used by the fit and by scoring.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/hardware.hpp"
#include "validate/calibrate/parameter.hpp"
#include "validate/calibrate/rows.hpp"
#include "validate/compare/score.hpp"

namespace mlosim::calibrate {

// One text for each parameter, as it is laid over the chip.
using Setting = std::vector<std::string>;

// d residual / d position of every row (first index) and parameter.
using Jacobian = std::vector<std::vector<double>>;

class Objective {
 public:
  // A parameter holds for the machines of the set whose own number stands in the same file: not where a runtime's
  // kernels, or another chip of the family, have theirs. `runtime_layer`: for all machines, which have one runtime.
  // Rows that the chip cannot run are left out of rows(). Residuals and scores are of `fidelity`, slopes always of the
  // closed form: it follows the same plans, at a thousandth of the cost, and its times have no steps from play.
  Objective(const RowSet& set, std::vector<FreeParameter> parameters, bool runtime_layer,
            chip::Fidelity fidelity = chip::Fidelity::analytic);

  const std::vector<FreeParameter>& parameters() const { return parameters_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<std::string>& suites() const { return set_.suites; }
  std::size_t dropped() const { return dropped_; }  // rows that cannot be run
  // Whether a parameter holds for a machine of the set.
  bool holds(std::size_t machine, std::size_t parameter) const { return holds_[machine][parameter]; }

  // The parameters as they stand.
  Setting initial() const;
  Setting with(Setting setting, std::size_t parameter, double value) const;

  // The machines' documents with the setting laid over them.
  std::vector<spec::HardwareDocuments> documents_at(const Setting& setting) const;

  // ln(predicted/measured) of the rows at `subset`, in its order. The same on 1 and N threads.
  std::vector<double> residuals(const Setting& setting, const std::vector<std::size_t>& subset) const;

  // Central differences at `values` (SI) for the parameters `free`, all others as in `setting`. Steps are the rules':
  // plans change from one to another as parameters move, and a step has to see past one change.
  Jacobian jacobian(const Setting& setting, const std::vector<std::size_t>& free, const std::vector<double>& values,
                    const std::vector<std::size_t>& subset) const;

  // Rows as they are scored.
  std::vector<compare::ScoredRow> scored(const Setting& setting, const std::vector<std::size_t>& subset) const;

 private:
  std::vector<spec::Hardware> machines_at(const Setting& setting) const;
  std::vector<double> residuals(const Setting& setting, const std::vector<std::size_t>& subset,
                                chip::Fidelity fidelity) const;

  const RowSet& set_;
  chip::Fidelity fidelity_;
  std::vector<FreeParameter> parameters_;
  std::vector<Row> rows_;
  std::vector<std::vector<bool>> holds_;  // by machine, parameter
  std::vector<std::vector<bool>> moves_;  // by operator's place in operators_, parameter
  std::vector<std::string> operators_;
  std::vector<std::size_t> operator_of_row_;
  std::size_t dropped_ = 0;
};

}  // namespace mlosim::calibrate
