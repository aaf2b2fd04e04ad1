// The YAML beside the CSV: which GPU, driver, toolkit and settings each run over that file had, and how it ended. A run
// that goes on in a file adds its entry and leaves the others as they are. Host side only: no CUDA.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "validate/cuda/measure/case.hpp"

namespace mlosim::measure {

// A key and what stands behind it, ready as a YAML scalar.
struct Fact {
  std::string name;
  std::string scalar;
};

Fact text_fact(std::string name, const std::string& text);        // quoted
Fact number_fact(std::string name, std::optional<double> value);  // null where unknown
Fact flag_fact(std::string name, std::optional<bool> value);      // null where unknown

struct RunState {
  bool finished = false;
  int rows = 0;     // written by this run
  int skipped = 0;  // on the device: no memory, no algorithm
  int wrong = 0;    // flagged because their results were wrong
  int failed = 0;
  Seconds wall{0};
};

class Sidecar {
 public:
  // `earlier` is what the file held before, empty for a new file.
  Sidecar(std::string path, std::string earlier, std::vector<Fact> facts);

  // Replaces the file in one step, so that no reader sees half of it. Throws UsageError where that cannot be done.
  void write(const RunState& state) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string earlier_;
  std::vector<Fact> facts_;
};

// FILE.csv -> FILE.yaml; any other name gets .yaml behind it.
std::string sidecar_path(const std::string& csv_path);

// Empty where there is no file that can be read.
std::string read_text_file(const std::string& path);

// "2026-03-01T12:00:00Z"
std::string utc_now();

}  // namespace mlosim::measure
