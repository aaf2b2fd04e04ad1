// Who waits for what when nothing can happen any more: the answer to "why did the run end early".
//
//   run ended at 1500 ps with 2 processes waiting
//     stage 0 waits since 1000 ps on pool "credits", held by stage 1
//     stage 1 waits since 1500 ps on process "stage 0", held by stage 0
//   wait cycle: stage 0 -> stage 1 -> stage 0
//
// Processes stand in the order in which they were spawned. Made by Simulator::run.
#pragma once

#include <string>
#include <vector>

#include "sim/event/time.hpp"

namespace mlosim::event {

class ProcessRecord;

struct StallReport {
  struct Waiting {
    std::string process;
    std::string kind;  // of what it waits on: "signal", "gate", "pool", "process", "transfer"
    std::string on;
    Time since;
    std::vector<std::string> held_by;  // empty: not known
  };
  Time at;
  std::vector<Waiting> waiting;
  std::vector<std::vector<std::string>> cycles;  // each process waits for the next, the last for the first

  bool empty() const { return waiting.empty(); }
};

// Requires: each process waits on something. Cycles are those that a depth-first walk in the given order closes.
StallReport build_stall_report(Time at, const std::vector<const ProcessRecord*>& waiting);

// The text above; empty for an empty report.
std::string render_stall_report(const StallReport& report);

}  // namespace mlosim::event
