// Measured rows chosen for a calibration: of some chips, operators, formats and software, with what they ran on. Owns
// what it hands out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"
#include "validate/suite/measurement.hpp"
#include "validate/suite/protocol.hpp"

namespace mlosim::calibrate {

// Which rows; an empty list takes all.
struct RowChoice {
  std::vector<std::string> chips;      // "a100_sxm" is a100_sxm_80gb, as in tables
  std::vector<std::string> operators;  // "gemm", "attention_decode", "elementwise" …
  std::vector<std::string> dtypes;     // "bf16" is the tables' "bfloat16" too
  std::string runtime;                 // rows of its kernels alone, the vendor's default included; empty: all
  std::vector<std::string> software;   // patterns; '!' before one leaves out what it matches
};

// The operator as validate/parameters.yaml names it: all kinds of elementwise kernels are "elementwise".
std::string operator_of(const suite::Measurement& row);

struct Row {
  const suite::Measurement* measurement = nullptr;
  std::size_t machine = 0;  // into machines
  std::size_t suite = 0;    // into suites
  std::size_t shape = 0;    // equal where the operator is the same, whatever its format and software
  bool fit_half = false;
};

// A chip with a runtime's kernels.
struct Machine {
  std::string system, runtime;
  spec::HardwareDocuments documents;
};

// Throws spec::InputError with all mistakes.
spec::Hardware decode(const spec::HardwareDocuments& documents);

struct RowSet {
  std::vector<Row> rows;  // in the suites' order
  std::vector<Machine> machines;
  std::vector<std::string> suites;  // the tables' names, without folders: "a100_sxm__gemm.csv"
  std::size_t skipped = 0;          // rows of the suites that could not be used at all

  // The operators of the rows, sorted.
  std::vector<std::string> operators() const;
};

// The tables of some suites.
class Measurements {
 public:
  // Suites are paths of CSV tables, or names of validate/suites. Throws spec::InputError.
  Measurements(const spec::Library& library, const std::vector<std::string>& suites);

  // Rows in the set point into this object. Throws spec::InputError, saying what is there, where a word of the choice
  // fits no row (patterns after '!' may), and where no row is left.
  RowSet choose(const RowChoice& choice) const;

 private:
  const spec::Library& library_;
  suite::ProtocolBook protocols_;
  std::vector<suite::Table> tables_;
};

}  // namespace mlosim::calibrate
