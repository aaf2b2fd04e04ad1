// Which states are to be measured: the product of the axes of every case, less what the command line leaves out, what
// the device cannot do and what is named twice. Host side only: no CUDA.
#pragma once

#include <string>
#include <vector>

#include "validate/cuda/measure/arguments.hpp"
#include "validate/cuda/measure/case.hpp"

namespace mlosim::measure {

struct Work {
  const Case* of = nullptr;
  State state{Coordinates{}};
  Plan plan;
  Seconds estimate{0};  // of everything: set-up, warm-up, samples

  std::string name() const { return of->name + " " + state.name(); }
};

struct LeftOut {
  std::string name;  // of a case, or of a case and its state
  std::string reason;
};

struct Selection {
  std::vector<Work> works;  // in the order of the cases and, within a case, the last axis fastest
  std::vector<LeftOut> left_out;
};

// Groups, cases, axes and values of the command line that no case has are answered with the nearest spelling:
// UsageError. Asks nothing of a device.
void check_names(const std::vector<Case>& cases, const Arguments& arguments);

// Checks the names first. `cases` must outlive the selection.
Selection select_works(const std::vector<Case>& cases, const Arguments& arguments, const DeviceFacts& facts);

}  // namespace mlosim::measure
