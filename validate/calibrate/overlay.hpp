// Fitted numbers as YAML: each with its kind, where it comes from and its standard error, as hw_specs/ and
// models/runtimes/ carry them. Writing them into a file that is there already is edit.hpp's.
#pragma once

#include <string>
#include <vector>

#include "validate/calibrate/calibrate.hpp"

namespace mlosim::calibrate {

// A number to write.
struct Entry {
  std::string path;    // in the chip's document: "gemm.prologue"
  std::string text;    // "812 clk"
  std::string source;  // "CAL, a100_sxm__gemm.csv, 1234 rows, half of the shapes, 2026-11-21; se 2 %"

  // "{value: 812 clk, kind: fitted, source: "…"}".
  std::string annotated() const;
};

// The numbers that a calibration changed. `date` is the day it was made, "2026-11-21".
std::vector<Entry> entries_of(const Calibration& calibration, const std::string& date);

// A document of the entries alone: below `families: {<family>: …}` where a runtime's were fitted.
std::string render_overlay(const Calibration& calibration, const std::vector<Entry>& entries);

}  // namespace mlosim::calibrate
