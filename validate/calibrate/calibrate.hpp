// Fits the free parameters of a chip to measured rows: several starts, a search over discrete ones, and what the rows
// do not identify held where it was. Used by `mlosim calibrate` and by the transfer between chips.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/library.hpp"
#include "validate/calibrate/fit.hpp"
#include "validate/calibrate/identify.hpp"
#include "validate/calibrate/parameter.hpp"
#include "validate/calibrate/rows.hpp"
#include "validate/compare/score.hpp"

namespace mlosim::calibrate {

struct Options {
  RowChoice rows;                       // of chips of one family; with `runtime`, what is fitted is that runtime's
  std::vector<std::string> parameters;  // patterns; empty: all that bear on the rows' operators
  bool all_rows = false;                // fit on all rows, not on half of the shapes
  bool unknown_chip = false;            // take nothing from the chip's own fitted numbers: start at typical values
  chip::Fidelity fidelity = chip::Fidelity::analytic;  // whose errors are made small
  int starts = 3;
  std::size_t most_rows = 1500;  // priced in each step; a sample stratified by operator, format and time
  FitOptions fit;
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

struct FittedParameter {
  FreeParameter parameter;
  std::string text;  // the number found, or the old one where `is_changed` is false
  double value = 0;  // the same in SI units
  Identification identification;
  bool is_changed = false;
  double gain = 0;  // by how much the MAPE of the fitted rows rises with the old number put back
};

// Scores of rows before and after.
struct Change {
  compare::Score before, after;
};

struct Calibration {
  std::vector<std::string> chips;
  std::string family, runtime;              // runtime: empty where the chip's own numbers were fitted
  std::vector<std::string> suites;          // those with fitted rows
  std::vector<FittedParameter> parameters;  // in the list's order
  std::vector<std::string> notes;           // what a reader may not expect: whose numbers these are, odd starts
  Change fitted, held_out;                  // held_out has no rows where all were fitted
  std::size_t rows_in_steps = 0;            // of the fitted rows, the sample that steps were taken on
  std::size_t shapes = 0;                   // distinct ones among them
  std::size_t skipped = 0;                  // rows of the suites that could not be used, or that the chip cannot run
  bool is_better = false;                   // on the fitted rows, by MAPE; otherwise the old numbers are kept
  bool is_stopped = false;
};

// Of several chips, the parameters are those of the first one's document, by name; a chip with a number of its own
// keeps it, which the notes say. Throws spec::InputError where nothing can be fitted: no row, no parameter, chips of
// several families. The same result on 1 and N threads.
Calibration calibrate(const spec::Library& library, const Measurements& measurements, const Options& options);

}  // namespace mlosim::calibrate
