// One run over the scheduled states: measures each, writes its row at once, goes on past what cannot be measured, and
// ends cleanly on an interruption or at the budget. It knows nothing of the device: `Measure` does. Host side only: no
// CUDA.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "validate/cuda/measure/result_file.hpp"
#include "validate/cuda/measure/selection.hpp"
#include "validate/cuda/measure/sidecar.hpp"
#include "validate/cuda/measure/statistics.hpp"

namespace mlosim::measure {

struct Measured {
  Summary time;  // of one operation
  std::optional<double> power_w;
  std::optional<double> clock_mhz;
  std::string wrong;    // what the check found; empty where right
  std::string library;  // besides the toolkit: "cublasLt 13.0.2"
  Cells results;
};

struct Failure {
  std::string message;
  bool fatal = false;  // the device can do nothing more in this process
};

using Outcome = std::variant<Measured, Skip, Failure>;
using Measure = std::function<Outcome(const Work&)>;

struct Campaign {
  std::string device;    // the chip's name
  std::string software;  // of every row
  std::optional<Seconds> budget;
  Measure measure;
  std::function<bool()> is_interrupted;
  std::function<Seconds()> elapsed;  // since the program began
  std::ostream* messages = nullptr;  // one line for what is skipped or fails; progress where `is_terminal`
  bool is_terminal = false;
};

struct CampaignEnd {
  RunState state;
  bool interrupted = false;
  bool fatal = false;
  int present = 0;        // were in the file before
  int beyond_budget = 0;  // did not fit the time that was left
};

// Takes `works` in their order. The sidecar is written first, and last with how it ended; also where `append` throws.
CampaignEnd run_campaign(const Campaign& campaign, const std::vector<Work>& works, ResultFile& results,
                         const Sidecar& sidecar);

// The row of a measured state.
Cells make_row(const Campaign& campaign, const Work& work, const Measured& measured);

}  // namespace mlosim::measure
